// Command bench times `pgbtui --headless` beside what people do without it: the floor (pg_dump
// alone, into nothing), a dump file that is then uploaded, and a pipe through zstd.
//
// Rules: everything runs in one go on one machine, each way right after a floor of its own, and
// is compared with that floor only; the database, the server and the store are the bench's own
// and are gone afterwards; what is measured is read from the kernel, nothing from the programs'
// own words. docs/performance.md says what the figures mean.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/test/page"
)

// options are the command line's.
type options struct {
	sizeMB  int64 // of the database
	smallMB int64 // of the second one, which must take the same memory
	rounds  int
	tls     bool
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
	var o options
	flag.Int64Var(&o.sizeMB, "size", 2000, "size of the database in MB")
	flag.Int64Var(&o.smallMB, "small", 20, "size of the database that must take no less memory, in MB")
	flag.IntVar(&o.rounds, "n", 3, "rounds: each runs every way once, each after a floor of its own")
	flag.BoolVar(&o.tls, "tls", false, "the store speaks https")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "folder for the store and for dump files: on the disk, not in memory")
	flag.StringVar(&o.out, "o", "", "write the report to this file too")
	flag.StringVar(&o.update, "update", "", "replace the generated part of this page, docs/performance.md")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 1 || o.sizeMB < 1 || o.smallMB < 1 {
		return fmt.Errorf("usage: bench [-size MB] [-small MB] [-n ROUNDS] [-tls] [-dir DIR] [-o FILE] [-update PAGE]")
	}
	found, err := measure(ctx, o)
	if err != nil {
		return err
	}
	report := found.markdown()
	fmt.Print(report)
	return keep(report, o)
}

func keep(report string, o options) error {
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(report), 0o644); err != nil {
			return err
		}
	}
	if o.update != "" {
		return page.Update(o.update, "make bench", report)
	}
	return nil
}
