package sealed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// stream reads all of a shelf: what was passed on, and how it ended.
func (s *shelf) stream() ([]byte, error) {
	t, err := NewStream(s.Source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.Close() }()
	return io.ReadAll(struct{ io.Reader }{t})
}

// recorded makes what is stored now the object that was recorded.
func (s *shelf) recorded() *shelf {
	s.SHA256 = fmt.Sprintf("%x", sha256.Sum256(s.stored))
	return s
}

func TestAStreamReadsBackEqualByOneRequest(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		for _, size := range []int{0, 1, 100, FrameBytes, FrameBytes + 1, 9*FrameBytes + 17} {
			s := newShelf(t, size, id).recorded()
			got, err := s.stream()
			if err != nil || !bytes.Equal(got, s.raw) {
				t.Errorf("size %d: %d bytes, %v", size, len(got), err)
			}
			if extra := len(s.asked) - 1; id == nil && extra != 0 || extra > 2 {
				t.Errorf("size %d: requests %v", size, s.asked)
			}
		}
	}
}

// onlyWholeFrames asserts that what was passed on is the begin of what was written, in whole frames.
func onlyWholeFrames(t *testing.T, s *shelf, got []byte) {
	t.Helper()
	if !bytes.HasPrefix(s.raw, got) {
		t.Fatalf("%d bytes were passed on that nobody vouches for", len(got))
	}
	if len(got)%FrameBytes != 0 && len(got) != len(s.raw) {
		t.Fatalf("a part of a frame was passed on: %d bytes", len(got))
	}
}

func TestOfADamagedStreamOnlyTheFramesBeforeTheDamageArePassedOn(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		for frame := range 4 {
			s := newShelf(t, 4*FrameBytes, id).recorded()
			l, _ := newLayout(s.Index, s.StoredBytes, s.Encrypted)
			c := l.compressed(int64(frame))
			at := (c.From + c.To) / 2
			if l.sealed {
				at = l.head + at/chunkBytes*sealedChunk + at%chunkBytes
			}
			s.stored[at] ^= 1
			got, err := s.stream()
			if fault.CodeOf(err) != fault.Integrity {
				t.Errorf("frame %d: %v", frame, err)
			}
			onlyWholeFrames(t, s, got)
			if id == nil && len(got) != frame*FrameBytes {
				t.Errorf("frame %d: %d bytes were passed on", frame, len(got))
			}
		}
	}
}

func TestWhatSomebodyElseWroteIsNotPassedOnThoughItIsWellFormedAndAsLong(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, 2*FrameBytes, id).recorded()
		other := newShelf(t, 2*FrameBytes, id)
		for i := range other.raw {
			other.raw[i] ^= 3
		}
		var to []age.Recipient
		if id != nil {
			to = []age.Recipient{id.Recipient()}
		}
		hostile, _ := written(t, other.raw, to...)
		s.stored = append(hostile, make([]byte, max(0, len(s.stored)-len(hostile)))...)[:len(s.stored)]
		if got, err := s.stream(); fault.CodeOf(err) != fault.Integrity || len(got) != 0 {
			t.Errorf("%d bytes were passed on: %v", len(got), err)
		}
	}
}

func TestTheLastFrameComesOnlyWhenTheHashOfAllIsTheRecordedOne(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, 3*FrameBytes, id)
		s.SHA256 = fmt.Sprintf("%x", sha256.Sum256([]byte("another object")))
		if got, err := s.stream(); fault.CodeOf(err) != fault.Integrity || len(got) != 2*FrameBytes {
			t.Errorf("%d bytes were passed on: %v", len(got), err)
		}
	}
}

// spoilt has the wire change one stored byte, as often as it is asked for that.
func (s *shelf) spoilt(at int64, times int) {
	inner := s.Fetch
	s.Fetch = func(span Span) (io.ReadCloser, error) {
		body, err := inner(span)
		if err != nil || times == 0 || at < span.From || at >= span.To {
			return body, err
		}
		times--
		all, err := io.ReadAll(body)
		all = bytes.Clone(all)
		all[at-span.From] ^= 4
		return io.NopCloser(bytes.NewReader(all)), err
	}
}

func TestBytesThatTheWireSpoiltAreAskedForOnceMoreAndThatIsTold(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, 3*FrameBytes, id).recorded()
		for try := range 20 {
			at := random.Int64N(s.StoredBytes)
			if try == 0 {
				at = 60 // in age's header
			}
			var told []error
			s.Again = func(err error) { told = append(told, err) }
			whole := *s
			s.spoilt(at, 1)
			if got, err := s.stream(); err != nil || !bytes.Equal(got, s.raw) || len(told) != 1 {
				t.Fatalf("byte %d, once: %d bytes, %v, told %v", at, len(got), err, told)
			}
			*s = whole
			s.spoilt(at, 2)
			got, err := s.stream()
			if code := fault.CodeOf(err); code != fault.Integrity && code != fault.NotPermitted {
				t.Fatalf("byte %d, twice: %v", at, err)
			}
			onlyWholeFrames(t, s, got)
			*s = whole
		}
	}
}

