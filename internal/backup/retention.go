package backup

import (
	"fmt"
	"sort"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Decision is what retention says of one set, and why.
type Decision struct {
	Set    Set
	Delete bool
	Reason string // "newest good backup", "finished 31 days ago, kept for 30"
}

// Bounds of retention. A set younger than youngest is never deleted, whatever the policy says;
// a newest set further in the future than clockSlack stops the whole decision.
const (
	youngest   = 24 * time.Hour
	clockSlack = time.Hour
)

// Policy is the configured retention, and whether sets of the old script may go by it too.
type Policy struct {
	config.Retention
	Legacy bool
}

// Retain decides for the sets of ONE instance and database, from their completion times. It is
// pure: the timer, `prune --dry-run` and the console show the same answer. Nothing is deleted
// unless every rule lets it go. It fails when the clock cannot be trusted.
//
// Counted as good are native sets without a problem and without a failed verification. Sets of
// the old script never stand in for them: nothing is known about those.
func Retain(sets []Set, policy Policy, now time.Time) ([]Decision, error) {
	sets = append([]Set(nil), sets...)
	sort.Slice(sets, func(i, k int) bool { return newer(&sets[i], &sets[k]) })
	if err := checkClock(sets, now); err != nil {
		return nil, err
	}
	if err := checkScope(sets); err != nil {
		return nil, err
	}
	r := retaining{policy: policy, now: now}
	for i := range sets {
		if sets[i].Kind == KindNative && usable(&sets[i]) {
			r.natives++
		}
	}
	decisions := make([]Decision, len(sets))
	for i, s := range sets {
		keep, reason := r.keep(&s)
		decisions[i] = Decision{Set: s, Delete: !keep, Reason: reason}
	}
	return decisions, nil
}

// checkClock finds a wrong clock in the newest set: it lies in the future, or was finished, by the
// clock of its writer, after the store had already stored it. Under such a clock every other set
// could look old.
func checkClock(sets []Set, now time.Time) error {
	if len(sets) == 0 {
		return nil
	}
	ahead, of := sets[0].FinishedAt.Sub(now), "this host's clock or the one that wrote it"
	if stored := sets[0].StoredAt; !stored.IsZero() && sets[0].FinishedAt.Sub(stored) > ahead {
		ahead, of = sets[0].FinishedAt.Sub(stored), "the clock that wrote it"
	}
	if ahead <= clockSlack {
		return nil
	}
	return fault.New(fault.Refused, fmt.Sprintf("retention: set %s finished %s in the future: %s is wrong",
		sets[0].ID, ahead.Round(time.Minute), of), "correct the clock; a set that keeps a wrong time is deleted by hand; nothing was deleted", nil)
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

// retaining goes through the sets from the newest to the oldest.
type retaining struct {
	policy  Policy
	now     time.Time
	natives int // usable native sets in all

	good, native, legacy int // usable ones so far
	readable, restored   bool
}

func (r *retaining) keep(s *Set) (bool, string) {
	age := r.now.Sub(s.FinishedAt)
	switch {
	case s.FinishedAt.IsZero():
		return true, "nobody knows its age"
	case s.Kind == KindLegacy && !r.policy.Legacy:
		return true, "left by the old script: only deleted when asked"
	case !usable(s):
		return r.keepBroken(s, age)
	}
	if reason := r.protect(s); reason != "" {
		return true, reason
	}
	switch {
	case age < youngest:
		return true, "younger than a day"
	case r.policy.Days <= 0:
		return true, "no retention is configured"
	case age.Hours() <= float64(r.policy.Days)*24: // as a Duration, many days would overflow
		return true, fmt.Sprintf("%d days old, kept for %d", days(age), r.policy.Days)
	}
	return false, fmt.Sprintf("%d days old, kept for %d", days(age), r.policy.Days)
}

// protect is why a usable set stays whatever its age, or "".
func (r *retaining) protect(s *Set) string {
	r.good++
	rank := r.natives + r.legacy + 1
	if s.Kind == KindNative {
		r.native++
		rank = r.native
	} else {
		r.legacy++
	}
	level, _ := s.Proven()
	newestRestored := level >= LevelRestored && !r.restored
	newestReadable := level >= LevelReadable && !r.readable
	r.restored = r.restored || newestRestored
	r.readable = r.readable || newestReadable
	switch {
	case r.good == 1, rank == 1:
		return "newest good backup"
	case newestRestored, newestReadable:
		return "newest backup proven " + level.String()
	case rank <= r.policy.MinKeep:
		return fmt.Sprintf("one of the newest %d good backups", r.policy.MinKeep)
	}
	return ""
}

// keepBroken: objects that no run committed are litter after a day; a manifest that cannot be
// used is evidence, and may be one that a newer pgbtui wrote: a person decides.
func (r *retaining) keepBroken(s *Set, age time.Duration) (bool, string) {
	failure := s.LastFailure()
	switch {
	case s.Kind != KindIncomplete && s.Problem == "" && failure != nil:
		return true, "its last verification failed (" + failure.Error + "): only deleted by hand"
	case s.Kind != KindIncomplete:
		return true, "not usable (" + s.Problem + "): only deleted by hand"
	case age < youngest:
		return true, "unfinished, younger than a day"
	case r.policy.Days <= 0:
		return true, "no retention is configured"
	}
	return false, "unfinished: a run that never committed"
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
