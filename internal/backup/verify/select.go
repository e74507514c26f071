package verify

import (
	"fmt"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Wish is which sets a verification is meant for, and what reading them is to show. Exactly one of
// Unproven, SinceLast and Stalest is given.
type Wish struct {
	Unproven  bool // without evidence of what is to be shown, newest first
	SinceLast bool // finished since the newest verification that showed as much, newest first
	Stalest   int  // so many sets whose newest evidence is the oldest
	Max       int  // at most so many; 0: all

	Sample     bool // read parts only
	Identities bool // encrypted sets can be decrypted here
}

// Selection is what to verify in which order, and what was left out of it although it was meant.
type Selection struct {
	Sets    []*backup.Set
	LeftOut []string // one sentence each
	// Archived are left out by their nature, one sentence each: nothing is wrong with them, and only a person thaws.
	Archived []string
}

// Select chooses among the sets of ONE job. Only good native ones are chosen. A
// set that failed a verification which nothing has answered since is left to a person: a timer
// would read and report the same damage every day.
func Select(sets []backup.Set, w Wish) Selection {
	var s Selection
	var fit []*backup.Set
	for i := range sets {
		set := &sets[i]
		switch failure := set.BadBytes(); {
		case set.Kind != backup.KindNative || !set.Good():
		case set.Archive.Unreadable():
			s.Archived = append(s.Archived, fmt.Sprintf("%s is %s, and cannot be read before it is thawed (pgbtui thaw %s)",
				set.ID, set.Archive.Text(), set.ID))
		case failure != nil:
			s.LeftOut = append(s.LeftOut,
				fmt.Sprintf("%s failed its last verification (%s): name it to read it again", set.ID, failure.Why()))
		case w.Sample && samplable(set, w.Identities) != nil:
			s.LeftOut = append(s.LeftOut, samplable(set, w.Identities).Error())
		default:
			fit = append(fit, set)
		}
	}
	slices.SortStableFunc(fit, func(a, b *backup.Set) int { return b.FinishedAt.Compare(a.FinishedAt) })
	s.Sets = w.among(fit)
	if more := len(s.Sets) - w.Max; w.Max > 0 && more > 0 {
		s.LeftOut = append(s.LeftOut, fmt.Sprintf("%d more wait for the next call", more))
		s.Sets = s.Sets[:w.Max]
	}
	return s
}

// among keeps what the wish means, from the newest to the oldest.
func (w Wish) among(fit []*backup.Set) (meant []*backup.Set) {
	if w.Stalest > 0 {
		slices.SortStableFunc(fit, func(a, b *backup.Set) int { return lookedAt(a).Compare(lookedAt(b)) })
		return fit[:min(w.Stalest, len(fit))]
	}
	var since time.Time
	if w.SinceLast {
		since = w.last(fit)
	}
	for _, s := range fit {
		if _, shown := w.shown(s); !shown && s.FinishedAt.After(since) {
			meant = append(meant, s)
		}
	}
	return meant
}

// last is when the newest verification began that showed what this one is to show.
func (w Wish) last(sets []*backup.Set) (at time.Time) {
	for _, s := range sets {
		if began, shown := w.shown(s); shown && began.After(at) {
			at = began
		}
	}
	return at
}

// shown is the newest evidence of a set that shows what is wished for.
func (w Wish) shown(s *backup.Set) (began time.Time, ok bool) {
	for i := range s.Proofs { // newest first
		if p := &s.Proofs[i]; thoroughnessOf(p) >= w.thoroughness(s) {
			return p.StartedAt, true
		}
	}
	return time.Time{}, false
}

// lookedAt is when a set was last read, by whatever evidence; its completion when never.
func lookedAt(s *backup.Set) time.Time {
	at := s.FinishedAt
	for _, p := range s.Proofs {
		if p.OK && p.FinishedAt.After(at) {
			at = p.FinishedAt
		}
	}
	return at
}

// thoroughness orders what reading a set back can show, by how much of it was looked at.
type thoroughness int

const (
	nothing thoroughness = iota
	sampled              // some parts
	hashed               // every stored byte, nothing decrypted
	decoded              // everything decrypted and decoded to the end, or restored
)

func (w Wish) thoroughness(s *backup.Set) thoroughness {
	switch {
	case w.Sample:
		return sampled
	case s.Encrypted() && !w.Identities:
		return hashed
	}
	return decoded
}

func thoroughnessOf(p *backup.Proof) thoroughness {
	switch level := backup.ParseLevel(p.Level); {
	case !p.OK:
		return nothing
	case p.Sample != nil:
		return sampled
	case level >= backup.LevelReadable:
		return decoded
	case level == backup.LevelStored:
		return hashed
	}
	return nothing
}
