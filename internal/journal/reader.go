// Reading entries page by page.
//
// Rules: a page starts at a cursor and ends at its limit, so a journal of any size costs the
// same; one call at a time uses the open journal; whoever may not read is told so, since
// libsystemd itself shows such a person an empty journal.

package journal

import (
	"context"
	"slices"
	"sync"
)

// Options are which journal to read. The zero value is this machine's.
type Options struct {
	Dir string // a directory with *.journal files, instead
}

// Reader reads the journal. It is safe for concurrent use.
type Reader struct {
	dir    string
	open   func(dir string) (source, error)
	turn   chan struct{} // holds a token while nobody uses source
	source source

	mu        sync.Mutex
	closed    bool
	followers map[*follower]context.CancelFunc
	running   sync.WaitGroup
}

// Open opens the journal for reading. Its errors carry fault.NotPermitted where this user may
// not read the system's journal, fault.Unavailable where there is none.
func Open(ctx context.Context, opts Options) (*Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkAccess(opts.Dir); err != nil {
		return nil, err
	}
	src, err := openSource(opts.Dir)
	if err != nil {
		return nil, unavailable(err)
	}
	return newReader(opts.Dir, src), nil
}

func newReader(dir string, src source) *Reader {
	r := &Reader{
		dir: dir, open: openSource, source: src,
		turn: make(chan struct{}, 1), followers: map[*follower]context.CancelFunc{},
	}
	r.turn <- struct{}{}
	return r
}

// Close ends all followers, waits for them and for a page under way, and closes the journal.
func (r *Reader) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	for _, cancel := range r.followers {
		cancel()
	}
	r.mu.Unlock()
	r.running.Wait()
	<-r.turn // never given back: later calls find closed
	err := r.source.close()
	close(r.turn)
	return err
}

// Direction is the way a page goes from its cursor.
type Direction int

// Older goes back in time, Newer forward.
const (
	Older Direction = iota
	Newer
)

// Position is where a page starts, which way it goes and how far.
type Position struct {
	Cursor    string // not itself in the page; "": the newest entry for Older, the oldest for Newer
	Direction Direction
	Limit     int // entries; 0: 200; at most 1000
}

// Page is a piece of the journal.
type Page struct {
	Entries []Entry // oldest first, whichever the direction
	Next    string  // cursor from which the same direction goes on; "" when nothing was looked at
	More    bool    // the limit ended the page, not the journal; a page may be empty and have more
}

const (
	defaultLimit = 200
	maxLimit     = 1000
	maxPageBytes = 8 << 20
	// maxSearched is how many entries a search may look at for one page.
	maxSearched = 5_000
)

// Page reads the entries of q from a position on.
func (r *Reader) Page(ctx context.Context, q Query, at Position) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, err
	}
	select {
	case _, open := <-r.turn:
		if !open {
			return Page{}, errClosed
		}
	case <-ctx.Done():
		return Page{}, ctx.Err()
	}
	defer func() { r.turn <- struct{}{} }()
	units, err := resolveUnits(r.source, q)
	if err != nil {
		return Page{}, err
	}
	return readPage(ctx, r.source, q, units, at)
}

// resolveUnits is the query's units with globs replaced by what the journal knows.
func resolveUnits(src source, q Query) ([]string, error) {
	if !q.hasGlobs() {
		return q.resolve(nil), nil
	}
	known, err := src.unitNames()
	if err != nil {
		return nil, err
	}
	return q.resolve(known), nil
}

func readPage(ctx context.Context, src source, q Query, units []string, at Position) (Page, error) {
	matches := q.matches(units)
	if matches == nil {
		return Page{Next: at.Cursor}, nil
	}
	c := newCollector(q, at)
	if err := src.scan(ctx, c.scan(matches), c.visit); err != nil {
		return Page{}, err
	}
	if at.Direction == Older {
		slices.Reverse(c.page.Entries)
	}
	return c.page, nil
}

// collector fills one page.
type collector struct {
	query    Query
	at       Position
	limit    int
	page     Page
	bytes    int
	searched int
}

func newCollector(q Query, at Position) *collector {
	limit := at.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	return &collector{query: q, at: at, limit: min(limit, maxLimit), page: Page{Next: at.Cursor}}
}

func (c *collector) scan(matches [][]string) scan {
	s := scan{matches: matches, from: c.at.Cursor, older: c.at.Direction == Older, start: c.query.Since}
	if s.older {
		s.start = c.query.Until
	}
	return s
}

func (c *collector) visit(e Entry) (goOn bool) {
	early := !c.query.Since.IsZero() && e.Time.Before(c.query.Since)
	late := !c.query.Until.IsZero() && e.Time.After(c.query.Until)
	if older := c.at.Direction == Older; early && older || late && !older {
		return false
	}
	c.page.Next = e.Cursor
	c.searched++
	if !early && !late && c.query.found(e.Message) {
		c.page.Entries = append(c.page.Entries, e)
		c.bytes += e.sizeBytes()
	}
	c.page.More = len(c.page.Entries) >= c.limit || c.bytes >= maxPageBytes || c.searched >= maxSearched
	return !c.page.More
}
