package backup

import (
	"fmt"
)

// PassedOver is a set that is newer than the latest good one, and why it is not that.
type PassedOver struct {
	Set *Set
	Why string
}

// String is one sentence for a person.
func (p PassedOver) String() string { return fmt.Sprintf("%s was passed over: %s", p.Set.ID, p.Why) }

// NewestGood is what `latest` means: the newest set of a job that can be restored as far as anybody knows. It is
// committed, whole, and nothing says that its bytes are bad. One that does not restore as a whole is not passed
// over: it has the newest rows, and an older one most likely has the same trouble; a whole restore of it is refused
// with the ways on. sets are those of one job, newest first; see Whose.Of. What an unfinished run left and objects
// of the old script are no candidates, and not told of.
func NewestGood(sets []Set) (newest *Set, passed []PassedOver) {
	yields := yieldsToWhole(sets, Wanted{})
	for i := range sets {
		s := &sets[i]
		if s.Kind != KindNative {
			continue
		}
		why := s.Flaw()
		if why == "" && yields(s) {
			why = "it is partial (" + s.Partial().String() + "), and another job has whole ones"
		}
		if why == "" {
			return s, passed
		}
		passed = append(passed, PassedOver{s, why})
	}
	return nil, passed
}

// Flaw is why a committed set is not one to restore, as far as anybody knows, or "".
func (s *Set) Flaw() string {
	switch failure := s.BadBytes(); {
	case !s.Good():
		return s.Problem
	case failure != nil:
		return failure.FailureText()
	}
	return ""
}
