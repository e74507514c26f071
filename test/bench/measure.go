package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// findings are everything that one run of the bench found out.
type findings struct {
	machine   machine
	missing   []string // what this machine could not do
	tls       bool
	size, raw int64 // bytes of the large database, and of its uncompressed archive
	smallSize int64
	results   []result // of the ways, in order
	small     []result // of pgbtui's on the small database
	read      []readSet
	console   *consoleFound
	sets      *setsFound
	streams   []streamsFound
}

// result is one way with its pairs.
type result struct {
	name  string
	pairs []pair
}

// pair is a run of a way and the floor right before it.
type pair struct{ floor, run sample }

// measure sets everything up, runs all pairs, and leaves nothing behind.
func measure(ctx context.Context, o options) (found *findings, err error) {
	found = &findings{machine: lookAround(ctx), tls: o.tls}
	if o.measures(partConsole) {
		if found.console, err = measureConsole(ctx, o); err != nil {
			return nil, err
		}
	}
	if o.measures(partSets) {
		if found.sets, found.machine.postgres, err = measureSets(ctx, o); err != nil {
			return nil, err
		}
	}
	if !o.measures(partBackup) && !o.measures(partRestore) && !o.measures(partStreams) {
		return found, nil
	}
	say("building programs, starting server and store")
	r, err := newRig(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	found.machine.postgres = r.version(ctx)
	if o.measures(partStreams) {
		found.streams, err = r.compareStreams(ctx, o)
		return found, err
	}
	if err := found.prepare(ctx, r, o); err != nil {
		return nil, err
	}
	if o.measures(partBackup) {
		err = found.backups(ctx, r, o.rounds)
	}
	if err == nil && o.measures(partRestore) {
		found.read, err = r.readBack(ctx, o)
	}
	return found, err
}

func (f *findings) backups(ctx context.Context, r *rig, rounds int) (err error) {
	var all []way
	all, f.missing = r.ways()
	if f.small, err = r.rounds(ctx, all[:2], smallDatabase, rounds); err != nil {
		return err
	}
	f.results, err = r.rounds(ctx, all, largeDatabase, rounds)
	return err
}

// prepare fills both databases.
func (f *findings) prepare(ctx context.Context, r *rig, o options) (err error) {
	say("filling databases with %d and %d MB", o.smallMB, o.sizeMB)
	if o.smallMB > 0 {
		if err := r.fill(ctx, smallDatabase, o.smallMB); err != nil {
			return err
		}
		if f.smallSize, err = r.sizeBytes(ctx, smallDatabase); err != nil {
			return err
		}
	}
	if err := r.fill(ctx, largeDatabase, o.sizeMB); err != nil {
		return err
	}
	if f.size, err = r.sizeBytes(ctx, largeDatabase); err != nil {
		return err
	}
	f.raw, err = r.rawBytes(ctx, largeDatabase)
	return err
}

// rounds runs every way once per round, each after a floor of its own: whatever else the machine
// does meanwhile, both of a pair have about the same of it.
func (r *rig) rounds(ctx context.Context, ways []way, database string, rounds int) ([]result, error) {
	results := make([]result, len(ways))
	for round := range rounds {
		for i, w := range ways {
			results[i].name = w.name
			var p pair
			var err error
			if p.floor, err = floor().time(ctx, r, database); err != nil {
				return nil, fmt.Errorf("%s: %w", floorName, err)
			}
			if p.run, err = w.time(ctx, r, database); err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			results[i].pairs = append(results[i].pairs, p)
			say("%s, round %d of %d: floor %.1f s, %s %.1f s", database, round+1, rounds, p.floor.wall.Seconds(), w.name, p.run.wall.Seconds())
		}
	}
	return results, nil
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: %s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}
