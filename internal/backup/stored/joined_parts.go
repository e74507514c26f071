package stored

import (
	"context"
	"fmt"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// joinedParts reads parts of the joined archive.
func (r *Reading) joinedParts(ctx context.Context, spans []sealed.Span) (Parts, error) {
	streams, err := streamsOf(r.Set, r.Contents)
	if err != nil {
		return nil, err
	}
	p := &joinedRanges{streams: streams, whole: r.Contents.Archive, parts: make([]Parts, len(streams))}
	for i, wanted := range wantedOf(streams, r.Contents, spans) {
		if len(wanted) == 0 {
			continue
		}
		if p.parts[i], err = r.partsOf(ctx, streams[i], wanted); err != nil {
			_ = p.Close()
			return nil, err
		}
	}
	if p.parts[0] != nil {
		lead := io.NewSectionReader(p.parts[0], 0, streams[0].head)
		p.head = archive.EditHead(lead, archive.Edit{Insert: r.Contents.Streams.Inserted})
	}
	return p, nil
}

// joinedRanges are parts of the joined archive.
type joinedRanges struct {
	streams []stream
	parts   []Parts // by stream; nil: nothing of it is wanted
	whole   *archive.Archive
	head    io.Reader // nil: not wanted
	headAt  int64
}

// ReadAt keeps io.ReaderAt's rules, less parallel calls; it reads forward.
func (j *joinedRanges) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := j.readSome(p[n:], off+int64(n))
		j.whole.Number(p[n:n+m], off+int64(n))
		n += m
		if err != nil && n < len(p) {
			return n, err
		}
	}
	return n, nil
}

// readSome reads what of p is in one stream.
func (j *joinedRanges) readSome(p []byte, off int64) (int, error) {
	if off < j.whole.HeadBytes {
		return j.readHead(p[:min(int64(len(p)), j.whole.HeadBytes-off)], off)
	}
	for i, s := range j.streams {
		if off < s.joined.From || off >= s.joined.To {
			continue
		}
		if j.parts[i] == nil {
			return 0, fmt.Errorf("backup: byte %d of the dump was not asked for", off)
		}
		return j.parts[i].ReadAt(p[:min(int64(len(p)), s.joined.To-off)], off-s.joined.From+s.head)
	}
	return 0, io.EOF
}

func (j *joinedRanges) readHead(p []byte, off int64) (int, error) {
	if j.head == nil || off < j.headAt {
		return 0, fmt.Errorf("backup: byte %d of the dump's head was not asked for, or read already", off)
	}
	skipped, err := io.CopyN(io.Discard, j.head, off-j.headAt)
	j.headAt += skipped
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(j.head, p)
	j.headAt += int64(n)
	return n, err
}

// Fetched is how many stored bytes have come so far.
func (j *joinedRanges) Fetched() (n int64) {
	for _, p := range j.parts {
		if p != nil {
			n += p.Fetched()
		}
	}
	return n
}

// Close ends the requests that are open.
func (j *joinedRanges) Close() error {
	for _, p := range j.parts {
		if p != nil {
			_ = p.Close()
		}
	}
	return nil
}
