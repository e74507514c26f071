package sealed

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// shelf is a stored object that remembers what was asked of it.
type shelf struct {
	Source
	raw, stored []byte
	asked       []Span
	fail        error // of the store, for all that lies behind failAt
	failAt      int64
}

func newShelf(t testing.TB, size int, id *age.X25519Identity) *shelf {
	t.Helper()
	var recipients []age.Recipient
	s := &shelf{raw: sample(size)}
	if id != nil {
		recipients, s.Encrypted, s.Identities = []age.Recipient{id.Recipient()}, true, []age.Identity{id}
	}
	s.stored, s.Index = written(t, s.raw, recipients...)
	s.StoredBytes = int64(len(s.stored))
	s.Fetch = func(span Span) (io.ReadCloser, error) {
		s.asked = append(s.asked, span)
		switch {
		case s.fail == nil || span.To <= s.failAt:
			return io.NopCloser(bytes.NewReader(s.stored[span.From:span.To])), nil
		case span.From < s.failAt:
			return io.NopCloser(&breaks{bytes.NewReader(s.stored[span.From:s.failAt]), s.fail}), nil
		}
		return nil, s.fail
	}
	return s
}

// read is the wanted spans, one after the other, and what was fetched for them.
func (s *shelf) read(spans []Span) ([]byte, int64, error) {
	s.asked = nil
	r, err := NewRanged(s.Source, spans)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = r.Close() }()
	var out bytes.Buffer
	for _, span := range spans {
		if _, err := io.CopyBuffer(struct{ io.Writer }{&out}, io.NewSectionReader(r, span.From, span.Len()), make([]byte, 50_000)); err != nil {
			return nil, r.Fetched(), err
		}
	}
	return out.Bytes(), r.Fetched(), nil
}

func (s *shelf) want(spans []Span) []byte {
	var out []byte
	for _, span := range spans {
		out = append(out, s.raw[span.From:span.To]...)
	}
	return out
}

func TestPartsReadBackEqualAndCostWhatWasSaid(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		for _, size := range []int{1, FrameBytes, 6*FrameBytes + 17} {
			s := newShelf(t, size, id)
			random := rand.New(rand.NewPCG(3, 4))
			for range 8 {
				var cuts []int64
				for range 4 {
					cuts = append(cuts, random.Int64N(int64(size)+1))
				}
				slices.Sort(cuts)
				spans := []Span{{cuts[0], cuts[1]}, {cuts[2], cuts[3]}}
				got, fetched, err := s.read(spans)
				if err != nil || !bytes.Equal(got, s.want(spans)) {
					t.Fatalf("size %d, spans %v: %d bytes, %v", size, spans, len(got), err)
				}
				var asked int64
				for _, a := range s.asked {
					asked += a.Len()
				}
				if cost := s.Index.Cost(s.StoredBytes, s.Encrypted, spans); cost != asked || fetched != asked {
					t.Errorf("size %d, spans %v: cost %d, asked for %d, fetched %d", size, spans, cost, asked, fetched)
				}
			}
		}
	}
}

func TestNeighbouringFramesComeByOneRequestAndOthersNotAtAll(t *testing.T) {
	id := identity(t)
	for _, c := range []struct {
		id    *age.X25519Identity
		extra int // requests for age's header and last chunk
	}{{nil, 0}, {id, 2}} {
		s := newShelf(t, 8*FrameBytes, c.id)
		spans := []Span{{0, 100}, {3*FrameBytes - 1, 4*FrameBytes + 1}, {4*FrameBytes + 5, 5 * FrameBytes}}
		if _, fetched, err := s.read(spans); err != nil || len(s.asked) != 2+c.extra {
			t.Errorf("requests %v, %v", s.asked, err)
		} else if fetched > int64(len(s.stored))*5/8 {
			t.Errorf("%d of %d bytes for four of eight frames", fetched, len(s.stored))
		}
	}
}

func TestADamagedFrameIsFoundAndOthersStillRead(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, 4*FrameBytes, id)
		s.stored[len(s.stored)*5/8] ^= 1 // in the third frame
		_, _, err := s.read([]Span{{2 * FrameBytes, 3 * FrameBytes}})
		if fault.CodeOf(err) != fault.Integrity {
			t.Errorf("the damaged frame: %v", err)
		}
		if got, _, err := s.read([]Span{{0, 100}}); err != nil || !bytes.Equal(got, s.raw[:100]) {
			t.Errorf("the first frame: %v", err)
		}
	}
}

