package sealed

import (
	"fmt"
	"io"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Stream reads a whole stream from its begin to its end, for a reader that runs what it is given: no byte is passed
// on, nor decompressed, before the frame that holds it was held against the digest in the index.
//
// Rules: it is Ranged's way of reading, with a goroutine that fetches ahead and workers that decompress;
// memory is a fixed number of frames. The last frame comes only when the SHA-256 of all stored bytes is
// the recorded one, so that nobody takes an object for whole that is another.
//
// It is an io.Reader for one goroutine.
type Stream struct {
	ranged *Ranged
	want   string // SHA-256 of the stored object, hex
	tally  *tally

	free, jobs, order chan *frame
	quit              chan struct{}
	closing           sync.Once
	running           sync.WaitGroup

	current *frame
	rest    []byte // of current
	err     error  // sticky
}

// frame is one on its way.
type frame struct {
	number      int64
	packed, raw []byte
	err         error
	ready       chan struct{}
}

// maxAhead bounds the raw bytes that are in memory at once. Ours are four frames of 1 MiB.
const maxAhead = 32 << 20

// NewStream prepares to read all of it. Close it; a fetch that is under way then ends with its own context.
func NewStream(s Source) (*Stream, error) {
	l, ok := newLayout(s.Index, s.StoredBytes, s.Encrypted)
	if !ok {
		return nil, fault.New(fault.Integrity, "sealed: the index of frames does not fit the stored object",
			"Restore another set.", nil)
	}
	ranged, err := newRanged(s, l, []Span{l.place(Span{0, l.starts[len(l.starts)-1]})}, workers)
	if err != nil {
		return nil, err
	}
	t := &Stream{ranged: ranged, want: s.SHA256, tally: newTally(), quit: make(chan struct{})}
	ahead := int(max(1, min(blocks, maxAhead/s.Index.FrameBytes)))
	t.free = make(chan *frame, ahead)
	t.jobs = make(chan *frame, ahead)
	t.order = make(chan *frame, ahead)
	for range ahead {
		t.free <- &frame{}
	}
	if s.Encrypted {
		t.tally.saw(0, ranged.stored.keptBytes(Span{0, l.head}))
		ranged.stored.tally = t.tally
	}
	t.running.Go(t.fetch)
	for range workers {
		t.running.Go(t.unpack)
	}
	return t, nil
}

// fetch takes the frames from the store in their order.
func (t *Stream) fetch() {
	defer close(t.order)
	defer close(t.jobs)
	for number := range int64(len(t.ranged.layout.index.Sizes)) {
		var f *frame
		select {
		case f = <-t.free:
		case <-t.quit:
			return
		}
		f.number, f.ready = number, make(chan struct{})
		f.packed, f.err = t.ranged.fetch(number, f.packed)
		if f.err == nil {
			f.err = t.count(f)
		}
		t.order <- f // there is room for every frame that there is
		if f.err != nil {
			close(f.ready)
			return
		}
		t.jobs <- f
	}
}

// count adds a frame to the hash of all stored bytes, and with the last one says whether that is right.
func (t *Stream) count(f *frame) error {
	l := t.ranged.layout
	if !l.sealed { // else the chunks were counted on their way
		t.tally.saw(l.starts[f.number], f.packed)
	}
	if f.number+1 < int64(len(l.index.Sizes)) {
		return nil
	}
	if l.sealed {
		t.tally.saw(l.last().From, t.ranged.stored.keptBytes(l.last()))
	}
	if sum := t.tally.hex(); sum != t.want {
		return fault.New(fault.Integrity,
			fmt.Sprintf("sealed: the stored bytes have SHA-256 %s, recorded is %s", sum, t.want),
			"Restore another set, and find out who writes to the bucket.", nil)
	}
	return nil
}

func (t *Stream) unpack() {
	for f := range t.jobs {
		f.raw, f.err = t.ranged.unpack(f.number, f.packed, f.raw)
		close(f.ready)
	}
}

// Read gives the raw stream.
func (t *Stream) Read(p []byte) (int, error) {
	for len(t.rest) == 0 && t.err == nil {
		t.err = t.next()
	}
	if len(t.rest) == 0 {
		return 0, t.err
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// next makes the next frame the one at hand.
func (t *Stream) next() error {
	if t.current != nil {
		t.free <- t.current
		t.current = nil
	}
	f, more := <-t.order
	if !more {
		return io.EOF
	}
	<-f.ready
	if f.err != nil {
		return f.err
	}
	t.current, t.rest = f, f.raw
	return nil
}

// Fetched is how many stored bytes have come. It is valid at the end of the stream and after Close.
func (t *Stream) Fetched() int64 { return t.ranged.Fetched() }

// Close ends the fetching and waits for it.
func (t *Stream) Close() error {
	t.closing.Do(func() {
		close(t.quit)
		t.running.Wait()
		_ = t.ranged.Close()
	})
	return nil
}
