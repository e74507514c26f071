package verify

import (
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
)

// proofAt is a successful piece of evidence, so many days old.
func proofAt(days float64, level backup.Level, sample bool) backup.Proof {
	p := backup.Proof{Schema: 1, Kind: "verify", Level: level.String(), OK: true, StartedAt: backuptest.Ago(days).Add(-time.Minute), FinishedAt: backuptest.Ago(days)}
	if sample {
		p.Sample = &backup.Sample{Frames: 1, OfFrames: 20}
	}
	return p
}

func setAt(id string, days float64, proofs ...backup.Proof) backup.Set {
	return backup.Set{ID: id, Kind: backup.KindNative, FinishedAt: backuptest.Ago(days), Manifest: &backup.Manifest{Contents: &backup.Object{}}, Proofs: proofs}
}

func ids(s Selection) (list []string) {
	for _, set := range s.Sets {
		list = append(list, set.ID)
	}
	return list
}

func TestUnprovenAreTheSetsWithoutEvidenceOfWhatIsWishedFor(t *testing.T) {
	failed := proofAt(1, backup.LevelReadable, false)
	failed.OK, failed.Error = false, "a byte"
	encrypted := setAt("encrypted", 6, proofAt(5, backup.LevelStored, false))
	encrypted.Manifest.Encryption.Recipients = []string{"age1"}
	broken := setAt("broken", 1)
	broken.Problem = "the dump is missing"
	sets := []backup.Set{
		setAt("never", 0.2), setAt("readable", 2, proofAt(0.5, backup.LevelReadable, false)), setAt("restored", 3, proofAt(2, backup.LevelRestored, false)),
		setAt("sampled", 4, proofAt(3, backup.LevelStored, true)), setAt("failed", 5, failed), encrypted, broken,
		{ID: "old script", Kind: backup.KindLegacy, FinishedAt: backuptest.Ago(1)},
		{ID: "litter", Kind: backup.KindIncomplete, FinishedAt: backuptest.Ago(1)},
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
	long := proofAt(1, backup.LevelReadable, false)
	long.StartedAt = backuptest.Ago(3)
	sets := []backup.Set{setAt("meanwhile", 2), setAt("verified", 4, long), setAt("before", 5)}
	if got := ids(Select(sets, Wish{SinceLast: true})); !slices.Equal(got, []string{"meanwhile"}) {
		t.Errorf("chosen: %q", got)
	}
}
