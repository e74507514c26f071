package archive

import (
	"fmt"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Subset reads, out of the archive a in ra, its head and only the data blocks of the given
// dump ids, in archive order: enough for `pg_restore --data-only -t NAME`, which must get it
// through a pipe. From a file, pg_restore would trust the positions that an archive written to
// a file records in its head, and these count the blocks that are left out.
//
// An id without data makes the first Read fail with ErrNoData. A source that ends too early is
// io.ErrUnexpectedEOF, never a shorter archive.
func Subset(ra io.ReaderAt, a *Archive, dumpIDs []int) io.Reader {
	there := make(map[int]bool, len(a.Data))
	for _, d := range a.Data {
		there[d.DumpID] = true
	}
	for _, id := range dumpIDs {
		if !there[id] {
			what := fmt.Sprintf("archive: read data block %d", id)
			return failed{fault.New(fault.NotFound, what, "Choose one of the archive's tables.", ErrNoData)}
		}
	}
	var parts []io.Reader
	for _, p := range a.SubsetParts(dumpIDs) {
		parts = append(parts, section(ra, p.Offset, p.End))
	}
	return io.MultiReader(parts...)
}

// Part is the bytes [Offset, End) of an archive.
type Part struct{ Offset, End int64 }

// SubsetParts are the places that Subset reads, in order.
func (a *Archive) SubsetParts(dumpIDs []int) []Part {
	wanted := make(map[int]bool, len(dumpIDs))
	for _, id := range dumpIDs {
		wanted[id] = true
	}
	parts := []Part{{0, a.HeadBytes}}
	for _, d := range a.Data {
		if wanted[d.DumpID] {
			parts = append(parts, Part{d.Offset, d.End})
		}
	}
	return parts
}

// section reads [from, end) of ra, all of it or an error.
func section(ra io.ReaderAt, from, end int64) io.Reader {
	return &exact{r: io.NewSectionReader(ra, from, end-from), left: end - from}
}

type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		return n, fmt.Errorf("archive: %d bytes of the source are missing: %w", e.left, io.ErrUnexpectedEOF)
	}
	return n, err
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
