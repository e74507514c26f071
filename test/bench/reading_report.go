package main

import (
	"fmt"
	"strings"
)

// The part of the report about reading sets back.

// The aims.
const (
	aimFetched = 1.05  // of the table's own bytes and the head: whole frames are fetched
	aimReadRSS = 256.0 // MiB
)

// readingMarkdown is "" if nothing was read back.
func (f *findings) readingMarkdown() string {
	if len(f.read) == 0 {
		return ""
	}
	var b strings.Builder
	f.conditions(&b, len(f.read[0].commands[0].pairs))
	for _, set := range f.read {
		set.table(&b, mega(f.smallSize))
	}
	f.readingAims(&b)
	return b.String()
}

func (s readSet) name() string {
	if s.encrypted {
		return "encrypted"
	}
	return "plain"
}

func (s readSet) table(b *strings.Builder, smallMB float64) {
	p := s.place
	fmt.Fprintf(b, "The %s dump: %.0f MB raw, %.1f MB stored. In it `%s.%s`: %.0f MB raw, %.2f MB stored; the head: %.2f MB stored.\n\n",
		s.name(), mega(p.raw), mega(p.stored), tableSchema, tableName, mega(p.tableRaw), p.table/1e6, p.head/1e6)
	fmt.Fprintf(b, "| `pgbtui`, %s | wall s: min, median, max | times the whole restore: min, median, max | own CPU s | requests for the dump | fetched of the dump MB | of what is stored | peak RSS MiB | with a database of %.0f MB |\n", s.name(), smallMB)
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, c := range s.commands {
		small := ""
		if c.small > 0 {
			small = fmt.Sprintf("%.0f", mebi(c.small))
		}
		runs := c.result()
		most := c.most()
		fmt.Fprintf(b, "| `%s` | %s | %s | %.1f | %d | %.2f | %.1f %% | %.0f | %s |\n", c.name, runs.of(wallSeconds).format("%.1f"), runs.ratio().format("%.2f"),
			runs.of(ownSeconds).median, most.requests, mega(most.bytes), 100*float64(most.bytes)/float64(p.stored), runs.of(rssMiB).max, small)
	}
	b.WriteString("\n")
}

func (f *findings) readingAims(b *strings.Builder) {
	b.WriteString("| aim | plain | encrypted |\n| --- | --- | --- |\n")
	line := func(aim, format string, limit float64, value func(readSet) float64) {
		fmt.Fprintf(b, "| %s |", aim)
		for _, s := range f.read {
			fmt.Fprintf(b, " "+format+" %s |", value(s), verdict(value(s), limit))
		}
		b.WriteString("\n")
	}
	line(fmt.Sprintf("fetched for one table: at most %.2f of its own stored bytes and the head's", aimFetched), "%.3f", aimFetched, readSet.overhead)
	line(fmt.Sprintf("peak RSS of any: at most %.0f MiB", aimReadRSS), "%.0f MiB", aimReadRSS, func(s readSet) (most float64) {
		for _, c := range s.commands {
			most = max(most, c.result().of(rssMiB).max)
		}
		return most
	})
}

// overhead is what the restore of one table fetches, of the least that it could.
func (s readSet) overhead() float64 { return float64(s.commands[1].most().bytes) / s.place.both }

func (c readResult) result() result { return result{name: c.name, pairs: c.pairs} }

// most is the run that fetched most.
func (c readResult) most() (most read) {
	for _, r := range c.reads {
		if r.bytes >= most.bytes {
			most = r
		}
	}
	return most
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }
