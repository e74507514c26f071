package sealed

import (
	"errors"
	"io"
)

// forward is an io.ReaderAt over planned ranges of the stored object, each read from its begin to
// its end by one request, and over what is kept in memory.
type forward struct {
	fetch   Fetch
	spans   []Span
	kept    []held
	body    io.ReadCloser
	at, end int64 // of body
	fetched int64
	tally   *tally // nil: nobody asks for the hash of all
	err     error  // of the store: says nothing about the object
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

// keptBytes is the bytes of a span that was kept.
func (f *forward) keptBytes(s Span) []byte {
	for _, h := range f.kept {
		if h.Span == s {
			return h.bytes
		}
	}
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
	if f.tally != nil {
		f.tally.saw(off, p[:got])
	}
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
	f.body = body
	f.at = s.From
	f.end = s.To
	return nil
}

func (f *forward) read(p []byte) (int, error) {
	n, err := io.ReadFull(f.body, p)
	f.at += int64(n)
	f.fetched += int64(n)
	if err == io.EOF { // the very value: nobody may take it for the end of the stream
		err = io.ErrUnexpectedEOF
	}
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
