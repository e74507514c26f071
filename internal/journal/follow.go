// Following the journal: batches of entries as they are written.
//
// Rules: one goroutine and one open journal per follower; it ends with its context or its
// reader, and closes its channel then; a slow reader of the channel slows it down and makes
// batches larger, up to maxBatch; nothing is skipped and nothing comes twice.

package journal

import (
	"context"
	"errors"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const (
	maxBatch = 500
	// pace is the least time between two looks, so that a busy journal gives few large batches.
	pace = 200 * time.Millisecond
)

var errClosed = errors.New("journal: the reader is closed")

// Batch is what came since the one before: entries, oldest first, or the error that ends the
// following.
type Batch struct {
	Entries []Entry
	Err     error
}

// Follow hands out the entries of q after a cursor; "" means those written from now on. Since
// and Until of q are not used. The channel is closed when ctx ends, the reader is closed, or
// after a batch with an error.
func (r *Reader) Follow(ctx context.Context, q Query, after string) (<-chan Batch, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	src, err := r.open(r.dir)
	if err != nil {
		return nil, unavailable(err)
	}
	return r.follow(ctx, src, q, after)
}

func (r *Reader) follow(ctx context.Context, src source, q Query, after string) (<-chan Batch, error) {
	q.Since, q.Until = time.Time{}, time.Time{}
	f := &follower{source: src, query: q, cursor: after, out: make(chan Batch)}
	if err := f.begin(ctx); err != nil {
		return nil, errors.Join(err, src.close())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.Join(errClosed, src.close())
	}
	ctx, cancel := context.WithCancel(ctx)
	r.followers[f] = cancel
	r.running.Go(func() {
		f.run(ctx)
		cancel()
		r.mu.Lock()
		delete(r.followers, f)
		r.mu.Unlock()
	})
	return f.out, nil
}

type follower struct {
	source source
	query  Query
	units  []string // that the query's globs mean now
	cursor string   // of the last entry looked at
	out    chan Batch
}

// begin finds the end of the journal, so that "from now on" is the moment of the call.
func (f *follower) begin(ctx context.Context) (err error) {
	if f.units, err = resolveUnits(f.source, f.query); err != nil || f.cursor != "" {
		return err
	}
	return f.source.scan(ctx, scan{older: true}, func(e Entry) bool {
		f.cursor = e.Cursor
		return false
	})
}

func (f *follower) run(ctx context.Context) {
	defer close(f.out)
	err := f.loop(ctx)
	if closeErr := f.source.close(); err == nil {
		err = closeErr
	}
	if ctx.Err() == nil && err != nil {
		f.send(ctx, Batch{Err: unavailable(err)})
	}
}

func (f *follower) loop(ctx context.Context) error {
	for {
		page, err := f.look(ctx)
		if err != nil {
			return err
		}
		if len(page.Entries) > 0 && !f.send(ctx, Batch{Entries: page.Entries}) {
			return nil
		}
		if page.More {
			continue
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

func (f *follower) send(ctx context.Context, b Batch) (sent bool) {
	select {
	case f.out <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

// look reads what came after the cursor. When a glob's unit appeared in the meantime, its
// entries may lie among those just read, so they are read again with the new unit.
func (f *follower) look(ctx context.Context) (Page, error) {
	for {
		page, err := readPage(ctx, f.source, f.query, f.units, Position{Cursor: f.cursor, Direction: Newer, Limit: maxBatch})
		if err != nil {
			return Page{}, err
		}
		units, err := resolveUnits(f.source, f.query)
		if err != nil {
			return Page{}, err
		}
		if slices.Equal(units, f.units) {
			f.cursor = page.Next
			return page, nil
		}
		f.units = units
	}
}

// wait returns when something was written, but not before pace has passed.
func (f *follower) wait(ctx context.Context) error {
	timer := time.NewTimer(pace)
	defer timer.Stop()
	for {
		changed, err := f.source.wait(ctx)
		if err != nil {
			return err
		}
		if changed {
			break
		}
	}
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "", "", err)
}
