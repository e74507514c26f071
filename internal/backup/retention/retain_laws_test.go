package retention

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The laws of retention, on any sets, policy and clock.

func drawSet(t *rapid.T) backup.Set {
	s := backup.Set{
		Database: "d", Kind: rapid.SampledFrom([]backup.Kind{backup.KindNative, backup.KindNative, backup.KindNative, backup.KindLegacy, backup.KindIncomplete}).Draw(t, "kind"),
		FinishedAt: backuptest.Epoch.Add(-time.Duration(rapid.OneOf(rapid.IntRange(0, 40*24), rapid.IntRange(0, 3*365*24)).Draw(t, "age in hours")) * time.Hour),
	}
	s.ID = fmt.Sprintf("%s-%06d", s.FinishedAt.Format(backup.IDTime), rapid.IntRange(0, 1e6-1).Draw(t, "tail"))
	if s.Kind != backup.KindLegacy {
		s.Instance = "i"
	}
	if s.Kind != backup.KindNative {
		return s
	}
	s.Manifest = &backup.Manifest{ID: s.ID}
	switch rapid.IntRange(0, 11).Draw(t, "peculiarity") {
	case 0, 1:
		s.Problem = "planted"
	case 2:
		s.Hold = &backup.Hold{By: "ada", At: s.FinishedAt}
	case 3:
		s.LockedUntil = backuptest.Epoch.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "days of the lock")) * 24 * time.Hour)
	}
	for range rapid.IntRange(0, 2).Draw(t, "proofs") {
		s.Proofs = append(s.Proofs, backup.Proof{
			OK: rapid.Bool().Draw(t, "ok"), FinishedAt: s.FinishedAt,
			Level: rapid.SampledFrom([]string{"stored", "readable", "restored"}).Draw(t, "level"),
		})
	}
	return s
}

func drawSets(t *rapid.T) []backup.Set {
	sets := rapid.SliceOfNDistinct(rapid.Custom(drawSet), 0, 30, func(s backup.Set) string { return string(s.Kind) + s.ID }).Draw(t, "sets")
	if rapid.Bool().Draw(t, "signing") {
		for i := range sets {
			if s := &sets[i]; s.Kind == backup.KindNative && s.Problem == "" {
				drawSignature(t, s)
			}
		}
	}
	return sets
}

func drawSignature(t *rapid.T, s *backup.Set) {
	switch s.Signature = rapid.SampledFrom([]backup.Signature{backup.SignatureGood, backup.SignatureGood, backup.SignatureMissing, backup.SignatureMissing, backup.SignatureForged}).Draw(t, "signature"); s.Signature {
	case backup.SignatureMissing:
		s.Problem, s.ProblemCode = "nobody signed it", fault.Refused
		s.Manifest.Signer = rapid.SampledFrom([]string{"", "", "", "a key"}).Draw(t, "claimed signer")
		s.SignatureAt = rapid.SampledFrom([]string{"", "", "", "litter"}).Draw(t, "in the signature's place")
	case backup.SignatureForged:
		s.Problem, s.ProblemCode = "forged", fault.Integrity
	case backup.SignatureGood:
	}
}

func drawPolicy(t *rapid.T) Policy {
	n := func(what string, values ...int) int { return rapid.SampledFrom(values).Draw(t, what) }
	return Policy{Reach: Reach{rapid.Bool().Draw(t, "legacy"), rapid.Bool().Draw(t, "unsigned")}, Keep: config.Keep{
		Last: n("last", 0, 0, 1, 3, 10), Days: n("days", -5, 0, 0, 1, 7, 30, 1<<40), Daily: n("daily", 0, 0, 2, 7),
		Weekly: n("weekly", 0, 0, 1, 4), Monthly: n("monthly", 0, 0, 1, 12), Yearly: n("yearly", 0, 0, 1, 3),
		MinGood: rapid.IntRange(-1, 6).Draw(t, "minimum"),
	}}
}

// drawNow is a clock that may be right, or wrong by years.
func drawNow(t *rapid.T) time.Time {
	hours := rapid.OneOf(rapid.IntRange(0, 4000), rapid.IntRange(-10*365*24, 10*365*24)).Draw(t, "hours later")
	return backuptest.Epoch.Add(time.Duration(hours) * time.Hour)
}

