package sealed

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Bounds of an index that is believed: the largest frame held in memory, and what zstd may add to
// bytes that do not compress.
const (
	maxFrameBytes = 64 << 20
	frameOverhead = 1 << 20
)

// Frames reads single frames of what a Writer wrote, by ranges. A frame that comes back has the
// length that the index says and passed zstd's own checksum, and age's where there is encryption.
// It is not safe for concurrent use.
type Frames struct {
	src     *readAt
	plain   io.ReaderAt // compressed, decrypted
	index   Index
	starts  []int64 // of each frame in plain
	decoder *zstd.Decoder
	packed  []byte
}

// OpenFrames holds the index against the stored size, and decrypts the head when there is
// encryption. Close it to free the decoder.
func OpenFrames(src io.ReaderAt, size int64, index Index, encrypted bool, identities []age.Identity) (*Frames, error) {
	f := &Frames{src: &readAt{src: src}, index: index}
	f.plain = f.src
	if encrypted {
		if len(identities) == 0 {
			return nil, ErrNoIdentity
		}
		plain, plainSize, err := age.DecryptReaderAt(f.src, size, identities...)
		if err != nil {
			return nil, decryptError(err, f.src.broken())
		}
		f.plain, size = plain, plainSize
	}
	if err := f.locate(size); err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecoderMaxMemory(uint64(max(index.FrameBytes, 1<<20))))
	if err != nil {
		return nil, fault.New(fault.Integrity, "sealed: decompress", "", err)
	}
	f.decoder = decoder
	return f, nil
}

// locate finds where each frame starts; the frames must fill the stream to the byte.
func (f *Frames) locate(size int64) error {
	x := f.index
	if x.FrameBytes < 1 || x.FrameBytes > maxFrameBytes || x.RawBytes < 0 || int64(len(x.Sizes)) != max(1, (x.RawBytes+x.FrameBytes-1)/x.FrameBytes) {
		return fault.New(fault.Integrity, fmt.Sprintf("sealed: an index of %d frames of %d bytes can't be of %d bytes", len(x.Sizes), x.FrameBytes, x.RawBytes), "", nil)
	}
	f.starts = make([]int64, len(x.Sizes))
	at := int64(0)
	for i, n := range x.Sizes {
		if n < 1 || n > x.FrameBytes+frameOverhead {
			return fault.New(fault.Integrity, fmt.Sprintf("sealed: the index says that frame %d has %d bytes", i, n), "", nil)
		}
		f.starts[i] = at
		at += n
	}
	if at != size {
		return fault.New(fault.Integrity, fmt.Sprintf("sealed: the frames have %d bytes, the stream %d", at, size), "", nil)
	}
	return nil
}

// Len is how many frames there are.
func (f *Frames) Len() int { return len(f.index.Sizes) }

// RawBytes is the length of a frame before compression.
func (f *Frames) RawBytes(frame int) int64 {
	return min(f.index.FrameBytes, f.index.RawBytes-int64(frame)*f.index.FrameBytes)
}

// Read appends the raw bytes of one frame to dst. What is wrong with the bytes is code Integrity;
// an error of the source stays what it is.
func (f *Frames) Read(dst []byte, frame int) ([]byte, error) {
	n := int(f.index.Sizes[frame])
	if cap(f.packed) < n {
		f.packed = make([]byte, n)
	}
	f.packed = f.packed[:n]
	got, err := f.plain.ReadAt(f.packed, f.starts[frame])
	if broken := f.src.broken(); broken != nil {
		return dst, broken
	}
	if got < n {
		return dst, fault.New(fault.Integrity, fmt.Sprintf("sealed: frame %d of %d", frame, f.Len()), "", err)
	}
	before := len(dst)
	dst, err = f.decoder.DecodeAll(f.packed, dst)
	if err == nil && int64(len(dst)-before) != f.RawBytes(frame) {
		err = fmt.Errorf("%d bytes instead of %d", len(dst)-before, f.RawBytes(frame))
	}
	if err != nil {
		return dst[:before], fault.New(fault.Integrity, fmt.Sprintf("sealed: frame %d of %d", frame, f.Len()), "", err)
	}
	return dst, nil
}

// Close frees the decoder.
func (f *Frames) Close() { f.decoder.Close() }

// readAt remembers how its source failed, like endOf: age would tell a broken connection and a
// damaged chunk in the same way.
type readAt struct {
	src io.ReaderAt
	mu  sync.Mutex
	err error
}

func (r *readAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.src.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
	}
	return n, err
}

func (r *readAt) broken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
