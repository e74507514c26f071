package restore

import (
	"cmp"
	"slices"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
)

// Which session loads which tables. It is decided while they load: a session that is free takes the largest table that
// is left, and with it as much as makes the start of a program worth it. The less is left, the less it takes, so that
// all end at about the same time. Small tables stay beside their neighbours of the archive, with which they share
// frames.

// leastBatch is the size below which a batch is not cut further: pg_restore takes some hundredths of a second to start
// and to log in.
const leastBatch = 4 << 20

// share is one block of data that is to be loaded.
type share struct {
	of    *stored.Archive
	entry int
	bytes int64
}

// rowQueue is what no session has taken yet. It may be used by several goroutines.
type rowQueue struct {
	sessions int64

	mu    sync.Mutex
	large []share // the largest first
	small []share // in archive order
	left  int64   // bytes of both
	least int64
}

func newRowQueue(sessions int) *rowQueue {
	return &rowQueue{sessions: int64(max(1, sessions)), least: leastBatch}
}

// add takes the blocks of these entries of an archive.
func (q *rowQueue) add(of *stored.Archive, entries []int) {
	wanted := make(map[int]bool, len(entries))
	for _, id := range entries {
		wanted[id] = true
	}
	q.least = max(q.least, 4*of.Recorded.HeadBytes) // which every session reads
	for _, d := range of.Recorded.Data {
		s := share{of: of, entry: d.DumpID, bytes: d.End - d.Offset}
		switch {
		case !wanted[d.DumpID]:
			continue
		case s.bytes >= leastBatch:
			q.large = append(q.large, s)
		default:
			q.small = append(q.small, s)
		}
		q.left += s.bytes
	}
	slices.SortStableFunc(q.large, func(a, b share) int { return cmp.Compare(b.bytes, a.bytes) })
}

// next is what a session loads next, of one archive and in its order; of is nil when nothing is left.
func (q *rowQueue) next() (of *stored.Archive, entries []int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := &q.large
	if len(q.large) == 0 {
		from = &q.small
	}
	if len(*from) == 0 {
		return nil, nil
	}
	of = (*from)[0].of
	enough := max(q.least, q.left/(2*q.sessions))
	var size int64
	taken := map[int]bool{}
	rest := (*from)[:0:0]
	for _, s := range *from {
		if s.of != of || len(taken) > 0 && size+s.bytes > enough {
			rest = append(rest, s)
			continue
		}
		size += s.bytes
		taken[s.entry] = true
	}
	*from = rest
	q.left -= size
	for _, d := range of.Recorded.Data {
		if taken[d.DumpID] {
			entries = append(entries, d.DumpID)
		}
	}
	return of, entries
}
