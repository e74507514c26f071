package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonPrune struct {
	Schema    int            `json:"schema"`
	DryRun    bool           `json:"dryRun"`
	Decisions []jsonDecision `json:"decisions"`
	Leftovers []jsonLeftover `json:"leftovers"`
	Removes   int            `json:"removes"` // what --confirm wants
	Doubts    []string       `json:"doubts"`
	Hidden    *jsonHidden    `json:"hidden"` // null: could not be counted
	Notes     []string       `json:"notes,omitempty"`
	Error     *jsonFault     `json:"error,omitempty"` // what could not be deleted
}

type jsonHidden struct {
	Versions int   `json:"versions"`
	Bytes    int64 `json:"bytes"`
	Markers  int   `json:"markers"`
}

type jsonDecision struct {
	ID      string `json:"id"`
	Delete  bool   `json:"delete"`
	Deleted bool   `json:"deleted"`
	Reason  string `json:"reason"`
}

type jsonLeftover struct {
	Kind         string    `json:"kind"`
	Run          string    `json:"run"`
	Key          string    `json:"key"`
	LastAt       time.Time `json:"lastAt"`
	StoredBytes  *int64    `json:"storedBytes"`
	StorageClass string    `json:"storageClass,omitempty"`
	MonthlyUSD   *float64  `json:"monthlyUsd"`
	Remove       bool      `json:"remove"`
	Removed      bool      `json:"removed"`
	Reason       string    `json:"reason"`
}

// pruned is a plan and what became of it.
type pruned struct {
	plan   *retention.Pruning
	dryRun bool
	wide   bool // every column whole, also on a narrow terminal
	now    time.Time
	place  price.Place // what costs are known of
	gone   retention.Pruned
	failed error

	hidden    backup.Hidden // what the job's folder holds and does not show
	uncounted error         // why that is not known
}

func (d *pruned) deleted(s *backup.Set) bool {
	return slices.ContainsFunc(d.gone.Sets, func(g retention.Decision) bool { return g.Set.Dir == s.Dir })
}

func (d *pruned) removed(l *retention.Leftover) bool {
	return slices.ContainsFunc(d.gone.Leftovers, func(g retention.Leftover) bool { return g.Same(l) })
}

// printPrunedJSON is one document also when something could not be deleted.
func printPrunedJSON(to *streams, done pruned) error {
	if err := to.printJSON(prunedJSON(done)); err != nil || done.failed == nil {
		return err
	}
	explain(to.err, done.failed)
	return exitWith(fault.CodeOf(done.failed))
}

func prunedJSON(done pruned) jsonPrune {
	out := jsonPrune{
		Schema: jsonSchema, DryRun: done.dryRun, Decisions: []jsonDecision{}, Leftovers: []jsonLeftover{},
		Removes: done.plan.Removes(), Doubts: append([]string{}, done.plan.Doubts...), Notes: done.plan.Notes,
	}
	for _, d := range done.plan.Decisions {
		out.Decisions = append(out.Decisions, jsonDecision{
			ID: d.Set.ID, Delete: d.Delete, Deleted: done.deleted(&d.Set), Reason: d.Reason,
		})
	}
	for _, l := range done.plan.Leftovers {
		out.Leftovers = append(out.Leftovers, done.leftoverJSON(&l))
	}
	if h := done.hidden; done.uncounted == nil {
		out.Hidden = &jsonHidden{Versions: h.Versions, Bytes: h.Bytes, Markers: h.Markers}
	}
	if done.failed != nil {
		told := asFault(done.failed)
		out.Error = &told
	}
	return out
}

func (d *pruned) leftoverJSON(l *retention.Leftover) jsonLeftover {
	out := jsonLeftover{
		Kind: string(l.Kind), Run: l.Run, Key: l.Key, LastAt: l.Last.UTC(), StorageClass: l.Class,
		Remove: l.Remove, Removed: d.removed(l), Reason: l.Reason,
	}
	if l.Bytes >= 0 {
		out.StoredBytes = &l.Bytes
	}
	if usd, known := l.MonthlyUSD(d.place); known {
		out.MonthlyUSD = &usd
	}
	return out
}

// printPruned tells of the sets, of what runs left, and of what keeps the plan from being carried out.
func printPruned(to *streams, done pruned) error {
	sets := table{folds: true}
	for _, d := range done.plan.Decisions {
		sets.rows = append(sets.rows, []string{done.word(d.Delete, done.deleted(&d.Set)), d.Set.ID, printable.Text(d.Reason)})
	}
	if err := sets.write(to.text(), to.columns(done.wide)); err != nil {
		return err
	}
	if err := printLeftovers(to, done); err != nil {
		return err
	}
	printHidden(to, done)
	for _, note := range done.plan.Notes {
		to.sayf("note: %s\n", printable.Text(note))
	}
	if !done.dryRun || len(done.plan.Doubts) == 0 {
		return nil
	}
	doubts := printable.Text(strings.Join(done.plan.Doubts, "; "))
	to.sayf("doubtful: %s\nonly --confirm %d carries this out\n", doubts, done.plan.Removes())
	return nil
}

func printLeftovers(to *streams, done pruned) error {
	if len(done.plan.Leftovers) == 0 {
		return nil
	}
	to.sayf("\nleft by runs that never committed:\n")
	all := table{
		folds: true,
		rows:  [][]string{{"", "RUN", "KIND", "AGE", "STORED", "COST", "WHY"}},
		spare: []string{"COST", "KIND", "STORED", "AGE"},
	}
	priced := false
	for _, l := range done.plan.Leftovers {
		bytes, cost := "?", "?"
		if l.Bytes >= 0 {
			bytes = readable.Size(l.Bytes)
		}
		if usd, known := l.MonthlyUSD(done.place); known {
			cost, priced = fmt.Sprintf("$%.2f a month", usd), true
		}
		all.rows = append(all.rows, []string{
			done.word(l.Remove, done.removed(&l)), l.Run, string(l.Kind),
			readable.Age(done.now.Sub(l.Last)) + " old", bytes, cost, printable.Text(l.Reason),
		})
	}
	if err := all.write(to.text(), to.columns(done.wide)); err != nil {
		return err
	}
	if priced {
		to.sayf("costs are an estimate by %s\n", printable.Text(done.place.Table().AsOf))
	}
	return nil
}

// word is what happens, or happened, to a set or a leftover.
func (d *pruned) word(goes, gone bool) string {
	switch {
	case gone:
		return "deleted"
	case goes && d.dryRun:
		return "would delete"
	case goes:
		return "NOT deleted"
	}
	return "keep"
}

// printHidden tells what a bucket with versions still holds. Without the right to look it is left open:
// most buckets have no versions.
func printHidden(to *streams, done pruned) {
	if h := done.hidden; done.uncounted == nil && h != (backup.Hidden{}) {
		to.sayf("hidden below this job's folder: %d old versions, %s, and %d delete markers; "+
			"a lifecycle rule for noncurrent versions removes them\n", h.Versions, readable.Size(h.Bytes), h.Markers)
	}
}
