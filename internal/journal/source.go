// Where entries come from: the journal's files. Page and Follow are written on top of this.
//
// An interface although there is one implementation: a build without cgo has none, and still compiles.

package journal

import (
	"context"
	"time"
)

// source is an open journal. One goroutine uses it at a time.
type source interface {
	// scan visits matching entries one by one until visit returns false or there are no more.
	scan(ctx context.Context, s scan, visit func(Entry) bool) error
	// unitNames are all values of _SYSTEMD_UNIT, then all of UNIT.
	unitNames() ([]string, error)
	// wait blocks until the journal may have changed, or for a moment (changed is false), or
	// until ctx ends. The first call returns at once: from then on nothing is missed.
	wait(ctx context.Context) (changed bool, err error)
	close() error
}

// scan is where to start and which way to go. Entries come in that order.
type scan struct {
	matches [][]string // see Query.matches; nil: every entry
	from    string     // cursor, not itself visited; "": the end to start at
	start   time.Time  // with from "": the time to start at; zero: first or last entry
	older   bool       // backwards
}

// unreadable stands for an entry that exists but whose data the journal cannot give.
func unreadable(cursor string, realtimeUsec uint64, why string) Entry {
	return newEntry(cursor, realtimeUsec, map[string]string{
		"MESSAGE": "this journal entry cannot be read: " + why, "PRIORITY": "4",
	})
}
