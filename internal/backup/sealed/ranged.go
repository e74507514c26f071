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
// the index before it is decompressed: who vouches for the index vouches for what is read, as the
// SHA-256 of the whole object does for a whole read.
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
}

// NewRanged prepares to read the wanted raw spans, which are in order. Close it.
func NewRanged(s Source, wanted []Span) (*Ranged, error) {
	l, ok := newLayout(s.Index, s.StoredBytes, s.Encrypted)
	if !ok || !l.within(wanted) {
		return nil, fault.New(fault.Integrity, "sealed: the index of frames does not fit the stored object", "restore the whole set, which needs no index", nil)
	}
	r := &Ranged{layout: l, frame: -1, stored: &forward{fetch: s.Fetch, spans: l.fetches(wanted)}}
	r.packed = r.stored
	if s.Encrypted {
		if err := r.decrypt(s.Identities); err != nil {
			r.stored.close()
			return nil, err
		}
	}
	var err error
	r.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(s.Index.FrameBytes)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("sealed: set up zstd: %w", err)
	}
	return r, nil
}

// decrypt reads age's header and last chunk.
func (r *Ranged) decrypt(identities []age.Identity) error {
	if len(identities) == 0 {
		return ErrNoIdentity
	}
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
		return fault.New(fault.Integrity, fmt.Sprintf("sealed: %d bytes are encrypted, the index has %d", size, want), "restore another set", nil)
	}
	r.packed = plain
	return nil
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
func (r *Ranged) load(frame int64) error {
	if frame == r.frame {
		return nil
	}
	r.frame = -1
	place := r.layout.compressed(frame)
	if int64(cap(r.buffer)) < place.Len() {
		r.buffer = make([]byte, place.Len())
	}
	packed := r.buffer[:place.Len()]
	if n, err := r.packed.ReadAt(packed, place.From); n < len(packed) {
		if r.stored.err != nil {
			return r.stored.err
		}
		return damagedFrame(frame, err)
	}
	if !bytes.Equal(digest(packed), r.layout.digest(frame)) {
		return damagedFrame(frame, errors.New("its SHA-256 is not the one that was recorded"))
	}
	raw, err := r.decoder.DecodeAll(packed, r.raw[:0])
	if want := r.layout.index.Frame(frame).Len(); err == nil && int64(len(raw)) != want {
		err = fmt.Errorf("it decompresses to %d bytes, not %d", len(raw), want)
	}
	if err != nil {
		return damagedFrame(frame, err)
	}
	r.frame, r.raw = frame, raw
	return nil
}

func damagedFrame(frame int64, err error) error {
	return fault.New(fault.Integrity, fmt.Sprintf("sealed: frame %d", frame), "restore another set, and `pgbtui verify` this one", err)
}

// Fetched is how many stored bytes have come so far.
func (r *Ranged) Fetched() int64 { return r.stored.fetched }

// Close ends the request that is open.
func (r *Ranged) Close() error {
	r.stored.close()
	r.decoder.Close()
	return nil
}

// forward is an io.ReaderAt over planned ranges of the stored object, each read from its begin to
// its end by one request, and over what is kept in memory.
type forward struct {
	fetch   Fetch
	spans   []Span
	kept    []held
	body    io.ReadCloser
	at, end int64 // of body
	fetched int64
	err     error // of the store: says nothing about the object
}

type held struct {
	Span
	bytes []byte
}

// keep fetches a span into memory.
func (f *forward) keep(s Span) error {
	if err := f.open(s); err != nil {
		return err
	}
	h := held{s, make([]byte, s.Len())}
	if _, err := f.read(h.bytes); err != nil {
		return err
	}
	f.close()
	f.kept = append(f.kept, h)
	return nil
}

// ReadAt gives what is planned or kept; more than that is the end.
func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	for _, h := range f.kept {
		if off >= h.From && off < h.To {
			n := copy(p, h.bytes[off-h.From:])
			if n < len(p) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	if f.err != nil {
		return 0, f.err
	}
	if err := f.seek(off); err != nil {
		return 0, err
	}
	n := int(min(int64(len(p)), f.end-off))
	got, err := f.read(p[:n])
	if err == nil && got < len(p) {
		err = io.EOF
	}
	return got, err
}

// seek goes on in the open request, or opens the one that holds off.
func (f *forward) seek(off int64) error {
	if f.body != nil && off >= f.at && off < f.end && off-f.at <= skipBytes {
		for off > f.at {
			if _, err := f.read(make([]byte, off-f.at)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, s := range f.spans {
		if off >= s.From && off < s.To {
			return f.open(Span{off, s.To})
		}
	}
	return errors.New("a read of what was not asked for")
}

func (f *forward) open(s Span) error {
	f.close()
	body, err := f.fetch(s)
	if err != nil {
		f.err = err
		return err
	}
	f.body, f.at, f.end = body, s.From, s.To
	return nil
}

func (f *forward) read(p []byte) (int, error) {
	n, err := io.ReadFull(f.body, p)
	f.at += int64(n)
	f.fetched += int64(n)
	if err != nil {
		f.err = err
	}
	return n, err
}

func (f *forward) close() {
	if f.body != nil {
		_ = f.body.Close()
		f.body = nil
	}
}
