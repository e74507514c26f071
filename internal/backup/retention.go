package backup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Decision is what retention says of one set, and why.
type Decision struct {
	Set    Set
	Delete bool
	Reason string // "newest good backup", "daily 3 of 7, weekly 1 of 4", "31 days old, kept by no rule (days 30)"
}

// youngest is the age below which nothing is ever deleted, whatever the policy says.
const youngest = 24 * time.Hour

// Policy is the configured rules, and whether sets of the old script may go by them too.
type Policy struct {
	config.Keep
	Legacy bool
}

// Retain decides for the sets of ONE instance and database, newest first, from what the sets know
// of themselves: completion times, proofs, holds and locks. It is pure: the timer, `prune --dry-run`
// and the console show the same answer. Nothing is deleted unless every rule lets it go.
//
// Counted as good are native sets without a problem and without a failed verification. Sets of
// the old script never stand in for them: nothing is known about those.
//
// An earlier now never lets go of more, so that of two clocks the earlier one is the safe one.
func Retain(sets []Set, policy Policy, now time.Time) ([]Decision, error) {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, func(a, b Set) int {
		if newer(&a, &b) {
			return -1
		}
		return 1
	})
	if err := checkScope(sets); err != nil {
		return nil, err
	}
	r := retaining{policy: policy, now: now, rules: rulesOf(policy.Keep)}
	decisions := make([]Decision, len(sets))
	for _, kind := range []Kind{KindNative, KindLegacy, KindIncomplete} {
		for i := range sets {
			if sets[i].Kind == kind {
				keep, reason := r.keep(&sets[i], newestUsable(sets) == i)
				decisions[i] = Decision{Set: sets[i], Delete: !keep, Reason: reason}
			}
		}
	}
	return decisions, nil
}

// checkScope guards against a caller that mixes databases: one would count for the other.
func checkScope(sets []Set) error {
	var first *Set
	for i, s := range sets {
		switch {
		case s.Database != sets[0].Database:
			return fault.New(fault.Failed, "retention: sets of several databases", "", nil)
		case s.Kind == KindLegacy:
		case first == nil:
			first = &sets[i]
		case s.Instance != first.Instance:
			return fault.New(fault.Failed, "retention: sets of several instances", "", nil)
		}
	}
	return nil
}

func usable(s *Set) bool { return s.Good() && s.LastFailure() == nil }

// newestUsable is the place of the newest usable set of any kind, or -1.
func newestUsable(sets []Set) int {
	return slices.IndexFunc(sets, func(s Set) bool { return usable(&s) })
}

// retaining goes through the sets of one kind from the newest to the oldest; the native ones
// first, so that what they fill no set of the old script can take from them.
type retaining struct {
	policy Policy
	now    time.Time
	rules  []rule

	rank               int // usable sets so far
	native             bool
	readable, restored bool
}

func (r *retaining) keep(s *Set, newest bool) (bool, string) {
	age := r.now.Sub(s.FinishedAt)
	switch {
	case s.FinishedAt.IsZero():
		return true, "nobody knows its age"
	case s.Kind == KindIncomplete && s.Hold != nil: // somebody removed its manifest, not retention
		return true, s.Hold.String()
	case s.Kind == KindIncomplete && age < youngest:
		return true, "unfinished, younger than a day"
	case s.Kind == KindIncomplete:
		return false, "unfinished: a run that never committed"
	case s.Kind == KindLegacy && !r.policy.Legacy:
		return true, "left by the old script: only deleted when asked"
	case !usable(s):
		return true, evidence(s)
	}
	always, byRule := r.protect(s, newest), r.byRules(s, age)
	switch {
	case always != "":
		return true, always
	case s.Hold != nil:
		return true, s.Hold.String()
	case r.now.Before(s.LockedUntil):
		return true, "locked by the store until " + s.LockedUntil.UTC().Format(time.RFC3339)
	case age < youngest:
		return true, "younger than a day"
	case len(r.rules) == 0:
		return true, "no retention is configured"
	case byRule != "":
		return true, byRule
	}
	return false, fmt.Sprintf("%d days old, kept by no rule (%s)", days(age), r.policy.Keep)
}

// protect is why a usable set stays whatever the rules say, or "".
func (r *retaining) protect(s *Set, newest bool) string {
	r.rank++
	newest = newest || s.Kind == KindNative && !r.native
	r.native = r.native || s.Kind == KindNative
	level, _ := s.Proven()
	newestRestored := level >= LevelRestored && !r.restored
	newestReadable := level >= LevelReadable && !r.readable
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
func (r *retaining) byRules(s *Set, age time.Duration) string {
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
func evidence(s *Set) string {
	if s.Problem != "" {
		return "not usable (" + s.Problem + "): only deleted by hand"
	}
	return "its last verification failed (" + s.LastFailure().Error + "): only deleted by hand"
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
