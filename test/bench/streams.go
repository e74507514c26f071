package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// From which size on a second stream pays: backups of databases of several sizes, in one stream and in two by turns.

// streamSizesMB are the sizes; those above -size are left out.
var streamSizesMB = []int64{25, 100, 250, 500, 1000, 2000}

// streamsFound are the runs of one database.
type streamsFound struct {
	size, raw int64 // bytes
	one, two  []sample
}

func (r *rig) compareStreams(ctx context.Context, o options) (found []streamsFound, err error) {
	for _, sizeMB := range streamSizesMB {
		if sizeMB > o.sizeMB {
			break
		}
		at, err := r.compareStreamsOf(ctx, sizeMB, o.rounds)
		if err != nil {
			return nil, err
		}
		found = append(found, at)
	}
	return found, nil
}

func (r *rig) compareStreamsOf(ctx context.Context, sizeMB int64, rounds int) (found streamsFound, err error) {
	database := fmt.Sprintf("streams_%d", sizeMB)
	say("filling a database with %d MB", sizeMB)
	if err := r.fill(ctx, database, sizeMB); err != nil {
		return found, err
	}
	if found.size, err = r.sizeBytes(ctx, database); err != nil {
		return found, err
	}
	if found.raw, err = r.rawBytes(ctx, database); err != nil {
		return found, err
	}
	for round := range rounds {
		for _, of := range []struct {
			streams int
			to      *[]sample
		}{{streams: 1, to: &found.one}, {streams: 2, to: &found.two}} {
			run, err := way{run: pgbtui(storing{streams: of.streams})}.time(ctx, r, database)
			if err != nil {
				return found, err
			}
			*of.to = append(*of.to, run)
		}
		say("%d MB, round %d of %d: one stream %.2f s, two %.2f s", sizeMB, round+1, rounds,
			found.one[round].wall.Seconds(), found.two[round].wall.Seconds())
	}
	return found, r.sql(ctx, "postgres", "DROP DATABASE "+pgx.Identifier{database}.Sanitize())
}

// streamsMarkdown is "" if streams were not compared.
func (f *findings) streamsMarkdown() string {
	if len(f.streams) == 0 {
		return ""
	}
	var b strings.Builder
	f.machineLine(&b)
	fmt.Fprintf(&b, "%s. Rounds: %d, one stream and two by turns.\n\n", f.machine.postgres, len(f.streams[0].one))
	b.WriteString("| database MB | as an archive MB | one stream, wall s: min, median, max | two streams | two to one, pair by pair: min, median, max " +
		"| own CPU s: one, two | pg_dump's CPU s: one, two |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, at := range f.streams {
		ratios := make([]float64, len(at.one))
		for i := range at.one {
			ratios[i] = at.two[i].wall.Seconds() / at.one[i].wall.Seconds()
		}
		median := func(of []sample, value func(sample) float64) float64 { return summarise(of, value).median }
		dumped := func(s sample) float64 { return s.dump.Seconds() }
		fmt.Fprintf(&b, "| %.0f | %.0f | %s | %s | %s | %.2f, %.2f | %.2f, %.2f |\n", mega(at.size), mega(at.raw),
			summarise(at.one, wallSeconds).format("%.2f"), summarise(at.two, wallSeconds).format("%.2f"),
			spreadOf(ratios, func(v float64) float64 { return v }).format("%.2f"),
			median(at.one, ownSeconds), median(at.two, ownSeconds), median(at.one, dumped), median(at.two, dumped))
	}
	return b.String()
}
