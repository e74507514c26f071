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
func Retain(sets []Set, policy Policy, now time.Time) ([]Decision, error) {
	sets = append([]Set(nil), sets...)
	sort.SliceStable(sets, func(i, k int) bool { return sets[i].FinishedAt.After(sets[k].FinishedAt) })
	if len(sets) > 0 && sets[0].FinishedAt.After(now.Add(clockSlack)) {
		return nil, fault.New(fault.Refused, fmt.Sprintf("retention: set %s finished %s in the future: this host's clock or the one that wrote it is wrong",
			sets[0].ID, sets[0].FinishedAt.Sub(now).Round(time.Minute)), "correct the clock; nothing was deleted", nil)
	}
	r := retaining{policy: policy, now: now}
	decisions := make([]Decision, len(sets))
	for i, s := range sets {
		keep, reason := r.keep(&s)
		decisions[i] = Decision{Set: s, Delete: !keep, Reason: reason}
	}
	return decisions, nil
}

// retaining goes through the sets from the newest to the oldest.
type retaining struct {
	policy Policy
	now    time.Time
	good   int  // native good sets so far
	proven bool // a set of level readable or above was seen
}

func (r *retaining) keep(s *Set) (bool, string) {
	if s.Kind == KindLegacy && !r.policy.Legacy {
		return true, "left by the old script: only deleted when asked"
	}
	age := r.now.Sub(s.FinishedAt)
	if !s.Good() {
		return r.keepBroken(s, age)
	}
	r.good++
	level, _ := s.Proven()
	firstProven := level >= LevelReadable && !r.proven
	r.proven = r.proven || firstProven
	switch {
	case r.good == 1:
		return true, "newest good backup"
	case firstProven:
		return true, "newest backup proven " + level.String()
	case r.good <= r.policy.MinKeep:
		return true, fmt.Sprintf("one of the newest %d good backups", r.policy.MinKeep)
	case age < youngest:
		return true, "younger than a day"
	case r.policy.Days <= 0:
		return true, "no retention is configured"
	case age <= time.Duration(r.policy.Days)*24*time.Hour:
		return true, fmt.Sprintf("%d days old, kept for %d", days(age), r.policy.Days)
	}
	return false, fmt.Sprintf("%d days old, kept for %d", days(age), r.policy.Days)
}

// keepBroken: objects that no run committed are litter after a day; a manifest that cannot be
// used is evidence, and may be one that a newer pgbtui wrote: a person decides.
func (r *retaining) keepBroken(s *Set, age time.Duration) (bool, string) {
	switch {
	case s.Kind != KindIncomplete:
		return true, "not usable (" + s.Problem + "): only deleted by hand"
	case age < youngest:
		return true, "unfinished, younger than a day"
	}
	return false, "unfinished: a run that never committed"
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
