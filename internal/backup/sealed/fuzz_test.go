package sealed

import (
	"bytes"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Stored bytes come from a bucket that others may write to.

func FuzzWhatUnpackTakesIsBoundedAndElseRefused(f *testing.F) {
	id := identity(f)
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		stored, err := Pack(sample(3000), recipients)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stored, recipients != nil)
		f.Add(stored[:len(stored)/2], recipients != nil)
		f.Add(stored, recipients == nil)
	}
	// 128 MiB of zeros in a few bytes: a frame that says how large it is, and one repeated byte.
	f.Add([]byte("\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x08\x03\x00\x00"), false)
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, stored []byte, encrypted bool) {
		raw, err := unpack(stored, encrypted, []age.Identity{id}, limit)
		if err == nil && len(raw) > limit {
			t.Fatalf("%d bytes, more than %d", len(raw), limit)
		}
		if code := fault.CodeOf(err); err != nil && code != fault.Integrity && code != fault.NotPermitted {
			t.Fatalf("code %d: %v", code, err)
		}
	})
}

func FuzzAnIndexThatDoesNotFitItsStreamIsRefused(f *testing.F) {
	s := newShelf(f, FrameBytes+100, nil)
	index := s.Index
	f.Add(index.FrameBytes, index.RawBytes, index.Sizes[0], index.Sizes[1])
	f.Add(int64(0), index.RawBytes, index.Sizes[0], index.Sizes[1])
	f.Add(int64(-1), int64(-1), int64(-1), int64(-1))
	f.Add(index.FrameBytes, index.RawBytes, index.Sizes[1], index.Sizes[0])
	f.Fuzz(func(t *testing.T, frameBytes, rawBytes, first, second int64) {
		s.Index = Index{FrameBytes: frameBytes, RawBytes: rawBytes, Sizes: []int64{first, second}, Digests: index.Digests}
		got, _, err := s.read([]Span{{0, 100}})
		if err == nil && !bytes.Equal(got, s.raw[:100]) {
			t.Fatal("other bytes than were written")
		}
		if err != nil && fault.CodeOf(err) != fault.Integrity {
			t.Fatalf("code %d: %v", fault.CodeOf(err), err)
		}
	})
}
