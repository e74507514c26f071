package s3

import (
	"context"
	"errors"
	"io"
	"sync"
)

// window is how much a small ReadAt fetches at once: callers that decrypt or decompress ask for
// 64 KiB at a time, and a request per 64 KiB would be all latency.
const window = 1 << 20

// ReaderAt reads parts of an object of known size by ranged requests, for any number of
// goroutines. It holds two windows of 1 MiB. All reads are of the object that the first one saw:
// ErrChanged if it is replaced meanwhile.
func (b *Bucket) ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt {
	return &rangeReader{bucket: b, ctx: ctx, key: key, size: size}
}

type rangeReader struct {
	bucket *Bucket
	ctx    context.Context // io.ReaderAt has no place for one
	key    string
	size   int64

	mu   sync.Mutex // guards etag
	etag string

	turn   sync.Mutex // guards recent, also during its request
	recent [2]block   // the newest first
}

type block struct {
	first int64
	bytes []byte
}

// ReadAt keeps io.ReaderAt's rules: fewer bytes than asked for only with an error, io.EOF at the end.
func (r *rangeReader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("s3: read at a negative offset")
	}
	want := min(int64(len(p)), max(r.size-off, 0))
	if want >= window {
		n, err = r.fetch(p[:want], off)
	} else {
		n, err = r.fromWindows(p[:want], off)
	}
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (r *rangeReader) fromWindows(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		data, err := r.block(at - at%window)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%window:])
	}
	return n, nil
}

// block is the window that begins at first. Small reads take turns, so that readers of the same
// window share one request.
func (r *rangeReader) block(first int64) ([]byte, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	for i, b := range r.recent {
		if b.bytes != nil && b.first == first {
			r.recent[0], r.recent[i] = b, r.recent[0]
			return b.bytes, nil
		}
	}
	data := make([]byte, min(window, r.size-first))
	if _, err := r.fetch(data, first); err != nil {
		return nil, err
	}
	r.recent[1], r.recent[0] = r.recent[0], block{first, data}
	return data, nil
}

// fetch fills p by one request.
func (r *rangeReader) fetch(p []byte, off int64) (int, error) {
	body, object, err := r.bucket.get(r.ctx, r.key, span{offset: off, length: int64(len(p)), etag: r.pinned("")})
	if err != nil {
		return 0, err
	}
	defer body.Close()
	if object.Size != r.size || r.pinned(object.ETag) != object.ETag {
		return 0, r.bucket.because("get", r.key, changedWhileRead(), nil)
	}
	return io.ReadFull(body, p)
}

// pinned is the ETag that all reads must see: etag itself, if it is the first.
func (r *rangeReader) pinned(etag string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.etag = orDefault(r.etag, etag)
	return r.etag
}
