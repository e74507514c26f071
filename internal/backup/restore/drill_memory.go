package restore

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A row passes through memory whole, in several copies at once, and the units of a drill may have only so
// much. What a row needs is not exact, so a drill is not refused for it: it says so before the load, and
// names the row when its server ended.

// Copies of a row's COPY text that there are at once at most. The server has the message, the line, its
// fields, the value and its compressed form (copyfromparse.c, heaptoast.c); pg_restore the chunk and
// libpq's buffer, which doubles.
const (
	serverCopies = 5
	clientCopies = 3
)

// ownBytes is what each of the two needs besides.
const ownBytes = 256 << 20

// largest is the longest row that the set knows, with its table; 0 when none has a megabyte.
func (d *drilling) largest() (bytes int64, table string) {
	if !d.source.listed() {
		return 0, ""
	}
	for _, t := range d.source.contents.Archive.Tables() {
		if t.LargestRow > bytes {
			bytes, table = t.LargestRow, t.Schema+"."+t.Name
		}
	}
	return bytes, table
}

// tellMemory says before the load what may not fit.
func (d *drilling) tellMemory(ctx context.Context) {
	row, table := d.largest()
	for _, side := range []struct {
		unit          string
		copies, limit int64
	}{
		{"the drill's server", serverCopies, d.drill.ServerMemory},
		{"the drill", clientCopies, d.drill.Memory},
	} {
		need := row*side.copies + ownBytes
		if side.limit > 0 && row > 0 && need > side.limit {
			d.log.WarnContext(ctx, fmt.Sprintf(
				"a row of %s has %s, which may need %s of memory: the unit of %s may have %s (MemoryMax=)",
				table, humanize.IBytes(uint64(row)), humanize.IBytes(uint64(need)), side.unit,
				humanize.IBytes(uint64(side.limit))), event.Attr(event.Warning))
		}
	}
}

// nameRow adds to the end of a server the row that may have been too much for it.
func (d *drilling) nameRow(err error) error {
	row, table := d.largest()
	if err == nil || row*serverCopies < ownBytes || d.scene.private == nil || d.scene.private.Err() == nil ||
		fault.CodeOf(err) != fault.Failed {
		return err
	}
	return fault.New(fault.CodeOf(err), fmt.Sprintf("the largest row of the set, in %s, has %s and may need %s of memory",
		table,
		humanize.IBytes(uint64(row)), humanize.IBytes(uint64(row*serverCopies+ownBytes))), fault.Remedy(err), err)
}
