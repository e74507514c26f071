// Command chaos is the fault laboratory at length: the crash grid, random kills of backups and of restores, databases
// that are written to, races for the lock, a paused holder, flipped bits and cuts, against a real PostgreSQL and the program as built
// from this checkout. It prints a table for docs/reliability.md, and exits with 1 when anything
// was violated. `make chaos` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/chaos"
	"codeberg.org/pgbtui/pgbtui/test/page"
)

type options struct {
	kills, damages, races int
	restores, written     int
	seed                  uint64
	pause                 bool
	update                string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	violations, err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || violations > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context) (violations int, err error) {
	var o options
	flag.IntVar(&o.kills, "n", 200, "random kills")
	flag.Uint64Var(&o.seed, "seed", 0, "of everything that is random; 0 takes another one each time, and prints it")
	flag.IntVar(&o.damages, "flips", 1000, "flipped bits per kind of set, and a quarter as many cuts")
	flag.IntVar(&o.races, "races", 5, "races of 20 runs, on one host and on two")
	flag.IntVar(&o.restores, "restores", 40, "kills of restores in parallel sessions")
	flag.IntVar(&o.written, "written", 20, "databases that are written to while four streams dump them")
	flag.BoolVar(&o.pause, "pause", true, "pause a run beyond its lease: three minutes and a half")
	flag.StringVar(&o.update, "update", "", "replace the generated part of this page, docs/reliability.md")
	flag.Parse()
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000)
	}
	dir, err := os.MkdirTemp("", "pgbtui-chaos")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	lab, err := chaos.Open(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer lab.Close()
	report, err := measure(ctx, lab, o)
	if err != nil {
		return 0, err
	}
	all := report.Violations()
	fmt.Print(report.Markdown())
	for _, v := range all {
		fmt.Printf("- VIOLATED: %s\n", v)
	}
	if o.update != "" && len(all) == 0 {
		err = page.Update(o.update, "make chaos", report.Markdown())
	}
	return len(all), err
}

func measure(ctx context.Context, lab *chaos.Lab, o options) (*chaos.Report, error) {
	began := time.Now()
	report := &chaos.Report{Seed: o.seed, Date: began, Machine: fmt.Sprintf("%d cores, %s", runtime.NumCPU(), lab.Version())}
	fmt.Fprintf(os.Stderr, "chaos: seed %d\n", o.seed)
	for _, part := range parts(lab, o) {
		cells, err := several(ctx, part.name, part.n, part.cell)
		if err != nil {
			return nil, err
		}
		report.Sections = append(report.Sections, chaos.Section{Name: part.name, Cells: cells})
	}
	for _, kind := range chaos.SetKinds() {
		flips, err := lab.Flips(ctx, o.seed, o.damages, kind)
		if err != nil {
			return nil, err
		}
		cuts, err := lab.Cuts(ctx, o.seed, o.damages/4, kind)
		if err != nil {
			return nil, err
		}
		report.Damages = append(report.Damages, chaos.DamageSection{Name: "bit flipped, " + string(kind), Objects: flips},
			chaos.DamageSection{Name: "cut, " + string(kind), Objects: cuts})
		fmt.Fprintf(os.Stderr, "chaos: damage to sets of kind %s done\n", kind)
	}
	report.Took = time.Since(began)
	return report, nil
}

// part is a number of cells of one kind.
type part struct {
	name string
	n    int
	cell func(context.Context, int) (*chaos.Cell, error)
}

func parts(lab *chaos.Lab, o options) []part {
	moments, ways := chaos.Moments(), chaos.Ways()
	all := []part{
		{fmt.Sprintf("crash grid: %d moments, %d ways", len(moments), len(ways)), len(moments) * len(ways), func(ctx context.Context, i int) (*chaos.Cell, error) {
			return lab.Crash(ctx, moments[i/len(ways)], ways[i%len(ways)], i%2 == 1)
		}},
		{"random kills", o.kills, func(ctx context.Context, i int) (*chaos.Cell, error) { return lab.RandomKill(ctx, o.seed, uint64(i)) }},
		{"restores in parallel sessions", o.restores, func(ctx context.Context, i int) (*chaos.Cell, error) {
			return lab.RestoreKill(ctx, o.seed, uint64(i))
		}},
		{"four streams of a database that is written to", o.written, func(ctx context.Context, i int) (*chaos.Cell, error) {
			return lab.Written(ctx, o.seed, uint64(i))
		}},
		{"races on one host", o.races, func(ctx context.Context, _ int) (*chaos.Cell, error) { return lab.Race(ctx, 1) }},
		{"races on two hosts", o.races, func(ctx context.Context, _ int) (*chaos.Cell, error) { return lab.Race(ctx, 2) }},
	}
	if o.pause {
		all = append(all, part{"holder paused beyond its lease", 1, func(ctx context.Context, _ int) (*chaos.Cell, error) { return lab.Pause(ctx) }})
	}
	return all
}

// atOnce: more cells than cores only make each of them slower.
const atOnce = 2

// several runs n cells, and tells of each that violated something as soon as it did.
func several(ctx context.Context, name string, n int, cell func(context.Context, int) (*chaos.Cell, error)) ([]*chaos.Cell, error) {
	cells := make([]*chaos.Cell, n)
	errs := make([]error, n)
	slots := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			cells[i], errs[i] = cell(ctx, i)
			for _, v := range cells[i].Violations {
				fmt.Fprintf(os.Stderr, "chaos: VIOLATED: %s: %s\n", cells[i].Name, v)
			}
			if i%25 == 24 {
				fmt.Fprintf(os.Stderr, "chaos: %s: %d of %d\n", name, i+1, n)
			}
		})
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s, cell %d: %w", name, i, err)
		}
	}
	return cells, ctx.Err()
}
