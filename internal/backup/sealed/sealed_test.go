package sealed

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

func sample(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, n)
	for i := range out {
		out[i] = "abcdefgh\t\n0123"[r.IntN(14)]
	}
	return out
}

// written is the stored form of raw, and its index.
func written(t testing.TB, raw []byte, recipients ...age.Recipient) ([]byte, Index) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, recipients, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.Index()
}

func identity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWhatIsSealedReadsBackEqual(t *testing.T) {
	defer goleak.VerifyNone(t)
	id := identity(t)
	for _, size := range []int{0, 1, FrameBytes - 1, FrameBytes, FrameBytes + 1, 3*FrameBytes + 17} {
		for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
			raw := sample(size)
			stored, err := Pack(raw, recipients)
			if err != nil {
				t.Fatal(err)
			}
			got, err := unpack(stored, recipients != nil, []age.Identity{id}, int64(size))
			if err != nil || !bytes.Equal(got, raw) {
				t.Fatalf("size %d, %d recipients: %d bytes back, error %v", size, len(recipients), len(got), err)
			}
		}
	}
}

func TestEachFrameDecompressesAlone(t *testing.T) {
	raw := sample(2*FrameBytes + 100)
	stored, index := written(t, raw)
	if len(index.Sizes) != 3 || index.RawBytes != int64(len(raw)) {
		t.Fatalf("index: %+v", index)
	}
	decoder, _ := zstd.NewReader(nil)
	defer decoder.Close()
	start := index.Sizes[0]
	second, err := decoder.DecodeAll(stored[start:start+index.Sizes[1]], nil)
	if err != nil || !bytes.Equal(second, raw[FrameBytes:2*FrameBytes]) {
		t.Fatalf("second frame alone: %v", err)
	}
}

func TestPlainToolsReadIt(t *testing.T) {
	need.Program(t, "zstd")
	raw := sample(FrameBytes + 5)
	stored, err := Pack(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("zstd", "-d", "-c")
	cmd.Stdin = bytes.NewReader(stored)
	got, err := cmd.Output()
	if err != nil || !bytes.Equal(got, raw) {
		t.Fatalf("zstd -d: %d bytes, %v", len(got), err)
	}
}

type failAfter struct{ left int }

var errFull = errors.New("destination is full")

func (f *failAfter) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAFailingDestinationStopsTheWriterWithItsError(t *testing.T) {
	defer goleak.VerifyNone(t)
	w, err := NewWriter(&failAfter{left: 1 << 20}, nil, Auto)
	if err != nil {
		t.Fatal(err)
	}
	chunk := sample(1 << 20)
	for range 200 {
		if _, err = w.Write(chunk); err != nil {
			break
		}
	}
	if !errors.Is(err, errFull) {
		t.Fatalf("write error = %v, want the destination's", err)
	}
	w.Abort()
	w.Abort()
}

func TestEveryTruncationAndSampledBitFlipsAreFound(t *testing.T) {
	id := identity(t)
	raw := sample(3000)
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		stored, err := Pack(raw, recipients)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, at int, damaged []byte) {
			got, err := unpack(damaged, recipients != nil, []age.Identity{id}, 1<<20)
			if err == nil && (len(damaged) > 0 || recipients != nil) && !bytes.Equal(got, raw) {
				t.Fatalf("%s at %d of %d went unnoticed (%d recipients)", what, at, len(stored), len(recipients))
			}
		}
		for at := 1; at < len(stored); at++ {
			check("truncation", at, stored[:at])
			flipped := bytes.Clone(stored)
			flipped[at] ^= 1 << (at % 8)
			check("bit flip", at, flipped)
		}
	}
}

func TestReadingAnEncryptedSetWithoutOrWithTheWrongKeySaysSo(t *testing.T) {
	stored, err := Pack([]byte("secret"), []age.Recipient{identity(t).Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(stored, true, nil, 100); !errors.Is(err, ErrNoIdentity) {
		t.Fatalf("without identity: %v", err)
	}
	_, err = unpack(stored, true, []age.Identity{identity(t)}, 100)
	if fault.CodeOf(err) != fault.NotPermitted || fault.Remedy(err) == "" {
		t.Fatalf("wrong identity: %v", err)
	}
}

// breaks is a source that fails with its own error after some bytes.
type breaks struct {
	r   io.Reader
	err error
}

func (b *breaks) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestASourceThatBreaksIsNotTakenForADamagedOne(t *testing.T) {
	defer goleak.VerifyNone(t)
	id := identity(t)
	broken := fault.New(fault.Unavailable, "connection lost", "", nil)
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		stored, err := Pack(sample(FrameBytes+1000), recipients)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, 10, 100, 200, len(stored) / 2, len(stored)} {
			r, err := NewReader(&breaks{bytes.NewReader(stored[:at]), broken}, recipients != nil, []age.Identity{id})
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				_ = r.Close()
			}
			if fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, broken) {
				t.Errorf("broken at %d of %d, %d recipients: %v", at, len(stored), len(recipients), err)
			}
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	raw := sample(8 * FrameBytes)
	id := identity(b)
	for name, recipients := range map[string][]age.Recipient{"plain": nil, "age": {id.Recipient()}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				w, err := NewWriter(io.Discard, recipients, 1)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(raw); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
