// Command bench times `pgbtui --headless` beside what people do without it: the floor (pg_dump
// alone, into nothing), a dump file that is then uploaded, and a pipe through zstd. Then it reads
// the sets back: whole, one table of it, by verification and by drill.
//
// Rules: everything runs in one go on one machine, each way right after a floor of its own, and
// is compared with that floor only, and each reading with the whole restore of its round; the database, the server and the store are the bench's own
// and are gone afterwards; what is measured is read from the kernel, nothing from the programs'
// own words. docs/performance.md says what the figures mean.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/page"
)

// The parts.
const (
	partBackup  = "backup"
	partRestore = "restore"
	partConsole = "console"
	partSets    = "sets"
	partStreams = "streams"
)

// usualSets is the most of one database that is listed.
const usualSets = 20_000

// parts are all of them.
var parts = []string{partBackup, partRestore, partConsole, partSets, partStreams}

// options are the command line's.
type options struct {
	sizeMB  int64 // of the database
	smallMB int64 // of the second one, which must take the same memory
	rounds  int
	only    string        // one of the parts; "" is all but those of very many sets and of streams
	sets    int           // that are planted for the part of that name
	idle    time.Duration // how long the console is left alone
	tls     bool
	hurry   bool   // a test, which looks at no time
	dir     string // where programs, store and dump files lie
	out     string // a copy of the report
	update  string // a page whose generated part is replaced
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	o := options{idle: idleMinute}
	flag.Int64Var(&o.sizeMB, "size", 2000, "size of the database in MB")
	flag.Int64Var(&o.smallMB, "small", 20, "size of the database that must take no less memory, in MB")
	flag.IntVar(&o.rounds, "n", 3, "rounds: each runs every way once, each after a floor of its own")
	flag.StringVar(&o.only, "only", "", "`part` to measure: "+strings.Join(parts, ", ")+"; all but "+partSets+" and "+partStreams+" by default")
	flag.IntVar(&o.sets, "sets", 0, "only the part sets, with so many; without it that part has 20000")
	flag.BoolVar(&o.tls, "tls", false, "the store speaks https")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "folder for the store and for dump files: on the disk, not in memory")
	flag.StringVar(&o.out, "o", "", "write the report to this file too")
	flag.StringVar(&o.update, "update", "", "replace the generated parts of this page, docs/performance.md, that were measured")
	flag.Parse()
	if o.sets > 0 {
		o.only = cmp.Or(o.only, partSets)
	} else {
		o.sets = usualSets
	}
	if flag.NArg() > 0 || o.rounds < 1 || o.sizeMB < 1 || o.smallMB < 1 || o.only != "" && !slices.Contains(parts, o.only) {
		return fmt.Errorf("usage: bench [-size MB] [-small MB] [-n ROUNDS] [-only %s] [-sets N] [-tls] [-dir DIR] [-o FILE] [-update PAGE]", strings.Join(parts, "|"))
	}
	found, err := measure(ctx, o)
	if err != nil {
		return err
	}
	reports := found.reports()
	fmt.Print(whole(reports))
	return keep(reports, o)
}

// report is one part as a page has it.
type report struct{ command, text string }

func (f *findings) reports() []report {
	return []report{
		{"make bench", f.markdown()},
		{"make bench, reading back", f.readingMarkdown()},
		{"make bench, console", f.consoleMarkdown()},
		{"make bench, sets", f.setsMarkdown()},
		{"make bench, streams", f.streamsMarkdown()},
	}
}

func whole(reports []report) string {
	var texts []string
	for _, r := range reports {
		if r.text != "" {
			texts = append(texts, r.text)
		}
	}
	return strings.Join(texts, "\n")
}

// measures is whether a part is wanted. Those of very many sets and of streams take long, and are only measured when they
// are asked for.
func (o options) measures(part string) bool {
	return o.only == part || o.only == "" && part != partSets && part != partStreams
}

// keep writes what was measured to a file, and to the parts of a page.
func keep(reports []report, o options) error {
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(whole(reports)), 0o644); err != nil {
			return err
		}
	}
	if o.update == "" {
		return nil
	}
	for _, r := range reports {
		if r.text == "" {
			continue
		}
		if err := page.Update(o.update, r.command, r.text); err != nil {
			return err
		}
	}
	return nil
}
