// Package retention decides which sets of a job may go, by its rules and by what is known of each set, and deletes them
// and what unfinished runs left.
package retention

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Decision is what retention says of one set, and why.
type Decision struct {
	Set    backup.Set
	Delete bool
	Reason string // "newest good backup", "daily 3 of 7, weekly 1 of 4", "31 days old, kept by no rule (days 30)"

	judged bool // it goes by the rules: neither evidence nor left alone
}

// flags are those of `pgbtui prune`.
func (r Reach) flags() (flags string) {
	if r.Legacy {
		flags += " --legacy"
	}
	if r.Unsigned {
		flags += " --unsigned"
	}
	return flags
}

// Policy is the configured rules of one job, and what goes by them.
type Policy struct {
	config.Keep
	Reach
	Whose backup.Whose
}

// Reach is which sets go by the rules only when a person asks.
type Reach struct {
	Legacy   bool // those of the old script
	Unsigned bool // those from before signing
}

// Decide decides for the sets of ONE instance and database, newest first, from what the sets know
// of themselves: job, completion times, proofs, holds and locks. It is pure: the timer, `prune --dry-run`
// and the console show the same answer. Nothing is deleted unless every rule lets it go.
//
// The rules are those of one job. They count, protect and delete its own sets only, as if it were alone:
// so whatever other jobs make or delete, the newest good and the newest proven set of each job stay, and
// with them those of the database.
//
// Counted as good are native sets without a problem and without a failed verification. Sets of
// the old script never stand in for them: nothing is known about those.
//
// An earlier now never lets go of more, so that of two clocks the earlier one is the safe one.
func Decide(sets []backup.Set, policy Policy, now time.Time) ([]Decision, error) {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, func(a, b backup.Set) int {
		if backup.Newer(&a, &b) {
			return -1
		}
		return 1
	})
	if err := checkScope(sets); err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(slices.Clone(sets), func(s backup.Set) bool { return policy.others(&s) != "" })
	r := retaining{policy: policy, now: now, rules: rulesOf(policy.Keep), newestSigned: newestSigned(own)}
	r.failedDrill, _ = backup.FailedDrill(own)
	r.good = countGood(own)
	decisions := make([]Decision, len(sets))
	newest := slices.IndexFunc(sets, func(s backup.Set) bool { return usable(&s) && policy.others(&s) == "" })
	for t := range turns {
		for i := range sets {
			if set, of := r.turn(&sets[i]); of == t {
				decisions[i] = r.decide(&set, newest == i)
				decisions[i].Set = sets[i]
			}
		}
	}
	return decisions, nil
}

// others is why a set is not for this job's rules, or "". What an unfinished run left is any job's to clear
// away, and objects of the old script are when a person asks this one.
func (p Policy) others(s *backup.Set) string {
	switch {
	case s.Kind == backup.KindIncomplete, s.Kind == backup.KindLegacy && p.Legacy, p.Whose.Owns(s):
		return ""
	case s.Kind == backup.KindLegacy:
		return "left by the old script: only deleted when asked"
	case s.Job == "" && s.Manifest == nil:
		return evidence(s)
	case s.Job == "":
		return "names no job, and several back this database up: only deleted by hand"
	case p.Whose.Nobodys(s):
		return fmt.Sprintf("of job %q, which is not configured here: only deleted by a job of that name, or one that "+
			"lists it under formerly",
			s.Job)
	}
	return fmt.Sprintf("of job %q", s.Job)
}

// turn is when a set is judged, and as what: what is trusted fills the rules first, so that neither a
// set that nobody signed nor one of the old script takes anything from it.
func (r *retaining) turn(s *backup.Set) (backup.Set, turn) {
	switch s.Kind {
	case backup.KindIncomplete:
		return *s, lastTurn
	case backup.KindLegacy:
		if r.policy.Legacy && r.beforeSigning(s) {
			return accepted(s), legacyTurn
		}
		return *s, legacyTurn
	case backup.KindNative:
	}
	if r.policy.Unsigned && r.beforeSigning(s) {
		return accepted(s), unsignedTurn
	}
	if s.NotWhole() != nil {
		return *s, notWholeTurn
	}
	return *s, firstTurn
}

type turn int

const (
	firstTurn turn = iota
	unsignedTurn
	legacyTurn
	notWholeTurn
	lastTurn
	turns
)

// checkScope guards against a caller that mixes databases: one would count for the other.
func checkScope(sets []backup.Set) error {
	var first *backup.Set
	for i, s := range sets {
		switch {
		case s.Database != sets[0].Database, s.Schema != sets[0].Schema:
			return fault.New(fault.Failed, "retention: sets of several databases", "", nil)
		case s.Kind == backup.KindLegacy:
		case first == nil:
			first = &sets[i]
		case s.Instance != first.Instance:
			return fault.New(fault.Failed, "retention: sets of several instances", "", nil)
		}
	}
	return nil
}

func usable(s *backup.Set) bool { return s.Good() && s.LastFailure() == nil }

// retaining goes through the sets of each turn from the newest to the oldest.
type retaining struct {
	policy Policy
	now    time.Time
	rules  []rule

	newestSigned time.Time
	failedDrill  *backup.Set // holds the only evidence of a drill that failed and that none has passed since
	good         int         // usable sets of the job

	rank               int // usable sets so far
	native             bool
	readable, restored bool
}