func TestAStoreThatFailsSaysNothingOfTheStream(t *testing.T) {
	for _, id := range []*age.X25519Identity{nil, identity(t)} {
		s := newShelf(t, 4*FrameBytes, id).recorded()
		s.fail = fault.New(fault.Unavailable, "no store", "", nil)
		for _, s.failAt = range []int64{0, 10, s.StoredBytes / 2, s.StoredBytes - 1} {
			got, err := s.stream()
			if !errors.Is(err, s.fail) {
				t.Errorf("from byte %d: %v", s.failAt, err)
			}
			onlyWholeFrames(t, s, got)
		}
	}
}

func TestAStreamThatNobodyReadsOnEndsItsGoroutines(t *testing.T) {
	for _, read := range []int64{0, 1, 5 * FrameBytes} {
		s := newShelf(t, 12*FrameBytes, nil).recorded()
		stream, err := NewStream(s.Source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, stream, read); err != nil {
			t.Error(err)
		}
		for range 2 {
			_ = stream.Close() // waits for them
		}
	}
}

func TestAStreamThatDoesNotFitItsIndexIsNotBegun(t *testing.T) {
	s := newShelf(t, 2*FrameBytes, nil).recorded()
	s.Index.Digests = nil
	if _, err := s.stream(); fault.CodeOf(err) != fault.Integrity || len(s.asked) != 0 {
		t.Errorf("%v, asked %v", err, s.asked)
	}
	s = newShelf(t, 2*FrameBytes, identity(t)).recorded()
	s.Identities = nil
	if _, err := s.stream(); !errors.Is(err, ErrNoIdentity) {
		t.Error(err)
	}
}

func FuzzOfAChangedObjectNothingIsPassedOnThatWasNotWritten(f *testing.F) {
	for how := range changes {
		f.Add(uint8(how), uint32(5000), uint32(1), false)
		f.Add(uint8(how), uint32(70), uint32(90_000), true)
	}
	const size = 3*FrameBytes + 100
	plain, secret := newShelf(f, size, nil).recorded(), newShelf(f, size, identity(f)).recorded()
	f.Fuzz(func(t *testing.T, how uint8, a, b uint32, encrypted bool) {
		original := plain
		if encrypted {
			original = secret
		}
		s := *original
		s.stored = changes[int(how)%len(changes)](bytes.Clone(original.stored), int(a), int(b))
		s.Fetch = func(span Span) (io.ReadCloser, error) { // a store gives what there is
			n := int64(len(s.stored))
			return io.NopCloser(bytes.NewReader(s.stored[min(span.From, n):min(span.To, n)])), nil
		}
		got, err := s.stream()
		if same := bytes.Equal(s.stored[:min(len(s.stored), len(original.stored))], original.stored); same != (err == nil) {
			t.Fatalf("the same object %v: %v", same, err)
		}
		onlyWholeFrames(t, &s, got)
	})
}

// changes are what can become of an object. The last ones leave its length as it is.
var changes = []func(stored []byte, a, b int) []byte{
	func(s []byte, a, _ int) []byte { return s[:a%len(s)] },
	func(s []byte, a, _ int) []byte { return append(s, make([]byte, a%70_000)...) },
	func(s []byte, a, b int) []byte { s[a%len(s)] ^= byte(1 << (b % 8)); return s },
	func(s []byte, a, b int) []byte { // two places change places
		n := min(1000, len(s)/4)
		x, y := a%(len(s)-n), b%(len(s)-n)
		kept := bytes.Clone(s[x : x+n])
		copy(s[x:x+n], s[y:y+n])
		copy(s[y:y+n], kept)
		return s
	},
	func(s []byte, a, b int) []byte { // a part is there twice
		n := min(70_000, len(s)/4)
		copy(s[a%(len(s)-n):][:n], s[b%(len(s)-n):][:n])
		return s
	},
	func(s []byte, a, _ int) []byte { clear(s[a%len(s):]); return s },
}

func BenchmarkReadBack(b *testing.B) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	for name, id := range map[string]*age.X25519Identity{"plain": nil, "encrypted": id} {
		s := newShelf(b, 64*FrameBytes, id).recorded()
		for way, open := range map[string]func() (io.ReadCloser, error){
			"unchecked": func() (io.ReadCloser, error) {
				return NewReader(io.TeeReader(bytes.NewReader(s.stored), sha256.New()), s.Encrypted, s.Identities)
			},
			"by frames": func() (io.ReadCloser, error) { return NewStream(s.Source) },
		} {
			b.Run(name+" "+way, func(b *testing.B) {
				b.SetBytes(int64(len(s.raw)))
				for b.Loop() {
					r, err := open()
					if err == nil {
						_, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 32<<10))
						_ = r.Close()
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
