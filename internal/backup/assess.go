// What the sets of one job say about its database: the half of the judgement that needs the bucket
// alone. Package watch adds what the host knows.

package backup

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Objectives are what one job is judged by.
type Objectives struct {
	RPO         time.Duration // the newest good set is at most this old
	ProofWithin time.Duration // the newest proof of ProofLevel is at most this old; 0: not asked for
	ProofLevel  Level
	RTO         time.Duration // a restore of the newest good set takes at most this long; 0: not asked for
	GoneSince   time.Time     // the database was dropped then: no new sets and proofs are expected; zero: it is there
}

// Health is whether one database can be recovered by a job's sets, judged from these alone.
type Health struct {
	Newest   *Set          // newest good native set; nil: none
	Age      time.Duration // of Newest
	Problems []Problem     // what is wrong; empty when fine
}

// ProblemKind tells the sorts of problems apart, so that one that goes on is known again.
type ProblemKind string

// The kinds of problems that sets can show.
const (
	ProblemBackup    ProblemKind = "backup"    // no good set within the objective
	ProblemIntegrity ProblemKind = "integrity" // the stored bytes of the newest good set are bad
	ProblemDrill     ProblemKind = "drill"     // the newest drill of the job failed
	ProblemProof     ProblemKind = "proof"     // no proof within the objective
	ProblemRTO       ProblemKind = "rto"       // a restore takes longer than the objective, or nobody knows how long
	ProblemWarnings  ProblemKind = "warnings"  // the newest good set was made with warnings
	ProblemClock     ProblemKind = "clock"     // something lies in the future
	ProblemTrust     ProblemKind = "trust"     // a set that nobody vouches for
	ProblemRollback  ProblemKind = "rollback"  // an older state of the bucket in place of a newer, or a set that is gone
	ProblemGone      ProblemKind = "gone"      // the database was dropped, its sets stay
	ProblemLoss      ProblemKind = "loss"      // something is gone of a set that was committed, and nobody acknowledged it
)

// Problem is one thing that is wrong. Critical ones are breaches of an objective; the others
// want attention.
type Problem struct {
	Kind     ProblemKind
	Critical bool
	What     string
	Remedy   string // an imperative sentence
}

// Text is the problem with its remedy.
func (p Problem) Text() string {
	if p.Remedy == "" {
		return p.What
	}
	return p.What + ". " + p.Remedy
}

// Assess judges a job by its sets among all of one instance and database, newest first.
func Assess(all []Set, whose Whose, o Objectives, now time.Time) Health {
	h := Health{Problems: []Problem{}}
	sets := whose.Of(all)
	h.addAll(ProblemTrust, distrusted(sets))
	h.addAll(ProblemRollback, BrokenChain(sets, all, now))
	h.addLosses(sets)
	if o.GoneSince.IsZero() {
		h.addFailedDrill(sets, whose.Job)
	}
	for _, left := range LeftOut(sets) {
		h.add(ProblemTrust, false, "", "%s", left)
	}
	for i := range sets {
		if sets[i].Kind == KindNative && sets[i].Good() {
			h.Newest = &sets[i]
			break
		}
	}
	if !o.GoneSince.IsZero() {
		h.addGone(sets, whose, o.GoneSince, now)
		return h
	}
	if h.Newest == nil {
		h.add(ProblemBackup, true, "Start one in the console (b), or with `pgbtui --headless --job "+ShellQuote(whose.Job)+
			"` as the user of the backups.", "there is no good backup of this database")
		return h
	}
	h.Age = now.Sub(h.Newest.FinishedAt)
	if h.Age > o.RPO {
		h.add(ProblemBackup, true, "Check the timer and the last runs.",
			"the newest good backup is older than the objective of %s", o.RPO)
	}
	if h.Age < -ClockSlack {
		h.add(ProblemClock, true, "Correct the clocks of this host and of the one that made it.",
			"the newest backup is in the future")
	}
	if f := h.Newest.BadBytes(); f != nil {
		h.add(ProblemIntegrity, true, "Make a new one, and restore an older one meanwhile.",
			"the newest backup failed its last verification: %s", f.Why())
	}
	h.assessProof(sets, o, now)
	h.assessRestoreTime(all, o, whose.Job)
	if warnings := h.Newest.Manifest.Warnings; len(warnings) > 0 {
		h.add(ProblemWarnings, false, "`pgbtui show "+h.Newest.ID+"` has the details.",
			"the newest backup was made with a warning: %s", warnings[0])
	}
	return h
}

// addGone tells of a dropped database, of which nothing new is expected.
func (h *Health) addGone(sets []Set, whose Whose, since, now time.Time) {
	if h.Newest != nil {
		h.Age = now.Sub(h.Newest.FinishedAt)
	}
	good := 0
	for i := range sets {
		if sets[i].Kind == KindNative && sets[i].Good() {
			good++
		}
	}
	what, key := "database", "exclude"
	if whose.Schema != "" {
		what, key = "schema", "exclude_schemas"
	}
	h.add(ProblemGone, false,
		"Restore it from these, or acknowledge that it was dropped by adding its name to its job's "+key+".",
		"the %s is gone from the server since %s; good backups that stay: %d", what,
		since.UTC().Format("2006-01-02 15:04 UTC"), good)
}

