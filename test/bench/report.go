package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The report, in Markdown. Sizes are decimal (1 GB is 10⁹ bytes) but memory, which is binary.

// The aims of the project, on two cores.
const (
	aimWall   = 1.10 // of the floor
	aimCPU    = 4.0  // seconds per raw GB, at the lowest level
	aimStored = 0.85 // of pg_dump's gzip
	aimRSS    = 128.0
	aimDisk   = 0.1 // MB: the kernel counts a block when it notes that a program's file was read
)

// markdown is the part about backups, "" if they were not measured.
func (f *findings) markdown() string {
	var b strings.Builder
	if len(f.results) == 0 {
		return ""
	}
	f.conditions(&b, len(f.results[0].pairs))
	f.table(&b)
	f.pairs(&b)
	f.aims(&b)
	return b.String()
}

// machineLine is what figures depend on that need no database.
func (f *findings) machineLine(b *strings.Builder) {
	m := f.machine
	fmt.Fprintf(b, "Measured on %s: %d cores (%s), %.0f GiB, %s; %s. Load average before the start: %s.\n\n",
		time.Now().UTC().Format(time.DateOnly), m.cores, m.model, float64(m.memory)/(1<<30), m.system, m.programs[0], m.load)
}

func (f *findings) conditions(b *strings.Builder, rounds int) {
	m := f.machine
	transport := "http"
	if f.tls {
		transport = "https"
	}
	fmt.Fprintf(b, "Measured on %s: %d cores (%s), %.0f GiB, %s; %s, %s. Load average before the start: %s.\n\n",
		time.Now().UTC().Format(time.DateOnly), m.cores, m.model, float64(m.memory)/(1<<30), m.system, m.postgres, strings.Join(m.programs, ", "), m.load)
	fmt.Fprintf(b, "Database: %.0f MB on disk, %.0f MB as an uncompressed archive. Store: this repository's, on the same machine, by %s. Rounds: %d.\n\n",
		mega(f.size), mega(f.raw), transport, rounds)
	for _, note := range f.missing {
		fmt.Fprintf(b, "%s\n\n", note)
	}
}

func (f *findings) table(b *strings.Builder) {
	b.WriteString("| way | wall s: min, median, max | times its floor: min, median, max | own CPU s | pg_dump's CPU s | peak RSS MiB | written to local disk MB | stored MB |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	var floors []sample
	for _, r := range f.results {
		for _, p := range r.pairs {
			floors = append(floors, p.floor)
		}
	}
	wall := summarise(floors, func(s sample) float64 { return s.wall.Seconds() })
	dump := summarise(floors, func(s sample) float64 { return s.dump.Seconds() })
	fmt.Fprintf(b, "| %s, the floor | %s | 1 | | %.1f | | | |\n", cell(floorName), wall.format("%.1f"), dump.median)
	for _, r := range f.results {
		fmt.Fprintf(b, "| %s | %s | %s | %.1f | %.1f | %.0f | %.0f | %.0f |\n", cell(r.name),
			r.of(wallSeconds).format("%.1f"), r.ratio().format("%.2f"), r.of(ownSeconds).median,
			r.of(func(s sample) float64 { return s.dump.Seconds() }).median, r.of(rssMiB).max,
			r.of(func(s sample) float64 { return mega(s.programs.written) }).max, r.of(storedMB).median)
	}
	b.WriteString("\n")
}

// pairs prints each pair, because the median of ratios hides how far apart they lie.
func (f *findings) pairs(b *strings.Builder) {
	b.WriteString("Pair by pair (seconds of the floor → seconds of the way = ratio):\n\n")
	for _, r := range f.results {
		var parts []string
		for _, p := range r.pairs {
			parts = append(parts, fmt.Sprintf("%.1f → %.1f = %.2f", p.floor.wall.Seconds(), p.run.wall.Seconds(), p.ratio()))
		}
		fmt.Fprintf(b, "- `%s`: %s\n", r.name, strings.Join(parts, "; "))
	}
	b.WriteString("\n")
}

func (f *findings) aims(b *strings.Builder) {
	gzip := f.results[2].of(storedMB).median
	b.WriteString("| aim | plain | encrypted | plain, level 1 |\n| --- | --- | --- | --- |\n")
	line := func(aim, format string, limit float64, value func(result) float64) {
		fmt.Fprintf(b, "| %s |", aim)
		for _, r := range append(f.results[:2:2], f.results[lowestLevelAt]) {
			fmt.Fprintf(b, " "+format+" %s |", value(r), verdict(value(r), limit))
		}
		b.WriteString("\n")
	}
	line(fmt.Sprintf("wall, median of the pairs: at most %.2f of the floor", aimWall), "%.2f", aimWall, func(r result) float64 { return r.ratio().median })
	line(fmt.Sprintf("own CPU: at most %.1f s per raw GB", aimCPU), "%.2f s", aimCPU, func(r result) float64 { return r.of(ownSeconds).median / (mega(f.raw) / 1000) })
	line(fmt.Sprintf("stored: at most %.2f of pg_dump's own gzip", aimStored), "%.2f", aimStored, func(r result) float64 { return r.of(storedMB).median / gzip })
	line(fmt.Sprintf("peak RSS: at most %.0f MiB", aimRSS), "%.0f MiB", aimRSS, func(r result) float64 { return r.of(rssMiB).max })
	line("local disk: none", "%.0f MB", aimDisk, func(r result) float64 { return r.of(func(s sample) float64 { return mega(s.programs.written) }).max })
	fmt.Fprintf(b, "| peak RSS with a database of %.0f MB, for comparison | %.0f MiB | %.0f MiB | |\n",
		mega(f.smallSize), f.small[0].of(rssMiB).max, f.small[1].of(rssMiB).max)
}

// cell is code in a table, where a bar would end the column even between backquotes.
func cell(name string) string { return "`" + strings.ReplaceAll(name, "|", "\\|") + "`" }

func verdict(value, limit float64) string {
	if value <= limit {
		return "✓"
	}
	return "✗"
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }

func wallSeconds(s sample) float64 { return s.wall.Seconds() }
func ownSeconds(s sample) float64  { return s.programs.own.Seconds() }
func rssMiB(s sample) float64      { return mebi(s.programs.peakRSS) }
func storedMB(s sample) float64    { return mega(s.stored) }

func (p pair) ratio() float64 { return p.run.wall.Seconds() / p.floor.wall.Seconds() }

func (r result) of(value func(sample) float64) spread {
	runs := make([]sample, len(r.pairs))
	for i, p := range r.pairs {
		runs[i] = p.run
	}
	return summarise(runs, value)
}

func (r result) ratio() spread { return spreadOf(r.pairs, pair.ratio) }

// spread is what is said of several values.
type spread struct{ min, median, max float64 }

func summarise(samples []sample, value func(sample) float64) spread { return spreadOf(samples, value) }

func spreadOf[T any](from []T, value func(T) float64) spread {
	values := make([]float64, len(from))
	for i, v := range from {
		values[i] = value(v)
	}
	slices.Sort(values)
	n := len(values)
	return spread{values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]}
}

func (s spread) format(verb string) string {
	if s.min == s.max { // one round
		return fmt.Sprintf(verb, s.median)
	}
	return fmt.Sprintf(verb+", "+verb+", "+verb, s.min, s.median, s.max)
}
