package s3server

import (
	"encoding/hex"
	"errors"
	"io"
	"os"
	"syscall"
)

// Bytes of objects and parts: data files, written once, kept as long as somebody reads them.

// write streams a payload into a data file of its own; nothing stays behind on error.
func (b *bucket) write(p *payload) (segment, stored, error) {
	name := randomHex(16)
	f, err := os.OpenFile(b.dataPath(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return segment{}, stored{}, err
	}
	got, err := p.copyTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return segment{}, got, errors.Join(err, os.Remove(f.Name()))
	}
	return segment{File: name, Size: got.size}, got, nil
}

// drop removes an object's data, now or when its last reader is done.
func (b *bucket) drop(o *object) {
	o.dropped = true
	if o.readers == 0 {
		b.discard(o.Segments...)
	}
}

func (b *bucket) discard(segments ...segment) {
	for _, s := range segments {
		_ = os.Remove(b.dataPath(s.File)) // swept at the next start if this fails
	}
}

func (b *bucket) release(o *object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o.readers--
	if o.dropped && o.readers == 0 {
		b.discard(o.Segments...)
	}
}

// read copies length bytes of o from offset to w.
func (b *bucket) read(w io.Writer, o *object, offset, length int64) error {
	for _, s := range o.Segments {
		if offset >= s.Size {
			offset -= s.Size
			continue
		}
		n := min(length, s.Size-offset)
		if n == 0 {
			return nil
		}
		if err := b.readSegment(w, s, offset, n); err != nil {
			return err
		}
		offset, length = 0, length-n
	}
	return nil
}

// smallBytes are read at once and sent with the answer's header, without the runtime's poller, which cannot wait for
// files anyway: a listing of very many sets reads very many small objects.
const smallBytes = 64 << 10

func (b *bucket) readSegment(w io.Writer, s segment, offset, n int64) error {
	if n <= smallBytes {
		return b.readSmall(w, s, offset, n)
	}
	f, err := os.Open(b.dataPath(s.File))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	_, err = io.CopyN(w, f, n)
	return err
}

func (b *bucket) readSmall(w io.Writer, s segment, offset, n int64) error {
	fd, err := syscall.Open(b.dataPath(s.File), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	raw := make([]byte, n)
	for done := int64(0); done < n; {
		got, err := syscall.Pread(fd, raw[done:], offset+done)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		case got == 0:
			return io.ErrUnexpectedEOF
		}
		done += int64(got)
	}
	_, err = w.Write(raw)
	return err
}

// newETag is the MD5 in hex, or, as on S3 for KMS, something that is not.
func newETag(sse string, md5 []byte) string {
	if sse == "aws:kms" || sse == "aws:kms:dsse" {
		return randomHex(16)
	}
	return hex.EncodeToString(md5)
}
