package dump

import (
	"context"
	"fmt"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// A backup succeeds of whatever the database holds, also of one that somebody emptied by half.
// What a set holds is therefore held against the sets before it. This only warns: whether less is
// wrong, a person knows.

// The history is the last good sets, and their median: one odd set among them changes nothing, and
// a drop that was meant stops warning after half as many runs.
const historySets = 7

// Small databases halve by themselves.
const (
	minHistoryBytes = 10 << 20
	minTablesLost   = 5
)

// Drops says in which ways a set holds much less than the good sets of the same job before it: data as
// pg_dump wrote it, which vacuuming does not change, and tables. sets are what the job is judged by, in any
// order; without a history nothing is a drop.
func Drops(of *backup.Manifest, sets []backup.Set, limits config.Warn) (warnings []string) {
	sizes, tables := history(of, sets)
	if usual := median(sizes); usual >= minHistoryBytes && fellBy(of.RawBytes(), usual, limits.SizeDrop) {
		warnings = append(warnings, fmt.Sprintf("the database shrank: %s of data, %s before (median of the last "+
			"%d good sets); warn.size_drop is %d%%",
			readable.Size(of.RawBytes()), readable.Size(usual), len(sizes), limits.SizeDrop))
	}
	if usual := median(tables); of.Summary.Scanned && usual-int64(of.Summary.Tables) >= minTablesLost &&
		fellBy(int64(of.Summary.Tables), usual, limits.TablesDrop) {
		warnings = append(warnings, fmt.Sprintf("tables are gone: there are %d, there were %d before (median of the last "+
			"%d good sets); warn.tables_drop is %d%%",
			of.Summary.Tables, usual, len(tables), limits.TablesDrop))
	}
	return warnings
}

// history is the data and the tables of the newest good sets before one.
func history(of *backup.Manifest, sets []backup.Set) (sizes, tables []int64) {
	var before []*backup.Set
	for i := range sets {
		s := &sets[i]
		if s.Kind == backup.KindNative && s.Good() && s.Instance == string(of.Instance) &&
			s.Database == string(of.Database) && (s.Partial() == nil) == (of.Partial == nil) &&
			s.ID != of.ID && (of.FinishedAt.IsZero() || s.FinishedAt.Before(of.FinishedAt)) {
			before = append(before, s)
		}
	}
	slices.SortFunc(before, func(a, b *backup.Set) int { return b.FinishedAt.Compare(a.FinishedAt) })
	for _, s := range before[:min(historySets, len(before))] {
		sizes = append(sizes, s.Manifest.RawBytes())
		if s.Manifest.Summary.Scanned {
			tables = append(tables, int64(s.Manifest.Summary.Tables))
		}
	}
	return sizes, tables
}

// median is the lower one of an even number: the side that warns less.
func median(values []int64) int64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// fellBy: percent 0 is never.
func fellBy(now, usual int64, percent int) bool {
	return percent > 0 && float64(usual-now)*100 > float64(usual)*float64(percent)
}

// warnOfDrops looks at the sets before. Not being able to costs the look, not the backup.
func (r *run) warnOfDrops(ctx context.Context) {
	if r.job.Warn == (config.Warn{}) {
		return
	}
	sets, err := r.setsBefore(ctx, nil)
	if fault.CodeOf(err) == fault.NotPermitted {
		return // some writers may not read
	}
	if err != nil {
		r.log.WarnContext(ctx, "the set was not compared with earlier ones: "+err.Error(), event.Attr(event.Warning))
		return
	}
	of := r.manifest
	of.Instance, of.Database = printable.Name(r.job.Instance), printable.Name(r.job.Database)
	for _, w := range Drops(&of, backup.WhoseOf(r.job).Of(sets), r.job.Warn) {
		r.warn(ctx, w)
	}
}
