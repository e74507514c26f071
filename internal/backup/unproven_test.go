package backup

import (
	"slices"
	"testing"
	"time"
)

// proofAt is a successful piece of evidence, so many days old.
func proofAt(days float64, level Level, sample bool) Proof {
	p := Proof{Schema: 1, Kind: "verify", Level: level.String(), OK: true, StartedAt: ago(days).Add(-time.Minute), FinishedAt: ago(days)}
	if sample {
		p.Sample = &Sample{Frames: 1, OfFrames: 20}
	}
	return p
}

func setAt(id string, days float64, proofs ...Proof) Set {
	return Set{ID: id, Kind: KindNative, FinishedAt: ago(days), Manifest: &Manifest{Contents: &Object{}}, Proofs: proofs}
}

func ids(s Selection) (list []string) {
	for _, set := range s.Sets {
		list = append(list, set.ID)
	}
	return list
}

func TestUnprovenAreTheSetsWithoutEvidenceOfWhatIsWishedFor(t *testing.T) {
	failed := proofAt(1, LevelReadable, false)
	failed.OK, failed.Error = false, "a byte"
	encrypted := setAt("encrypted", 6, proofAt(5, LevelStored, false))
	encrypted.Manifest.Encryption.Recipients = []string{"age1"}
	broken := setAt("broken", 1)
	broken.Problem = "the dump is missing"
	sets := []Set{
		setAt("never", 0.2), setAt("readable", 2, proofAt(0.5, LevelReadable, false)), setAt("restored", 3, proofAt(2, LevelRestored, false)),
		setAt("sampled", 4, proofAt(3, LevelStored, true)), setAt("failed", 5, failed), encrypted, broken,
		{ID: "old script", Kind: KindLegacy, FinishedAt: ago(1)},
		{ID: "litter", Kind: KindIncomplete, FinishedAt: ago(1)},
	}
	slices.Reverse(sets)
	for name, c := range map[string]struct {
		wish    Wish
		want    []string
		leftOut int
	}{
		"whole, with the key":       {Wish{Unproven: true, Identities: true}, []string{"never", "sampled", "encrypted"}, 1},
		"whole, without the key":    {Wish{Unproven: true}, []string{"never", "sampled"}, 1},
		"sampled, with the key":     {Wish{Unproven: true, Sample: true, Identities: true}, []string{"never"}, 1},
		"sampled, without the key":  {Wish{Unproven: true, Sample: true}, []string{"never"}, 2},
		"at most one":               {Wish{Unproven: true, Max: 1}, []string{"never"}, 2},
		"since the newest verified": {Wish{SinceLast: true, Identities: true}, []string{"never"}, 1},
		"the two longest unseen":    {Wish{Stalest: 2, Identities: true}, []string{"encrypted", "sampled"}, 1},
		"more than there are":       {Wish{Stalest: 99, Identities: true}, []string{"encrypted", "sampled", "restored", "readable", "never"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := Select(slices.Clone(sets), c.wish)
			if !slices.Equal(ids(got), c.want) || len(got.LeftOut) != c.leftOut {
				t.Errorf("chosen %q, left out %q; want %q and %d", ids(got), got.LeftOut, c.want, c.leftOut)
			}
		})
	}
}

func TestASetThatFinishedWhileAnotherWasVerifiedIsNotForgotten(t *testing.T) {
	long := proofAt(1, LevelReadable, false)
	long.StartedAt = ago(3)
	sets := []Set{setAt("meanwhile", 2), setAt("verified", 4, long), setAt("before", 5)}
	if got := ids(Select(sets, Wish{SinceLast: true})); !slices.Equal(got, []string{"meanwhile"}) {
		t.Errorf("chosen: %q", got)
	}
}
