package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Ranged reads parts of a stream: only the frames that hold them are fetched, decrypted and
// decompressed.
//
// Rules: what will be read is said before, so that neighbouring frames come by one request; reads
// go forward; one frame is in memory, compressed and raw. Every frame is held against the digest in
// the index before it is decompressed: who vouches for the index vouches for what is read. Bytes that
// are not those that were recorded are asked for once more before they are called damaged: what a wire
// did to them says nothing of the object.
//
// It is an io.ReaderAt of raw bytes for one goroutine.
type Ranged struct {
	layout  layout
	stored  *forward
	packed  io.ReaderAt // the compressed stream
	decoder *zstd.Decoder
	frame   int64 // in raw; -1: none
	raw     []byte
	buffer  []byte // the compressed frame
	again   func(error)
}

// Fetch opens a range of the stored object.
type Fetch func(Span) (io.ReadCloser, error)

// Readable reports whether an index fits the stored object, so that it can be read in parts.
func (i Index) Readable(storedBytes int64, encrypted bool) bool {
	_, ok := newLayout(i, storedBytes, encrypted)
	return ok
}

// Cost is how many stored bytes reading these raw spans fetches. The index must be Readable.
func (i Index) Cost(storedBytes int64, encrypted bool, wanted []Span) (n int64) {
	l, ok := newLayout(i, storedBytes, encrypted)
	if !ok || !l.within(wanted) {
		return storedBytes
	}
	for _, s := range l.fetches(wanted) {
		n += s.Len()
	}
	if encrypted {
		n += l.head + l.last().Len()
	}
	return n
}

// Frame is where a frame lies in the raw stream.
func (i Index) Frame(n int64) Span {
	return Span{n * i.FrameBytes, min(i.RawBytes, (n+1)*i.FrameBytes)}
}

// FrameEnd is where the frame ends that holds the byte before a raw place.
func (i Index) FrameEnd(raw int64) int64 {
	return min(i.RawBytes, divideUp(raw, i.FrameBytes)*i.FrameBytes)
}

// Source is a stored stream that can be read in parts.
type Source struct {
	Fetch       Fetch
	StoredBytes int64
	Index       Index
	Encrypted   bool
	Identities  []age.Identity

	SHA256 string      // of the whole stored object, hex; only a Stream needs it
	Again  func(error) // told what was wrong with bytes that were right when they came again; may be nil
}

// NewRanged prepares to read the wanted raw spans, which are in order. Close it.
func NewRanged(s Source, wanted []Span) (*Ranged, error) {
	l, ok := newLayout(s.Index, s.StoredBytes, s.Encrypted)
	if !ok || !l.within(wanted) {
		return nil, fault.New(fault.Integrity, "sealed: the index of frames does not fit the stored object",
			"Restore the whole set, which needs no index.", nil)
	}
	return newRanged(s, l, l.fetches(wanted), 1)
}

// newRanged reads what lies in spans of the stored object, and decompresses so many frames at once.
func newRanged(s Source, l layout, spans []Span, workers int) (*Ranged, error) {
	r := &Ranged{layout: l, frame: -1, stored: &forward{fetch: s.Fetch, spans: spans}, again: s.Again}
	if r.again == nil {
		r.again = func(error) {}
	}
	r.packed = r.stored
	if s.Encrypted {
		if err := r.decrypt(s.Identities); err != nil {
			r.stored.close()
			return nil, err
		}
	}
	var err error
	r.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(workers),
		zstd.WithDecoderMaxMemory(uint64(s.Index.FrameBytes)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("sealed: set up zstd: %w", err)
	}
	return r, nil
}

// twice does what the bytes of the store can spoil, and does it once more when they did.
func (r *Ranged) twice(do func() error) error {
	err := do()
	if err == nil || r.stored.err != nil || errors.Is(err, ErrNoIdentity) {
		return err
	}
	r.stored.close()
	switch wrong := do(); {
	case wrong == nil:
		r.again(err)
		return nil
	case r.stored.err != nil:
		return wrong
	}
	return err
}

// decrypt reads age's header and last chunk.
func (r *Ranged) decrypt(identities []age.Identity) error {
	if len(identities) == 0 {
		return ErrNoIdentity
	}
	return r.twice(func() error {
		r.stored.kept = nil
		for _, s := range []Span{{0, r.layout.head}, r.layout.last()} {
			if err := r.stored.keep(s); err != nil {
				return err
			}
		}
		plain, size, err := age.DecryptReaderAt(r.stored, r.layout.stored, identities...)
		if err != nil {
			return decryptError(err, r.stored.err)
		}
		if want := r.layout.starts[len(r.layout.starts)-1]; size != want {
			return fault.New(fault.Integrity, fmt.Sprintf("sealed: %d bytes are encrypted, the index has %d", size, want),
				"Restore another set.", nil)
		}
		r.packed = plain
		return nil
	})
}

// ReadAt keeps io.ReaderAt's rules, less parallel calls.
func (r *Ranged) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		if at >= r.layout.index.RawBytes {
			return n, io.EOF
		}
		frame := at / r.layout.index.FrameBytes
		if err := r.load(frame); err != nil {
			return n, err
		}
		n += copy(p[n:], r.raw[at-frame*r.layout.index.FrameBytes:])
	}
	return n, nil
}

// load makes a frame the one at hand.
func (r *Ranged) load(frame int64) (err error) {
	if frame == r.frame {
		return nil
	}
	r.frame = -1
	if r.buffer, err = r.fetch(frame, r.buffer); err != nil {
		return err
	}
	if r.raw, err = r.unpack(frame, r.buffer, r.raw); err != nil {
		return err
	}
	r.frame = frame
	return nil
}

// fetch is the compressed frame as the index vouches for it, in buffer when it has room.
func (r *Ranged) fetch(frame int64, buffer []byte) ([]byte, error) {
	place := r.layout.compressed(frame)
	if int64(cap(buffer)) < place.Len() {
		buffer = make([]byte, place.Len())
	}
	packed := buffer[:place.Len()]
	return packed, r.twice(func() error {
		if n, err := r.packed.ReadAt(packed, place.From); n < len(packed) {
			if r.stored.err != nil {
				return r.stored.err
			}
			return damagedFrame(frame, err)
		}
		if !bytes.Equal(digest(packed), r.layout.digest(frame)) {
			return damagedFrame(frame, errors.New("its SHA-256 is not the one that was recorded"))
		}
		return nil
	})
}

// unpack decompresses a frame, into buffer when it has room.
func (r *Ranged) unpack(frame int64, packed, buffer []byte) ([]byte, error) {
	raw, err := r.decoder.DecodeAll(packed, buffer[:0])
	if want := r.layout.index.Frame(frame).Len(); err == nil && int64(len(raw)) != want {
		err = fmt.Errorf("it decompresses to %d bytes, not %d", len(raw), want)
	}
	if err != nil {
		return nil, damagedFrame(frame, err)
	}
	return raw, nil
}

func damagedFrame(frame int64, err error) error {
	return fault.New(fault.Integrity, fmt.Sprintf("sealed: frame %d", frame),
		"Restore another set, and verify this one.", err)
}

// Fetched is how many stored bytes have come so far.
func (r *Ranged) Fetched() int64 { return r.stored.fetched }

// Close ends the request that is open.
func (r *Ranged) Close() error {
	r.stored.close()
	r.decoder.Close()
	return nil
}
