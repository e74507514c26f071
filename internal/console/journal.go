package console

import (
	"context"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// openedJournal is the journal from when it is first read. One that could not be opened is tried again.
type openedJournal struct {
	mu     sync.Mutex
	reader *journal.Reader
	closed bool
}

func (o *openedJournal) open(ctx context.Context) (*journal.Reader, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, context.Canceled
	}
	if o.reader == nil {
		reader, err := journal.Open(ctx, journal.Options{})
		if err != nil {
			return nil, err
		}
		o.reader = reader
	}
	return o.reader, nil
}

func (o *openedJournal) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed = true; o.reader != nil {
		_ = o.reader.Close()
	}
}

// Page is that of the journal.
func (o *openedJournal) Page(ctx context.Context, q journal.Query, at journal.Position) (journal.Page, error) {
	reader, err := o.open(ctx)
	if err != nil {
		return journal.Page{}, err
	}
	return reader.Page(ctx, q, at)
}

// entries is ui.Journal over package journal.
type entries struct{ journal *openedJournal }

func query(q ui.JournalQuery) journal.Query {
	units := []string{q.Unit}
	if q.Unit == "" {
		units = systemd.Patterns()
	}
	return journal.Query{Units: units, InvocationID: q.Invocation, MaxPriority: q.MaxPriority, Since: q.Since}
}

// Page implements ui.Journal.
func (e *entries) Page(ctx context.Context, q ui.JournalQuery) (ui.JournalPage, error) {
	page, err := e.journal.Page(ctx, query(q), journal.Position{
		Cursor: q.Before, Direction: journal.Older, Limit: q.Limit,
	})
	return ui.JournalPage{Entries: views(page.Entries), More: page.More}, err
}

// Follow implements ui.Journal.
func (e *entries) Follow(ctx context.Context, q ui.JournalQuery) (<-chan []ui.Entry, error) {
	reader, err := e.journal.open(ctx)
	if err != nil {
		return nil, err
	}
	batches, err := reader.Follow(ctx, query(q), q.After)
	if err != nil {
		return nil, err
	}
	out := make(chan []ui.Entry)
	go func() {
		defer close(out)
		for b := range batches {
			if b.Err != nil {
				return
			}
			select {
			case out <- views(b.Entries):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func views(found []journal.Entry) []ui.Entry {
	out := make([]ui.Entry, len(found))
	for i, e := range found {
		out[i] = ui.Entry{
			Cursor: e.Cursor, Time: e.Time, Unit: e.Unit, Priority: e.Priority, Message: e.Message, Fields: e.Fields,
		}
	}
	return out
}
