package stored

import (
	"bytes"
	"context"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Archive is the dump of a set, of one stream or of several that are read as one, whose head and tables can each be
// read alone.
type Archive struct {
	Recorded *archive.Archive // as the contents have it
	Begin    []byte           // of the raw dump, the head and what comes with it; nil: it is fetched each time

	reading *Reading
}

// Archive is the set's dump, which must be Readable in parts.
func (r *Reading) Archive(begin []byte) *Archive {
	return &Archive{Recorded: r.Contents.Archive, Begin: begin, reading: r}
}

// Spans are the raw parts that reading these data blocks fetches.
func (a *Archive) Spans(blocks []int) (spans []sealed.Span) {
	for _, piece := range a.Recorded.SubsetParts(blocks) {
		if s := (sealed.Span{From: max(piece.Offset, int64(len(a.Begin))), To: piece.End}); s.From < s.To {
			spans = append(spans, s)
		}
	}
	return spans
}

// Cost is how many stored bytes reading these data blocks fetches.
func (a *Archive) Cost(blocks []int) int64 {
	spans := a.Spans(blocks)
	if len(spans) == 0 {
		return 0
	}
	return Cost(a.reading.Set, a.reading.Contents, spans)
}

// Blocks reads the head and then these data blocks, in archive order. The context ends it.
func (a *Archive) Blocks(ctx context.Context, blocks []int) (*Blocks, error) {
	spans := a.Spans(blocks)
	if len(spans) == 0 {
		return &Blocks{Reader: archive.Subset(bytes.NewReader(a.Begin), a.Recorded, blocks)}, nil
	}
	parts, err := a.reading.Parts(ctx, spans)
	if err != nil {
		return nil, err
	}
	return &Blocks{Reader: archive.Subset(&withBegin{a.Begin, parts}, a.Recorded, blocks), parts: parts}, nil
}

// Blocks is an archive with some of its data blocks, while it is read.
type Blocks struct {
	io.Reader
	parts Parts // nil: all of it was in memory
}

// Fetched is how many stored bytes came for it.
func (b *Blocks) Fetched() int64 {
	if b.parts == nil {
		return 0
	}
	return b.parts.Fetched()
}

// Close ends the request that is open.
func (b *Blocks) Close() error {
	if b.parts == nil {
		return nil
	}
	return b.parts.Close()
}

// withBegin serves the begin from memory.
type withBegin struct {
	begin []byte
	rest  io.ReaderAt
}

func (w *withBegin) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(w.begin)) {
		return w.rest.ReadAt(p, off)
	}
	n := copy(p, w.begin[off:])
	if n < len(p) {
		m, err := w.rest.ReadAt(p[n:], off+int64(n))
		return n + m, err
	}
	return n, nil
}
