package sealed

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// sealedSample is a stream of four frames, its stored form and its index.
func sealedSample(t testing.TB, recipients []age.Recipient) (raw, stored []byte, index Index) {
	t.Helper()
	raw = sample(3*FrameBytes + 100)
	var out bytes.Buffer
	w, err := NewWriter(&out, recipients)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return raw, out.Bytes(), w.Index()
}

func TestAFrameIsReadByRangesAloneEncryptedOrNot(t *testing.T) {
	id := identity(t)
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		raw, stored, index := sealedSample(t, recipients)
		f, err := OpenFrames(bytes.NewReader(stored), int64(len(stored)), index, recipients != nil, []age.Identity{id})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{3, 0, 2, 1} {
			got, err := f.Read(nil, i)
			first := i * FrameBytes
			if err != nil || !bytes.Equal(got, raw[first:first+int(f.RawBytes(i))]) {
				t.Fatalf("frame %d, %d recipients: %d bytes, %v", i, len(recipients), len(got), err)
			}
		}
		f.Close()
	}
}

func TestADamagedFrameIsFoundAndTheOthersStayReadable(t *testing.T) {
	id := identity(t)
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		_, stored, index := sealedSample(t, recipients)
		damaged := bytes.Clone(stored)
		damaged[int(index.Sizes[0])+int(index.Sizes[1])/2+len(stored)/1000] ^= 1 // inside the second frame, past age's head and tags
		f, err := OpenFrames(bytes.NewReader(damaged), int64(len(damaged)), index, recipients != nil, []age.Identity{id})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Read(nil, 1); fault.CodeOf(err) != fault.Integrity {
			t.Errorf("%d recipients: the damaged frame: %v", len(recipients), err)
		}
		if _, err := f.Read(nil, 3); err != nil {
			t.Errorf("%d recipients: a frame beside it: %v", len(recipients), err)
		}
	}
}

func TestAnIndexThatDoesNotFitTheStreamIsRefused(t *testing.T) {
	_, stored, good := sealedSample(t, nil)
	for name, spoil := range map[string]func(*Index){
		"a frame missing":      func(x *Index) { x.Sizes = x.Sizes[:3] },
		"a frame more":         func(x *Index) { x.Sizes = append(x.Sizes, 1) },
		"a size off by one":    func(x *Index) { x.Sizes[2]++ },
		"a size of nothing":    func(x *Index) { x.Sizes[0], x.Sizes[1] = 0, x.Sizes[0]+x.Sizes[1] },
		"frames of no bytes":   func(x *Index) { x.FrameBytes = 0 },
		"frames beyond memory": func(x *Index) { x.FrameBytes = 1 << 40 },
		"negative bytes":       func(x *Index) { x.RawBytes = -1 },
		"nothing":              func(x *Index) { *x = Index{} },
	} {
		index := good
		index.Sizes = append([]int64(nil), good.Sizes...)
		spoil(&index)
		if _, err := OpenFrames(bytes.NewReader(stored), int64(len(stored)), index, false, nil); fault.CodeOf(err) != fault.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// cutOff is a store whose connection breaks for all that lies behind a place.
type cutOff struct {
	src io.ReaderAt
	at  int64
	err error
}

func (c cutOff) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > c.at {
		return 0, c.err
	}
	return c.src.ReadAt(p, off)
}

func TestAStoreThatFailsIsNotTakenForADamagedFrame(t *testing.T) {
	id := identity(t)
	broken := fault.New(fault.Unavailable, "connection lost", "", nil)
	for _, recipients := range [][]age.Recipient{nil, {id.Recipient()}} {
		_, stored, index := sealedSample(t, recipients)
		f, err := OpenFrames(bytes.NewReader(stored), int64(len(stored)), index, recipients != nil, []age.Identity{id})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.src.src = cutOff{bytes.NewReader(stored), index.Sizes[0] / 2, broken}
		if _, err := f.Read(nil, 2); !errors.Is(err, broken) || fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%d recipients: %v", len(recipients), err)
		}
	}
}
