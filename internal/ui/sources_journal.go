package ui

import (
	"context"
	"time"
)

// The journal, and the runs that ended, which it knows.

// Journal reads entries of our units. Only entries that systemd itself vouches for belong here.
type Journal interface {
	// Page is the newest q.Limit entries before q.Before (a cursor, "" = the end), oldest
	// first. No right to read is an error with a remedy, never an empty page.
	Page(ctx context.Context, q JournalQuery) (JournalPage, error)
	// Follow sends entries after q.After (a cursor, "" = from now on) in batches, at most five
	// batches a second, until ctx ends; then it closes the channel.
	Follow(ctx context.Context, q JournalQuery) (<-chan []Entry, error)
}

// History reads the runs that the journal remembers.
type History interface {
	// Ended is a page of runs that are over, or were lost, newest first: those before a position that the page before
	// it gave ("" = the newest). Live ones may be among them.
	Ended(ctx context.Context, before string) (HistoryPage, error)
}

// HistoryPage is one page of runs.
type HistoryPage struct {
	Runs   []UnitRun
	Before string // where the next page begins; "": the journal remembers no more
}

// JournalQuery selects entries.
type JournalQuery struct {
	Unit        string // "" = all of ours
	Invocation  string // "" = all
	MaxPriority int    // syslog: 7 = all, 4 = warnings and worse
	Since       time.Time
	Before      string
	After       string
	Limit       int
}

// JournalPage is one page of entries.
type JournalPage struct {
	Entries []Entry
	More    bool // older ones exist
}

// Entry is one journal entry.
type Entry struct {
	Cursor   string
	Time     time.Time
	Unit     string
	Priority int // syslog, 0..7
	Message  string
	Fields   map[string]string // all others, trusted ones included
}
