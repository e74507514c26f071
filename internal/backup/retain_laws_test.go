package backup

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The laws of retention, on any sets, policy and clock.

func drawSet(t *rapid.T) Set {
	s := Set{
		Database: "d", Kind: rapid.SampledFrom([]Kind{KindNative, KindNative, KindNative, KindLegacy, KindIncomplete}).Draw(t, "kind"),
		FinishedAt: epoch.Add(-time.Duration(rapid.OneOf(rapid.IntRange(0, 40*24), rapid.IntRange(0, 3*365*24)).Draw(t, "age in hours")) * time.Hour),
	}
	s.ID = fmt.Sprintf("%s-%06d", s.FinishedAt.Format(idTime), rapid.IntRange(0, 1e6-1).Draw(t, "tail"))
	if s.Kind != KindLegacy {
		s.Instance = "i"
	}
	if s.Kind != KindNative {
		return s
	}
	s.Manifest = &Manifest{ID: s.ID}
	switch rapid.IntRange(0, 11).Draw(t, "peculiarity") {
	case 0, 1:
		s.Problem = "planted"
	case 2:
		s.Hold = &Hold{By: "ada", At: s.FinishedAt}
	case 3:
		s.LockedUntil = epoch.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "days of the lock")) * 24 * time.Hour)
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
	sets := rapid.SliceOfNDistinct(rapid.Custom(drawSet), 0, 30, func(s Set) string { return string(s.Kind) + s.ID }).Draw(t, "sets")
	if rapid.Bool().Draw(t, "signing") {
		for i := range sets {
			if s := &sets[i]; s.Kind == KindNative && s.Problem == "" {
				drawSignature(t, s)
			}
		}
	}
	return sets
}

func drawSignature(t *rapid.T, s *Set) {
	switch s.Signature = rapid.SampledFrom([]Signature{SignatureGood, SignatureGood, SignatureMissing, SignatureMissing, SignatureForged}).Draw(t, "signature"); s.Signature {
	case SignatureMissing:
		s.Problem, s.ProblemCode = "nobody signed it", fault.Refused
		s.Manifest.Signer = rapid.SampledFrom([]string{"", "", "", "a key"}).Draw(t, "claimed signer")
		s.signatureAt = rapid.SampledFrom([]string{"", "", "", "litter"}).Draw(t, "in the signature's place")
	case SignatureForged:
		s.Problem, s.ProblemCode = "forged", fault.Integrity
	case SignatureGood:
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
	return epoch.Add(time.Duration(hours) * time.Hour)
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
			case len(p.Rules()) == 0 && s.Kind != KindIncomplete:
				t.Fatal("no retention is configured")
			case s.Kind == KindLegacy && !p.Legacy:
				t.Fatal("a legacy set goes unasked")
			case s.Signature == SignatureMissing && !p.Unsigned:
				t.Fatal("an unsigned set goes unasked")
			case s.Signature == SignatureMissing && !slices.ContainsFunc(sets, func(o Set) bool {
				return o.Signature == SignatureGood && usable(&o) && o.FinishedAt.After(s.FinishedAt)
			}):
				t.Fatal("an unsigned set goes without a newer one that is signed")
			case s.Signature == SignatureMissing && (s.Manifest.Signer != "" || s.signatureAt != ""):
				t.Fatal("a set goes whose signature somebody took away")
			case s.Kind == KindNative && !usable(&s) && s.Signature != SignatureMissing:
				t.Fatal("evidence goes")
			case s.Kind != KindIncomplete && p.Days > 0 && now.Sub(s.FinishedAt) <= time.Duration(min(p.Days, 1e5))*24*time.Hour:
				t.Fatal("it is not old enough")
			}
		}
	})
}

func TestRetentionNeverDeletesTheNewestGoodOrProvenAndKeepsTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		natives, kept := 0, 0
		newest := map[Level]bool{}
		for i, d := range slices.DeleteFunc(retain(t, drawSets(t), p, drawNow(t)), func(d Decision) bool { return d.Set.Kind == KindIncomplete || !usable(&d.Set) }) {
			if i == 0 && d.Delete { // newest first, of any kind
				t.Fatalf("the newest good set is deleted: %+v", d)
			}
			if d.Set.Kind != KindNative {
				continue
			}
			natives++
			level, _ := d.Set.Proven()
			for l := LevelStored; l <= level; l++ {
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
		if p.Days <= 0 && early.Sub(epoch) > youngest && !maps.Equal(few, many) {
			t.Fatalf("%v, ten years later %v", few, many)
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
		if second := deletedOf(retain(t, shuffled, p, epoch)); !maps.Equal(first, second) {
			t.Fatalf("%v, in another order %v", first, second)
		}
	})
}

// Also what makes a deletion that broke off in the middle harmless: the rest of it is decided as before.
func TestRetentionAppliedInPiecesOrTwiceEndsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p, now := drawSets(t), drawPolicy(t), epoch.Add(200*time.Hour)
		all := deletedOf(retain(t, sets, p, now))
		var left []Set
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