func retain(t *rapid.T, sets []backup.Set, p Policy, now time.Time) []Decision {
	decisions, err := Decide(sets, p, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(decisions) != len(sets) {
		t.Fatalf("%d decisions about %d sets", len(decisions), len(sets))
	}
	return decisions
}

// deletedOf is the kinds and IDs of what goes.
func deletedOf(decisions []Decision) map[string]bool {
	gone := map[string]bool{}
	for _, d := range decisions {
		if d.Delete {
			gone[string(d.Set.Kind)+d.Set.ID] = true
		}
	}
	return gone
}

func mustBeWithin(t *rapid.T, few, many map[string]bool, what string) {
	for id := range few {
		if !many[id] {
			t.Fatalf("%s: %s goes", what, id)
		}
	}
}

func TestRetentionNeverDeletesWhatIsProtected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p, now := drawSets(t), drawPolicy(t), drawNow(t)
		for _, d := range retain(t, sets, p, now) {
			s := d.Set
			switch {
			case d.Reason == "":
				t.Fatal("no reason")
			case !d.Delete:
			case s.Hold != nil:
				t.Fatal("a held set goes")
			case s.LockedUntil.After(now):
				t.Fatal("a locked set goes")
			case now.Sub(s.FinishedAt) < 24*time.Hour:
				t.Fatal("younger than a day")
			case len(p.Rules()) == 0 && s.Kind != backup.KindIncomplete:
				t.Fatal("no retention is configured")
			case s.Kind == backup.KindLegacy && !p.Legacy:
				t.Fatal("a legacy set goes unasked")
			case s.Signature == backup.SignatureMissing && !p.Unsigned:
				t.Fatal("an unsigned set goes unasked")
			case s.Signature == backup.SignatureMissing && !slices.ContainsFunc(sets, func(o backup.Set) bool {
				return o.Signature == backup.SignatureGood && usable(&o) && o.FinishedAt.After(s.FinishedAt)
			}):
				t.Fatal("an unsigned set goes without a newer one that is signed")
			case s.Signature == backup.SignatureMissing && (s.Manifest.Signer != "" || s.SignatureAt != ""):
				t.Fatal("a set goes whose signature somebody took away")
			case s.Kind == backup.KindNative && !usable(&s) && s.Signature != backup.SignatureMissing:
				t.Fatal("evidence goes")
			case s.Kind != backup.KindIncomplete && p.Days > 0 && now.Sub(s.FinishedAt) <= time.Duration(min(p.Days, 1e5))*24*time.Hour:
				t.Fatal("it is not old enough")
			}
		}
	})
}

func TestRetentionNeverDeletesTheNewestGoodOrProvenAndKeepsTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		natives, kept := 0, 0
		newest := map[backup.Level]bool{}
		for i, d := range slices.DeleteFunc(retain(t, drawSets(t), p, drawNow(t)), func(d Decision) bool { return d.Set.Kind == backup.KindIncomplete || !usable(&d.Set) }) {
			if i == 0 && d.Delete { // newest first, of any kind
				t.Fatalf("the newest good set is deleted: %+v", d)
			}
			if d.Set.Kind != backup.KindNative {
				continue
			}
			natives++
			level, _ := d.Set.Proven()
			for l := backup.LevelStored; l <= level; l++ {
				if !newest[l] && d.Delete {
					t.Fatalf("the newest %v set is deleted: %s", l, d.Reason)
				}
				newest[l] = true
			}
			if !d.Delete {
				kept++
			}
		}
		if kept < min(natives, p.MinGood) {
			t.Fatalf("%d of %d good sets are kept, the minimum is %d", kept, natives, p.MinGood)
		}
	})
}

// Monotone: a rule that is added or widened lets go of no more. (The first rule of all does: without
// one nothing is deleted.)
func TestRetentionByWiderRulesDeletesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p, now := drawSets(t), drawPolicy(t), drawNow(t)
		if len(p.Rules()) == 0 {
			p.Last = 1
		}
		wider := p
		for _, n := range []*int{&wider.Last, &wider.Days, &wider.Daily, &wider.Weekly, &wider.Monthly, &wider.Yearly, &wider.MinGood} {
			*n += rapid.SampledFrom([]int{0, 0, 1, 10}).Draw(t, "wider by")
		}
		mustBeWithin(t, deletedOf(retain(t, sets, wider, now)), deletedOf(retain(t, sets, p, now)), fmt.Sprintf("by %v but not by %v", wider.Keep, p.Keep))
	})
}

// Stable under clock jumps: an earlier clock lets go of no more than a later one; and without a rule
// of days, a clock that is wrong by years changes nothing about sets older than a day.
func TestRetentionByAnEarlierClockDeletesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		for i := range sets {
			sets[i].LockedUntil = time.Time{}
		}
		early, late := drawNow(t), drawNow(t)
		if late.Before(early) {
			early, late = late, early
		}
		few, many := deletedOf(retain(t, sets, p, early)), deletedOf(retain(t, sets, p, late))
		mustBeWithin(t, few, many, "by the earlier clock only")
		if p.Days <= 0 && early.Sub(backuptest.Epoch) > backup.Youngest && !maps.Equal(few, many) {
			t.Fatalf("%v, ten years later %v", few, many)
		}
	})
}

func TestRetentionDependsOnNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p := drawSets(t), drawPolicy(t)
		before := slices.Clone(sets)
		first := deletedOf(retain(t, sets, p, backuptest.Epoch))
		if !slices.EqualFunc(before, sets, func(a, b backup.Set) bool { return a.ID == b.ID }) {
			t.Fatal("the caller's slice was reordered")
		}
		shuffled := rapid.Permutation(sets).Draw(t, "shuffled")
		if second := deletedOf(retain(t, shuffled, p, backuptest.Epoch)); !maps.Equal(first, second) {
			t.Fatalf("%v, in another order %v", first, second)
		}
	})
}

// Also what makes a deletion that broke off in the middle harmless: the rest of it is decided as before.
func TestRetentionAppliedInPiecesOrTwiceEndsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p, now := drawSets(t), drawPolicy(t), backuptest.Epoch.Add(200*time.Hour)
		all := deletedOf(retain(t, sets, p, now))
		var left []backup.Set
		done := map[string]bool{}
		for _, d := range retain(t, sets, p, now) {
			if d.Delete && rapid.Bool().Draw(t, "deleted before the crash") {
				done[string(d.Set.Kind)+d.Set.ID] = true
				continue
			}
			left = append(left, d.Set)
		}
		for id := range deletedOf(retain(t, left, p, now)) {
			done[id] = true
		}
		if !maps.Equal(all, done) {
			t.Fatalf("at once %v, in two pieces %v", all, done)
		}
	})
}