// toldLosses is how many lost sets are named.
const toldLosses = 3

func (h *Health) addLosses(sets []Set) {
	told := losses(sets)
	if len(told) == 0 {
		return
	}
	more := ""
	if n := len(told) - toldLosses; n > 0 {
		more = fmt.Sprintf("; and so are %d more sets", n)
	}
	h.add(ProblemLoss, true,
		"Find out who deletes objects in the bucket, and put back what is gone from its versions or a copy. "+
			"Take what cannot be put back off this list with `sudo pgbtui acknowledge ID --reason ...`.", "%s%s",
		strings.Join(told[:min(toldLosses, len(told))], "; "), more)
}

// addFailedDrill reports a drill that failed until another passes, however many backups succeed meanwhile: what failed
// in a drill fails in the disaster, too.
func (h *Health) addFailedDrill(sets []Set, job string) {
	set, failed := FailedDrill(sets)
	if failed == nil {
		return
	}
	what, then := "does not restore as a whole", "Correct what is named in the source, and back it up. Then drill again"
	if failed.FaultKind() == FaultBytes {
		what, then = "was damaged", "Find out what changed the stored bytes. Then drill a newer set"
	}
	h.add(ProblemDrill, true, then+": `sudo pgbtui drill latest --job "+ShellQuote(job)+"`.",
		"the newest drill failed, and none has passed since: set %s %s: %s", set.ID, what, failed.Why())
}

func (h *Health) assessProof(sets []Set, o Objectives, now time.Time) {
	if o.ProofWithin <= 0 {
		return
	}
	at := LastProof(sets, o.ProofLevel)
	remedy := "Check the runs of its drills or verifications."
	switch {
	case at.IsZero() && youngerThanItsObjective(sets, o, now): // the first drill or verification is still to come
	case at.IsZero():
		h.add(ProblemProof, false, remedy,
			"no backup of this database was ever shown to be %s, and the objective is every %s",
			o.ProofLevel, o.ProofWithin)
	case now.Sub(at) > o.ProofWithin:
		h.add(ProblemProof, false, remedy, "the newest proof that a backup is %s is from %s, and the objective is every %s",
			o.ProofLevel, at.UTC().Format(time.DateTime), o.ProofWithin)
	}
}

// assessRestoreTime holds the measured time of a restore against the objective. What was never measured meets none.
func (h *Health) assessRestoreTime(all []Set, o Objectives, job string) {
	if o.RTO <= 0 {
		return
	}
	e, measured := RestoreTime(all, h.Newest)
	switch {
	case !measured:
		h.add(ProblemRTO, false, "Measure it: `sudo pgbtui drill latest --job "+ShellQuote(job)+"`.",
			"whether a restore takes no longer than the objective of %s is unknown: no drill or restore has succeeded yet",
			o.RTO)
	case e.Duration > o.RTO:
		how := "as measured on"
		if e.Scaled {
			how = "scaled by size from the one measured on"
		}
		h.add(ProblemRTO, true, "Restore with more --jobs or on faster disks and drill there, or set rto to what is needed.",
			"a restore takes %s, %s %s, and the objective is %s", e.Duration.Round(time.Second), how,
			e.From.FinishedAt.UTC().Format(time.DateTime), o.RTO)
	}
}

// youngerThanItsObjective reports whether the first backup ever of the database is there and younger
// than a proof may be. Where retention has already deleted it, the database had its time.
func youngerThanItsObjective(sets []Set, o Objectives, now time.Time) bool {
	return slices.ContainsFunc(sets, func(s Set) bool {
		first := s.Kind == KindNative && s.Good() && s.Manifest.Sequence == 1 && s.Manifest.Previous == nil
		return first && now.Sub(s.FinishedAt) <= o.ProofWithin
	})
}

// addAll adds problems whose text says what to do.
func (h *Health) addAll(kind ProblemKind, told []string) {
	for _, what := range told {
		h.Problems = append(h.Problems, Problem{Kind: kind, Critical: true, What: what})
	}
}

func (h *Health) add(kind ProblemKind, critical bool, remedy, format string, args ...any) {
	h.Problems = append(h.Problems, Problem{
		Kind: kind, Critical: critical, What: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}

// LastProof is when a set was last shown to be of that level or above by evidence that looked at all
// of its bytes; zero: never.
func LastProof(sets []Set, level Level) time.Time {
	var last time.Time
	for i := range sets {
		for _, p := range sets[i].Proofs {
			if p.OK && p.Sample == nil && ParseLevel(p.Level) >= level && p.FinishedAt.After(last) {
				last = p.FinishedAt
			}
		}
	}
	return last
}
