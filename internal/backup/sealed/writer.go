// Package sealed is the stored form of a stream: independent zstd frames of 1 MiB of raw bytes
// each, then age when there are recipients.
//
// Rules: what it writes is read back by `age -d | zstd -d` alone; a frame can be read without
// those before it, so that a table can be fetched by ranges; memory is a fixed number of frames
// whatever the stream's length.
package sealed

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

// FrameBytes is the raw length of every frame but the last. A table is fetched in whole frames, and so
// costs up to three frames more than it has. Frames of 4 MiB store half a percent less: at this level
// the encoder's table forgets sooner than that.
const FrameBytes = 1 << 20

// workers compress at once; blocks is what is in memory: one being filled, one per worker,
// and one on its way out.
const (
	workers = 2
	blocks  = workers + 2
)

// Index says where each frame is in the compressed (not yet encrypted) stream.
type Index struct {
	FrameBytes int64   `json:"frameBytes"` // raw bytes of every frame but the last
	RawBytes   int64   `json:"rawBytes"`   // of the whole stream
	Sizes      []int64 `json:"sizes"`      // compressed bytes of each frame, in order
	Digests    []byte  `json:"digests"`    // digestBytes of SHA-256 of each compressed frame, one after the other
}

// digestBytes of a frame's SHA-256 are kept: nobody can make another frame for them, and the index
// of a terabyte stays at 20 MB.
const digestBytes = 16

func digest(packed []byte) []byte {
	sum := sha256.Sum256(packed)
	return sum[:digestBytes]
}

type block struct {
	raw, packed []byte
	digest      []byte
	level       int           // it was compressed at
	busy, cpu   time.Duration // that took, and on a core
	err         error
	ready       chan struct{}
}

// Writer compresses and encrypts what is written to it. It is not safe for concurrent use.
type Writer struct {
	out      io.Writer
	seal     io.Closer    // nil without encryption
	level    atomic.Int32 // of the next frames
	pace     *pace        // nil: the level is fixed; of the collector
	levels   map[int]int64
	free     chan *block
	jobs     chan *block
	order    chan *block
	current  *block
	index    Index
	running  sync.WaitGroup
	stopped  bool
	failOnce sync.Once
	failed   chan struct{} // closed at the first error of the goroutines
	err      error         // valid once failed is closed
}

// NewWriter starts the compressors. The caller must end it with Close or Abort.
func NewWriter(dst io.Writer, recipients []age.Recipient, level Level) (*Writer, error) {
	w := &Writer{
		out: dst, levels: map[int]int64{}, index: Index{FrameBytes: FrameBytes},
		free: make(chan *block, blocks), jobs: make(chan *block, blocks), order: make(chan *block, blocks),
		failed: make(chan struct{}),
	}
	if len(recipients) > 0 {
		sealer, err := age.Encrypt(dst, recipients...)
		if err != nil {
			return nil, fmt.Errorf("sealed: encrypt for %d recipients: %w", len(recipients), err)
		}
		w.out, w.seal = sealer, sealer
	}
	w.level.Store(int32(level))
	if level == Auto {
		w.pace = newPace(time.Now())
		w.level.Store(lowest)
	}
	for range blocks {
		w.free <- &block{}
	}
	w.running.Add(workers + 1)
	for range workers {
		go w.compress()
	}
	go w.collect()
	return w, nil
}

// Write hands p on in frames. It blocks while all frames are in use and returns the first error
// of the destination.
func (w *Writer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if w.current == nil {
			select {
			case w.current = <-w.free:
			case <-w.failed:
				return written, w.err
			}
			if w.current.raw == nil {
				w.current.raw = make([]byte, 0, FrameBytes)
			}
			w.current.raw = w.current.raw[:0]
		}
		n := min(len(p), FrameBytes-len(w.current.raw))
		w.current.raw = append(w.current.raw, p[:n]...)
		p, written = p[n:], written+n
		if len(w.current.raw) == FrameBytes {
			w.dispatch()
		}
	}
	return written, nil
}

// dispatch cannot block: both channels have room for every block there is.
func (w *Writer) dispatch() {
	b := w.current
	b.ready = make(chan struct{})
	w.index.RawBytes += int64(len(b.raw))
	w.current = nil
	w.order <- b
	w.jobs <- b
}

// compress keeps its thread, so that the thread's CPU time is the encoder's.
func (w *Writer) compress() {
	defer w.running.Done()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	encoder := newEncoder()
	for b := range w.jobs {
		b.level = int(w.level.Load())
		began, beganCPU := time.Now(), threadCPU()
		b.packed, b.err = encoder.encode(b.packed, b.raw, b.level)
		b.busy, b.cpu = time.Since(began), threadCPU()-beganCPU
		b.digest = digest(b.packed)
		close(b.ready)
	}
}

// threadCPU is what this thread has had of a core.
func threadCPU() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // cannot fail for a clock that Linux has
	return time.Duration(t.Nano())
}

// collect writes the frames in order. After an error it goes on taking blocks, so that nobody waits.
func (w *Writer) collect() {
	defer w.running.Done()
	for b := range w.order {
		<-b.ready
		select {
		case <-w.failed:
		default:
			w.take(b)
		}
		w.free <- b
	}
}

// take writes the next frame.
func (w *Writer) take(b *block) {
	if b.err != nil {
		w.fail(b.err)
		return
	}
	w.index.Sizes = append(w.index.Sizes, int64(len(b.packed)))
	w.index.Digests = append(w.index.Digests, b.digest...)
	w.levels[b.level]++
	if _, err := w.out.Write(b.packed); err != nil {
		w.fail(fmt.Errorf("sealed: write frame %d: %w", len(w.index.Sizes), err))
	}
	if w.pace != nil {
		w.level.Store(int32(w.pace.took(b.busy, b.cpu, time.Now())))
	}
}

func (w *Writer) fail(err error) {
	w.failOnce.Do(func() { w.err = err; close(w.failed) })
}

// Close writes what is left and the end of the encryption. It does not close the destination.
// An empty stream becomes one empty frame, so that every decompressor accepts it.
func (w *Writer) Close() error {
	if w.current != nil && len(w.current.raw) > 0 {
		w.dispatch()
	} else if w.index.RawBytes == 0 {
		b := <-w.free
		b.raw = b.raw[:0]
		w.current = b
		w.dispatch()
	}
	w.stop()
	select {
	case <-w.failed:
		return w.err
	default:
	}
	if w.seal != nil {
		if err := w.seal.Close(); err != nil {
			return fmt.Errorf("sealed: finish encryption: %w", err)
		}
	}
	return nil
}

// Abort ends the goroutines without finishing the stream. It may follow Close.
func (w *Writer) Abort() {
	w.fail(io.ErrClosedPipe)
	w.stop()
}

func (w *Writer) stop() {
	if w.stopped {
		return
	}
	w.stopped = true
	close(w.jobs)
	close(w.order)
	w.running.Wait()
}

// Index is the place of each frame. Valid after Close.
func (w *Writer) Index() Index { return w.index }

// Levels says how many frames were compressed at which level, lowest first. Valid after Close.
func (w *Writer) Levels() []LevelFrames { return counted(w.levels) }
