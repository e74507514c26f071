package backup

import (
	"testing"
	"time"
)

// A weekly drill has a week: nobody is to be woken by a machine that was set up yesterday.
func TestADatabaseWithoutProofIsTroubleOnlyOnceItHadTheTimeForOne(t *testing.T) {
	const within = 8 * 24 * time.Hour
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	set := func(days int, sequence int64) Set {
		s := Set{ID: "s", Kind: KindNative, FinishedAt: now.AddDate(0, 0, -days), Manifest: &Manifest{Sequence: sequence}}
		if sequence > 1 {
			s.Manifest.Previous = &Previous{ID: "before"}
		}
		return s
	}
	restored := func(s Set, daysAgo int) Set {
		s.Proofs = []Proof{{Level: LevelRestored.String(), OK: true, FinishedAt: now.AddDate(0, 0, -daysAgo)}}
		return s
	}
	for name, c := range map[string]struct {
		sets    []Set
		trouble bool
	}{
		"set up yesterday":                      {[]Set{set(0, 2), set(1, 1)}, false},
		"set up nine days ago":                  {[]Set{set(0, 10), set(9, 1)}, true},
		"its first set is deleted by retention": {[]Set{set(0, 5), set(1, 4)}, true},
		"sets of a version that did not count":  {[]Set{set(0, 0), set(1, 0)}, true},
		"restored within the objective":         {[]Set{set(0, 20), restored(set(5, 15), 5)}, false},
		"restored once, and never again":        {[]Set{set(0, 30), restored(set(30, 1), 20)}, true},
	} {
		h := Assess(c.sets, Whose{}, Objectives{RPO: 26 * time.Hour, ProofWithin: within, ProofLevel: LevelRestored}, now)
		if got := len(h.Problems) > 0; got != c.trouble {
			t.Errorf("%s: %+v", name, h.Problems)
		}
	}
}
