package integration

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// pieces are the places in a stored dump that can change places without being damaged themselves: the
// frames of zstd, or the chunks of age, which are 64 KiB and a tag of 16 bytes behind header and nonce.
func (w *world) pieces(t *testing.T, set *backup.Set, body []byte, encrypted bool) (ends []int) {
	t.Helper()
	if !encrypted {
		c, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
		if err != nil {
			t.Fatal(err)
		}
		ends = []int{0}
		for _, size := range c.Frames.Sizes {
			ends = append(ends, ends[len(ends)-1]+int(size))
		}
		return ends
	}
	mac := bytes.Index(body, []byte("\n--- "))
	begin := mac + 1 + bytes.IndexByte(body[mac+1:], '\n') + 1 + 16
	for at := begin; at < len(body); at += 64<<10 + 16 {
		ends = append(ends, at)
	}
	return ends
}

// inStep makes the manifest say of the dump what somebody who can write to the bucket would have it say.
func (w *world) inStep(t *testing.T, set *backup.Set, body []byte) {
	t.Helper()
	w.edit(t, set.Dir+backup.ManifestName, func(m *backup.Manifest) {
		m.Dump.SizeBytes, m.Dump.SHA256 = int64(len(body)), fmt.Sprintf("%x", sha256.Sum256(body))
	})
}

// Each piece is whole, as it was written, and in the wrong place.
func TestPiecesThatAreSwappedOrRepeatedAreFound(t *testing.T) {
	pg, big := bigDatabase(t)
	for _, encrypted := range []bool{false, true} {
		w := newWorldOn(t, pg, big)
		var keys []age.Identity
		if encrypted {
			keys = []age.Identity{w.encrypt(t)}
		}
		set := w.find(t, w.run(t).Manifest.ID)
		key := set.Dir + set.DumpKey()
		body, manifest := w.body(t, key), w.body(t, set.Dir+backup.ManifestName)
		at := w.pieces(t, set, body, encrypted)
		if len(at) < 4 {
			t.Fatalf("%d pieces", len(at))
		}
		one, two := body[at[1]:at[2]], body[at[2]:at[3]]
		for what, middle := range map[string][]byte{"swapped": slices.Concat(two, one), "repeated": slices.Concat(one, one), "left out": two} {
			changed := slices.Concat(body[:at[1]], middle, body[at[3]:])
			w.put(t, key, changed)
			for _, forged := range []bool{false, true} {
				if forged && !encrypted {
					continue // then nothing but a signature says that it is not the writer's
				}
				if forged {
					w.inStep(t, set, changed)
				}
				if _, err := verify.Whole(t.Context(), w.job, w.env, w.find(t, set.ID), keys); fault.CodeOf(err) != fault.Integrity {
					t.Errorf("%s, encrypted %t, manifest in step %t: %v", what, encrypted, forged, err)
				}
			}
			w.put(t, key, body)
			w.put(t, set.Dir+backup.ManifestName, manifest)
		}
		if _, err := verify.Whole(t.Context(), w.job, w.env, w.find(t, set.ID), keys); err != nil {
			t.Errorf("in its own order, encrypted %t: %v", encrypted, err)
		}
	}
}
