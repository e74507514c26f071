package postgres

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipes collects the two sides of a program's pipes until it has started. They are our own, not
// those of os/exec, whose Wait would close output that has not been read yet.
type pipes struct {
	child, ours []*os.File
	err         error
}

func (p *pipes) output(end *io.Writer) *os.File {
	r, w := p.make()
	return p.toChild(end, r, w)
}

// stream is output for gigabytes. Its ends are unknown to the runtime's poller, which each of the
// program's writes would wake, whether or not anybody waits for it. Reading blocks a thread, and
// ends when the program does.
func (p *pipes) stream(end *io.Writer) *os.File {
	var fds [2]int
	if p.err == nil {
		p.err = os.NewSyscallError("pipe2", unix.Pipe2(fds[:], unix.O_CLOEXEC))
	}
	if p.err != nil {
		return nil
	}
	return p.toChild(end, os.NewFile(uintptr(fds[0]), "|0"), os.NewFile(uintptr(fds[1]), "|1"))
}

func (p *pipes) toChild(end *io.Writer, r, w *os.File) *os.File {
	if p.err == nil {
		*end = w
		p.child, p.ours = append(p.child, w), append(p.ours, r)
	}
	return r
}

func (p *pipes) input(end *io.Reader) *os.File {
	r, w := p.make()
	if p.err == nil {
		*end = r
		p.child, p.ours = append(p.child, r), append(p.ours, w)
	}
	return w
}

func (p *pipes) make() (r, w *os.File) {
	if p.err == nil {
		r, w, p.err = os.Pipe()
	}
	return r, w
}

func (p *pipes) closeChild() { closeAll(p.child) }
func (p *pipes) closeOurs()  { closeAll(p.ours) }

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// source feeds a program's standard input and remembers how the reader ended: a broken download
// must not be reported as whatever the program made of its half.
type source struct {
	r    io.Reader
	err  error // of r, other than io.EOF; valid after done
	end  bool  // r was read to its end
	done chan struct{}
}

func newSource(r io.Reader) *source { return &source{r: r, done: make(chan struct{})} }

// feed copies to w in a goroutine that ends with the reader, the program, or the pipe.
func (s *source) feed(w *os.File) {
	go func() {
		defer close(s.done)
		defer w.Close()
		_, _ = io.Copy(onlyWriter{w}, s) // a program that stops reading has its own reason
	}()
}

// onlyWriter hides ReadFrom, which could bypass source.Read.
type onlyWriter struct{ io.Writer }

// Read reads the input and keeps its end.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	switch {
	case errors.Is(err, io.EOF):
		s.end = true
	case err != nil:
		s.err = err
	}
	return n, err
}

// finish takes the program's result, after its end. It waits for the feeding goroutine, prefers
// the input's own error, and on success reads the rest when drain is set.
func (s *source) finish(result error, drain bool) error {
	<-s.done
	if s.err == nil && result == nil && drain && !s.end {
		_, _ = io.Copy(io.Discard, s)
	}
	if s.err != nil {
		return fmt.Errorf("postgres: read archive: %w", s.err)
	}
	return result
}
