package backup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// The laws of retention, on any sets, policy and clock that is not in the past.

var epoch = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func drawSet(t *rapid.T) Set {
	s := Set{
		Database: "d", Kind: rapid.SampledFrom([]Kind{KindNative, KindNative, KindNative, KindLegacy, KindIncomplete}).Draw(t, "kind"),
		FinishedAt: epoch.Add(-time.Duration(rapid.IntRange(0, 100*24).Draw(t, "age in hours")) * time.Hour),
	}
	s.ID = fmt.Sprintf("%s-%06d", s.FinishedAt.Format(idTime), rapid.IntRange(0, 1e6-1).Draw(t, "tail"))
	if s.Kind != KindLegacy {
		s.Instance = "i"
	}
	if s.Kind != KindNative {
		return s
	}
	s.Manifest = &Manifest{ID: s.ID}
	if rapid.IntRange(0, 5).Draw(t, "broken") == 0 {
		s.Problem = "planted"
	}
	for range rapid.IntRange(0, 2).Draw(t, "proofs") {
		s.Proofs = append(s.Proofs, Proof{
			OK: rapid.Bool().Draw(t, "ok"), FinishedAt: s.FinishedAt,
			Level: rapid.SampledFrom([]string{"stored", "readable", "restored"}).Draw(t, "level"),
		})
	}
	return s
}

func drawSets(t *rapid.T) []Set {
	return rapid.SliceOfNDistinct(rapid.Custom(drawSet), 0, 30, func(s Set) string { return string(s.Kind) + s.ID }).Draw(t, "sets")
}

func drawPolicy(t *rapid.T) Policy {
	return Policy{Legacy: rapid.Bool().Draw(t, "legacy"), Retention: config.Retention{
		Days: rapid.SampledFrom([]int{-5, 0, 1, 2, 7, 30, 90, 1 << 40}).Draw(t, "days"), MinKeep: rapid.IntRange(-1, 6).Draw(t, "minimum"),
	}}
}

func retain(t *rapid.T, sets []Set, p Policy, now time.Time) []Decision {
	decisions, err := Retain(sets, p, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(decisions) != len(sets) {
		t.Fatalf("%d decisions about %d sets", len(decisions), len(sets))
	}
	return decisions
}

// deleted is the IDs and folders of what goes.
func deletedOf(decisions []Decision) map[string]bool {
	gone := map[string]bool{}
	for _, d := range decisions {
		if d.Delete {
			gone[string(d.Set.Kind)+d.Set.ID] = true
		}
	}
	return gone
}

func TestRetentionKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		now := epoch.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "hours later")) * time.Hour)
		decisions := retain(t, sets, p, now)
		natives, keptNatives := 0, 0
		newest := map[Level]bool{}
		for _, d := range decisions { // newest first
			s := d.Set
			level, _ := s.Proven()
			if s.Kind == KindNative && usable(&s) {
				natives++
				for l := LevelStored; l <= level; l++ {
					if !newest[l] && d.Delete && l != LevelNone {
						t.Fatalf("the newest %v set is deleted: %s", l, d.Reason)
					}
					newest[l] = true
				}
				if !d.Delete {
					keptNatives++
				}
			}
			switch {
			case d.Reason == "":
				t.Fatal("no reason")
			case !d.Delete:
			case now.Sub(s.FinishedAt) < 24*time.Hour:
				t.Fatal("younger than a day")
			case p.Days <= 0:
				t.Fatal("no retention is configured")
			case s.Kind == KindLegacy && !p.Legacy:
				t.Fatal("a legacy set goes unasked")
			case s.Kind == KindNative && !usable(&s):
				t.Fatal("evidence goes")
			case s.Kind != KindIncomplete && now.Sub(s.FinishedAt) <= time.Duration(min(p.Days, 1e5))*24*time.Hour:
				t.Fatal("it is not old enough")
			}
		}
		if keptNatives < min(natives, p.MinKeep) {
			t.Fatalf("%d of %d good sets are kept, the minimum is %d", keptNatives, natives, p.MinKeep)
		}
	})
}

func TestRetentionNeverDeletesTheNewestOfAllGoodOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		for _, d := range retain(t, sets, p, epoch.Add(5000*time.Hour)) {
			if d.Set.Kind == KindNative && usable(&d.Set) || d.Set.Kind == KindLegacy {
				if d.Delete {
					t.Fatalf("deleted: %+v", d)
				}
				return
			}
		}
	})
}

func TestRetentionOfMoreDaysOrAHigherMinimumDeletesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		p.Days = rapid.IntRange(1, 100).Draw(t, "positive days") // 0 is for ever
		more := p
		more.Days += rapid.IntRange(0, 50).Draw(t, "more days")
		more.MinKeep += rapid.IntRange(0, 5).Draw(t, "higher minimum")
		now := epoch.Add(100 * time.Hour)
		few := deletedOf(retain(t, sets, more, now))
		many := deletedOf(retain(t, sets, p, now))
		for id := range few {
			if !many[id] {
				t.Fatalf("%s goes under %+v but not under %+v", id, more, p)
			}
		}
	})
}

func TestRetentionDependsOnNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		before := slices.Clone(sets)
		first := deletedOf(retain(t, sets, p, epoch))
		if !slices.EqualFunc(before, sets, func(a, b Set) bool { return a.ID == b.ID }) {
			t.Fatal("the caller's slice was reordered")
		}
		shuffled := rapid.Permutation(sets).Draw(t, "shuffled")
		second := deletedOf(retain(t, shuffled, p, epoch))
		if len(first) != len(second) {
			t.Fatalf("%v, in another order %v", first, second)
		}
		for id := range first {
			if !second[id] {
				t.Fatalf("%v, in another order %v", first, second)
			}
		}
	})
}

func TestRetentionAppliedTwiceDeletesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		now := epoch.Add(200 * time.Hour)
		var kept []Set
		for _, d := range retain(t, sets, p, now) {
			if !d.Delete {
				kept = append(kept, d.Set)
			}
		}
		if more := deletedOf(retain(t, kept, p, now)); len(more) != 0 {
			t.Fatalf("a second time deletes %v", more)
		}
	})
}
