// Package doctor looks at everything that backups and restores of a job stand on, before a night needs it: the server,
// the store, the bucket, and this host's units.
//
// Rules: a check says what was tried and what was seen, and never that something is right which it could not look at;
// nothing is changed, but for the objects of a trial, which are removed where the key may; the remedy is what to do,
// and what a store refuses comes with the statement that allows it. Nothing here prints.
package doctor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
)

// Result is what came of a check.
type Result string

// The results. Unknown is that nobody could look, which is no OK.
const (
	OK      Result = "OK"
	Warn    Result = "WARN"
	Fail    Result = "FAIL"
	Unknown Result = "?"
)

// weight orders results, the worst highest.
func (r Result) weight() int {
	switch r {
	case OK:
		return 0
	case Warn:
		return 2
	case Fail:
		return 3
	case Unknown:
	}
	return 1
}

// Area is what a check is about.
type Area string

// The areas, in the order in which they are shown.
const (
	PostgreSQL Area = "postgresql"
	Store      Area = "s3"
	Bucket     Area = "bucket"
	Units      Area = "units"
)

// Areas are all of them.
func Areas() []Area { return []Area{PostgreSQL, Store, Bucket, Units} }

// Where a check looked from.
const (
	FromShell = "shell"
	FromUnit  = "unit"
)

// Finding is one check's result.
type Finding struct {
	ID        string         `json:"id"` // area.name, such as "s3.writer.put"
	Area      Area           `json:"area"`
	Result    Result         `json:"result"`
	Tried     string         `json:"tried"`
	Seen      string         `json:"seen"`
	Why       string         `json:"why"`
	Remedy    string         `json:"remedy,omitempty"`
	Statement *iam.Statement `json:"statement,omitempty"` // to add to the key's policy
	Docs      string         `json:"docs"`                // a page, and a heading of it
	From      string         `json:"from"`                // "shell" or "unit"
	Other     *Look          `json:"other,omitempty"`     // what the other place saw, where that differs
}

// Look is a check's result as the other place had it.
type Look struct {
	From   string `json:"from"`
	Result Result `json:"result"`
	Seen   string `json:"seen"`
}

// Report is all that was looked at for one job. The units are the host's, and the same for every job.
type Report struct {
	Job        string    `json:"job"`
	Database   string    `json:"database"`
	At         time.Time `json:"at"`
	Invocation string    `json:"invocation,omitempty"` // of the unit that looked
	UnitError  string    `json:"unitError,omitempty"`  // why nothing was looked at from the unit
	Findings   []Finding `json:"findings"`
}

// Sort puts the worst findings first, whatever they are about; among equals by area, in the order of the catalogue.
func (r *Report) Sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Result.weight(), a.Result.weight()),
			cmp.Compare(slices.Index(Areas(), a.Area), slices.Index(Areas(), b.Area)),
			cmp.Compare(place(a.ID), place(b.ID)),
		)
	})
}

// Worst is the worst result; OK where there is none.
func (r *Report) Worst() Result {
	worst := OK
	for _, f := range r.Findings {
		if f.Result.weight() > worst.weight() {
			worst = f.Result
		}
	}
	return worst
}

// Code is the exit code of a report: 1 when a check failed, 3 when something is to be seen to or could not be
// looked at.
func (r *Report) Code() fault.Code {
	switch r.Worst() {
	case OK:
		return fault.OK
	case Fail:
		return fault.Failed
	case Warn, Unknown:
	}
	return fault.Warnings
}

// Only keeps the findings that id names: one check, or all whose ID begins with id and a dot.
func (r *Report) Only(id string) {
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return !Named(f.ID, id) })
}

// Named reports whether a check is one that id names.
func Named(check, id string) bool {
	return id == "" || check == id || strings.HasPrefix(check, strings.TrimSuffix(id, ".")+".")
}

// SeenFromUnit reports whether the unit can look at a check that only names: it has no part in the units themselves.
func SeenFromUnit(only string) bool {
	return only != string(Units) && !strings.HasPrefix(only, string(Units)+".")
}

// Merge takes in what the unit saw. Backups run there, so that its word counts where it could look; where the two
// differ, both are kept.
func (r *Report) Merge(unit Report) {
	r.Invocation = unit.Invocation
	for _, theirs := range unit.Findings {
		theirs.From = FromUnit
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == theirs.ID })
		if i < 0 {
			r.Findings = append(r.Findings, theirs)
			continue
		}
		ours := r.Findings[i]
		counts, other := theirs, ours
		if theirs.Result == Unknown {
			counts, other = ours, theirs
		}
		if counts.Result != other.Result {
			counts.Other = &Look{From: other.From, Result: other.Result, Seen: other.Seen}
		}
		r.Findings[i] = counts
	}
	r.Sort()
}
