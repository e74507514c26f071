package stored

import (
	"bytes"
	"context"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Archive is a dump whose head and tables can be read each by itself. The streams of a set are one, as they are joined.
type Archive struct {
	Recorded *archive.Archive // as the contents have it
	Begin    []byte           // the raw begin, as far as HeadFrames; nil: it is fetched each time

	reading  *Reading
	contents *backup.Contents
}

// Archives are the set's, the one with the definitions first. There are none where the set has no index that fits: then
// it is only read whole.
func (r *Reading) Archives(contents *backup.Contents) []*Archive {
	if r.Set.Manifest == nil || contents == nil || contents.Archive == nil || !Readable(r.Set, contents) {
		return nil
	}
	return []*Archive{{Recorded: contents.Archive, reading: r, contents: contents}}
}

// HeadFrames are the frames that hold the head.
func (a *Archive) HeadFrames() sealed.Span { return HeadSpan(a.contents) }

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
	return Cost(a.reading.Set, a.contents, spans)
}

// Blocks reads the head and then these data blocks, in archive order. The context ends it.
func (a *Archive) Blocks(ctx context.Context, blocks []int) (*Blocks, error) {
	spans := a.Spans(blocks)
	if len(spans) == 0 {
		return &Blocks{Reader: archive.Subset(bytes.NewReader(a.Begin), a.Recorded, blocks)}, nil
	}
	ranged, err := a.reading.Parts(ctx, spans)
	if err != nil {
		return nil, err
	}
	return &Blocks{Reader: archive.Subset(&withBegin{a.Begin, ranged}, a.Recorded, blocks), ranged: ranged}, nil
}

// Blocks is an archive with some of its data blocks, while it is read.
type Blocks struct {
	io.Reader
	ranged Parts // nil: all of it was in memory
}

// Fetched is how many stored bytes came for it.
func (b *Blocks) Fetched() int64 {
	if b.ranged == nil {
		return 0
	}
	return b.ranged.Fetched()
}

// Close ends the request that is open.
func (b *Blocks) Close() error {
	if b.ranged == nil {
		return nil
	}
	return b.ranged.Close()
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
