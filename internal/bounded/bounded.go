// Package bounded is the one way to take something from outside into memory whole: an object of the
// bucket, an answer of a server, the output of a program, a file that somebody else writes.
//
// Rules: the reader names the largest size that makes sense, and what is larger is an error, never
// a part that looks like the whole. Nothing is taken beyond the limit, however much comes.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// ErrTooLarge says that there is more than the limit.
var ErrTooLarge = errors.New("larger than anything that belongs there")

// File is the limit for files that people write by hand: settings, unit files, keys.
const File = 4 << 20

// ReadAll is all of r, which has at most limit bytes.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("more than %d bytes: %w", limit, ErrTooLarge)
	}
	return raw, err
}

// Head is the first bytes of r, at most limit: of an answer of which only the beginning is told.
func Head(r io.Reader, limit int64) ([]byte, error) { return io.ReadAll(io.LimitReader(r, limit)) }

// ReadFile is a file of at most limit bytes.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := ReadAll(f, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return raw, nil
}

// ErrNotPlain says that there is something else than a file.
var ErrNotPlain = errors.New("not a plain file")

// ReadPlain is ReadFile for a folder that another user writes to: a link that was planted there is not followed, and a
// pipe does not hold the reader.
func ReadPlain(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotPlain
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	raw, err := ReadAll(f, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return raw, nil
}

// Reader passes r on and fails behind limit bytes, for what is read as it comes.
func Reader(r io.Reader, limit int64) io.Reader { return &reader{r, limit} }

type reader struct {
	from io.Reader
	left int64
}

func (r *reader) Read(p []byte) (int, error) {
	if r.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.from.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
