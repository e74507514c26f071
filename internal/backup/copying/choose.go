package copying

import (
	"fmt"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Choice is which sets a copy lacks.
type Choice struct {
	Sets    []*backup.Set // to be copied, newest first
	LeftOut []LeftOut     // what the copy lacks, and why it goes without
	There   []backup.Set  // the copy's own sets of the database, newest first

	source []backup.Set
}

// LeftOut is a set that is not copied.
type LeftOut struct {
	Set *backup.Set
	Why string
}

// Choose compares the sets of a job with those of its copy, both of one database. A set that the copy's rules would
// delete at once is not copied: else it went back and forth every day. So the rules are asked of what the copy would
// have, and nothing counts for a set that the copy will not have, such as the proofs of its source.
func Choose(source, there []backup.Set, at config.Job, now time.Time) (Choice, error) {
	choice := Choice{There: there}
	whose := backup.WhoseOf(at)
	have := map[string]*backup.Set{}
	for i := range there {
		have[there[i].ID] = &there[i]
	}
	would := slices.DeleteFunc(slices.Clone(there), func(s backup.Set) bool { return s.Kind != backup.KindNative })
	var lacking []*backup.Set
	for i := range source {
		s := &source[i]
		if s.Kind != backup.KindNative || !whose.Owns(s) {
			continue
		}
		if same := have[s.ID]; same != nil && same.Good() && (same.ManifestSum == s.ManifestSum || !s.Good()) {
			continue
		}
		if why := s.Flaw(); why != "" {
			choice.LeftOut = append(choice.LeftOut, LeftOut{s, why})
			continue
		}
		lacking = append(lacking, s)
		would = slices.DeleteFunc(would, func(other backup.Set) bool { return other.ID == s.ID })
		would = append(would, asCopied(s))
	}
	gone, err := goes(would, at, whose, now)
	if err != nil {
		return choice, err
	}
	for _, s := range lacking {
		if reason, goes := gone[s.ID]; goes {
			choice.LeftOut = append(choice.LeftOut, LeftOut{s, reason})
			continue
		}
		choice.Sets = append(choice.Sets, s)
	}
	return choice, nil
}

// asCopied is a set as the copy will know it.
func asCopied(s *backup.Set) backup.Set {
	copied := *s
	copied.Proofs = nil
	copied.LockedUntil = time.Time{}
	return copied
}

// goes are the sets that the copy's rules let go, with the reason of each.
func goes(would []backup.Set, at config.Job, whose backup.Whose, now time.Time) (map[string]string, error) {
	decisions, err := retention.Decide(would, retention.Policy{Keep: at.Keep, Whose: whose}, now)
	if err != nil {
		return nil, fmt.Errorf("copy: ask the rules of copy %q: %w", at.Copy, err)
	}
	gone := map[string]string{}
	for _, d := range decisions {
		if d.Delete {
			gone[d.Set.ID] = "the copy's own rules would not keep it: " + d.Reason
		}
	}
	return gone, nil
}
