// Command demo shows pgbtui at work on a real machine that it boots for the purpose (package
// lab): three databases with believable data, a store, the units installed, timers that fire, and
// one database in trouble. With a terminal it then opens the console there as an unprivileged operator;
// leaving the console ends everything. Without one it verifies, restores, compares, and reports.
//
// Rules: a step is one function that does one thing a person would do, through the program's own
// verbs and units. Nothing is left on the machine, however the demo ends.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	d := demo{out: os.Stdout}
	flag.StringVar(&d.programs, "programs", filepath.Dir(self), "folder with pgbtui, s3server and seed")
	megabytes := flag.Int64("size", 200, "size of the database production in MB")
	report := flag.Bool("report", false, "no console: verify, restore, compare, report, as without a terminal")
	flag.Parse()
	d.sizeBytes = *megabytes << 20

	d.terminal = term.IsTerminal(int(os.Stdout.Fd()))

	defer func() {
		if err := d.end(); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
		}
	}()
	if d.terminal && term.IsTerminal(int(os.Stdin.Fd())) && !*report {
		if err := d.play(ctx, d.prepare()); err != nil {
			return err
		}
		return d.console(ctx)
	}
	return d.play(ctx, append(d.prepare(), d.prove()...))
}
