package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// demo is the state that steps hand on to each other.
type demo struct {
	programs  string // folder of the binaries
	sizeBytes int64
	out       io.Writer
	terminal  bool // out is one

	machine *lab.Lab
	set     string // ID of the newest set of production
}

// step is a line of the report. The detail it returns is evidence, not prose.
type step struct {
	name string
	do   func(context.Context) (detail string, err error)
}

// prepare is what both ways share: a machine with backups that its timers and an operator made, one of them refused.
func (d *demo) prepare() []step {
	return []step{
		{"boot a machine", d.boot},
		{"create three databases", d.createDatabases},
		{"start a store", d.startStore},
		{"install pgbtui and its units", d.install},
		{"let the timers catch a missed night up", d.fireTimers},
		{"back all three up again", d.backUpAgain},
		{"verify two, restore the third for a test", d.proveSets},
		{"lose the tables of crm", d.loseTables},
		{"see its backup refuse that", d.failToBackUp},
		{"find the sets in the bucket", d.findSets},
		{"find the run in the journal", d.readJournal},
	}
}

// prove is the rest of the report.
func (d *demo) prove() []step {
	return []step{
		{"verify a set, as an operator", d.verify},
		{"restore it into production_copy, as an operator", d.restore},
		{"restore pg_dump's own copy for comparison", d.restoreReference},
		{"compare the two, dump against dump", d.compare},
		{"power the machine off", d.powerOff},
	}
}

// play runs the steps in order and stops at the first that fails; those after it are named.
func (d *demo) play(ctx context.Context, steps []step) error {
	for i, s := range steps {
		d.announce(s.name)
		began := time.Now()
		detail, err := s.do(ctx)
		took := time.Since(began).Seconds()
		if err != nil {
			d.printf("✗ %-50s%5.1f s\n", s.name, took)
			for _, left := range steps[i+1:] {
				d.printf("– %-50s not run\n", left.name)
			}
			d.showJournal(ctx)
			return fmt.Errorf("%s: %w", s.name, err)
		}
		d.printf("✓ %-50s%5.1f s  %s\n", s.name, took, printable.Text(detail))
	}
	return nil
}

// announce shows on a terminal what is going on; the step's result overwrites it.
func (d *demo) announce(name string) {
	if d.terminal {
		d.printf("  %s …\r", name)
	}
}

func (d *demo) printf(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

// showJournal prints the last entries of our units, which say more than an exit status.
func (d *demo) showJournal(ctx context.Context) {
	if d.machine == nil || ctx.Err() != nil {
		return
	}
	out, _ := d.machine.Output(ctx, "root", "journalctl", "--no-pager", "-n", "30", "-o", "short-iso",
		"-u", "postgres-*", "-u", storeUnit)
	for line := range strings.Lines(out) {
		d.printf("  | %s\n", printable.Text(strings.TrimSuffix(line, "\n")))
	}
}

// end shuts down whatever runs. The last step may have done so already.
func (d *demo) end() error {
	if d.machine == nil {
		return nil
	}
	return d.machine.Shutdown()
}

func (d *demo) powerOff(context.Context) (string, error) {
	if err := d.end(); err != nil {
		return "", err
	}
	if _, err := os.Stat(d.machine.Root()); !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s is still there (%w)", d.machine.Root(), err)
	}
	return "nothing is left", nil
}