// Frames are valid zstd with a checksum of their own, and anybody can encrypt for a public key: what
// somebody else stored under the same name and size must not pass.
func TestAWellFormedFrameOfSomebodyElseIsFound(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, FrameBytes+1000, id)
		forged := newShelf(t, FrameBytes+1000, id)
		forged.Index.Digests = s.Index.Digests
		if got, _, err := forged.read([]Span{{0, 10}}); err != nil || len(got) != 10 {
			t.Fatalf("the same content: %v", err)
		}
		copy(forged.Index.Digests[digestBytes:], make([]byte, digestBytes))
		if _, _, err := forged.read([]Span{{FrameBytes, FrameBytes + 1}}); fault.CodeOf(err) != fault.Integrity {
			t.Error(err)
		}
	}
}

func TestAFrameOfAnotherLengthIsFound(t *testing.T) {
	s := newShelf(t, FrameBytes+900, nil)
	s.Index.RawBytes += 100
	if _, _, err := s.read([]Span{{FrameBytes, FrameBytes + 1000}}); fault.CodeOf(err) != fault.Integrity {
		t.Error(err)
	}
}

func TestAnIndexThatDoesNotFitIsToldBeforeAnythingIsRead(t *testing.T) {
	for name, change := range map[string]func(*Index){
		"none":            func(i *Index) { *i = Index{} },
		"no digests":      func(i *Index) { i.Digests = nil },
		"a digest less":   func(i *Index) { i.Digests = i.Digests[digestBytes:] },
		"a frame less":    func(i *Index) { i.Sizes = i.Sizes[1:] },
		"another size":    func(i *Index) { i.Sizes[0]-- },
		"a negative size": func(i *Index) { i.Sizes[0] = -1 },
		"a huge size":     func(i *Index) { i.Sizes[0] = 1 << 62 },
		"huge frames":     func(i *Index) { i.FrameBytes = 1 << 40 },
		"empty frames":    func(i *Index) { i.FrameBytes = 0 },
		"negative bytes":  func(i *Index) { i.RawBytes = -1 },
		"a frame more":    func(i *Index) { i.Sizes, i.Digests = append(i.Sizes, 1), append(i.Digests, i.Digests[:digestBytes]...) },
		"an empty frame":  func(i *Index) { i.Sizes[0], i.Sizes[1] = 0, i.Sizes[0]+i.Sizes[1] },
		"all in one frame": func(i *Index) {
			all := i.Sizes[0] + i.Sizes[1] + i.Sizes[2]
			i.FrameBytes = FrameBytes / 8
			i.Sizes = slices.Repeat([]int64{1}, 24)
			i.Digests = make([]byte, 24*digestBytes)
			i.Sizes[23] = all - 23
		},
	} {
		s := newShelf(t, 3*FrameBytes, nil)
		change(&s.Index)
		if s.Index.Readable(s.StoredBytes, false) {
			t.Errorf("%s: readable", name)
		}
		if _, _, err := s.read([]Span{{0, 1}}); fault.CodeOf(err) != fault.Integrity || len(s.asked) != 0 {
			t.Errorf("%s: %v, asked %v", name, err, s.asked)
		}
	}
	s := newShelf(t, 2*FrameBytes, nil)
	for _, spans := range [][]Span{{{0, 2*FrameBytes + 1}}, {{5, 4}}, {{10, 20}, {15, 30}}} {
		if _, _, err := s.read(spans); fault.CodeOf(err) != fault.Integrity {
			t.Errorf("%v: %v", spans, err)
		}
	}
}

func TestOfPartsTheKeyIsNeededAndTheStoresErrorsStayItsOwn(t *testing.T) {
	s := newShelf(t, 2*FrameBytes, identity(t))
	s.Identities = []age.Identity{identity(t)}
	if _, _, err := s.read([]Span{{0, 1}}); fault.CodeOf(err) != fault.NotPermitted {
		t.Errorf("another key: %v", err)
	}
	s.Identities = nil
	if _, _, err := s.read([]Span{{0, 1}}); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("no key: %v", err)
	}
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, 2*FrameBytes, id)
		s.fail = fault.New(fault.Unavailable, "no store", "", nil)
		for _, s.failAt = range []int64{0, 10, s.Index.Sizes[0] / 2} {
			if _, _, err := s.read([]Span{{0, 1}}); fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, s.fail) {
				t.Errorf("a store that fails from byte %d: %v", s.failAt, err)
			}
		}
	}
}