func (r *retaining) decide(s *backup.Set, newest bool) Decision {
	if why := r.apart(s); why != "" {
		return Decision{Reason: why}
	}
	if s.Kind == backup.KindIncomplete {
		return Decision{Delete: true, Reason: unfinished(s)}
	}
	age := r.now.Sub(s.FinishedAt)
	if s.BadBytes() == nil && s.NotWhole() != nil {
		return r.decideNotWhole(s, age)
	}
	if why := r.stays(s, newest, age); why != "" {
		return Decision{Reason: why, judged: true}
	}
	return Decision{
		Delete: true, Reason: fmt.Sprintf("%d days old, kept by no rule (%s)", days(age), r.policy.Keep), judged: true,
	}
}

// unfinished is why what has no manifest goes.
func unfinished(s *backup.Set) string {
	if s.Acknowledged != nil {
		return "lost, " + s.Acknowledged.String()
	}
	return "unfinished: a run that never committed"
}

// apart is why a set is not for the rules to judge, or "".
func (r *retaining) apart(s *backup.Set) string {
	switch others := r.policy.others(s); {
	case others != "":
		return others
	case s.FinishedAt.IsZero():
		return "its age is not known"
	case s.Kind == backup.KindIncomplete && s.Hold != nil: // somebody removed its manifest, not retention
		return s.Hold.String()
	case s.Kind == backup.KindIncomplete && s.Loss() != "": // evidence until somebody has looked
		return "lost (" + s.Problem + "): only deleted once it is acknowledged"
	case s.Kind == backup.KindIncomplete && r.now.Sub(s.FinishedAt) < backup.Youngest:
		return "unfinished, younger than a day"
	case s.Kind == backup.KindIncomplete:
		return ""
	case s.Kind == backup.KindLegacy && !r.policy.Legacy:
		return "left by the old script: only deleted when asked"
	case s.Kind == backup.KindNative && !r.policy.Unsigned && r.beforeSigning(s):
		return "from before signing: only deleted when asked"
	case !s.Good(), s.BadBytes() != nil:
		return evidence(s)
	}
	return ""
}

// decideNotWhole is for a set that does not restore as a whole. It is no good set: it guards nothing and takes no
// place in a rule of another. But it does not stay for ever either, since every set that is drilled may be one.
func (r *retaining) decideNotWhole(s *backup.Set, age time.Duration) Decision {
	var why string
	switch {
	case r.failedDrill != nil && r.failedDrill.Dir == s.Dir:
		why = "its drill failed, and none has passed since"
	case r.good < max(1, r.policy.MinGood):
		why = fmt.Sprintf("does not restore as a whole, but there are only %d good backups", r.good)
	default:
		why = r.willed(s, age)
	}
	if why == "" {
		why = r.byRules(s, age)
	}
	if why != "" {
		return Decision{Reason: why, judged: true}
	}
	return Decision{
		Delete: true, judged: true,
		Reason: fmt.Sprintf("does not restore as a whole, %d days old, kept by no rule (%s)", days(age), r.policy.Keep),
	}
}

func countGood(own []backup.Set) (n int) {
	for i := range own {
		if own[i].Kind == backup.KindNative && usable(&own[i]) {
			n++
		}
	}
	return n
}

// stays is why a set stays that the rules judge, or "".
func (r *retaining) stays(s *backup.Set, newest bool, age time.Duration) string {
	always, byRule := r.protect(s, newest), r.byRules(s, age)
	if always != "" {
		return always
	}
	if why := r.willed(s, age); why != "" {
		return why
	}
	return byRule
}

// willed is why a set stays that no rule need keep, or "".
func (r *retaining) willed(s *backup.Set, age time.Duration) string {
	switch {
	case s.Hold != nil:
		return s.Hold.String()
	case r.now.Before(s.LockedUntil):
		return "locked by the store until " + s.LockedUntil.UTC().Format(time.RFC3339)
	case age < backup.Youngest:
		return "younger than a day"
	case len(r.rules) == 0:
		return "no retention is configured"
	}
	return ""
}

// protect is why a usable set stays whatever the rules say, or "".
func (r *retaining) protect(s *backup.Set, newest bool) string {
	r.rank++
	newest = newest || s.Kind == backup.KindNative && !r.native
	r.native = r.native || s.Kind == backup.KindNative
	level, _ := s.Proven()
	newestRestored := level >= backup.LevelRestored && !r.restored
	newestReadable := level >= backup.LevelReadable && !r.readable
	r.restored = r.restored || newestRestored
	r.readable = r.readable || newestReadable
	switch {
	case newest:
		return "newest good backup"
	case newestRestored, newestReadable:
		return "newest backup proven " + level.String()
	case r.rank <= r.policy.MinGood:
		return fmt.Sprintf("one of the newest %d good backups", r.policy.MinGood)
	}
	return ""
}

// byRules names every rule that keeps a usable set, or "". Each rule counts every usable set,
// also one that stays for another reason.
func (r *retaining) byRules(s *backup.Set, age time.Duration) string {
	var by []string
	for _, rule := range r.rules {
		if reason := rule.keep(s.FinishedAt.UTC(), age); reason != "" {
			by = append(by, reason)
		}
	}
	return strings.Join(by, ", ")
}

// evidence is why a set that cannot be used stays: it tells what went wrong, and may be one that a
// newer pgbtui wrote. A person decides.
func evidence(s *backup.Set) string {
	if s.Problem != "" {
		return "not usable (" + s.Problem + "): only deleted by hand"
	}
	return "its last verification failed (" + s.BadBytes().Why() + "): only deleted by hand"
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
