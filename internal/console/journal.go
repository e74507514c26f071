package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// entries is ui.Journal over package journal.
type entries struct{ reader *journal.Reader }

func query(q ui.JournalQuery) journal.Query {
	units := []string{q.Unit}
	if q.Unit == "" {
		units = systemd.Patterns()
	}
	return journal.Query{Units: units, InvocationID: q.Invocation, MaxPriority: q.MaxPriority, Since: q.Since}
}

// Page implements ui.Journal.
func (e *entries) Page(ctx context.Context, q ui.JournalQuery) (ui.JournalPage, error) {
	page, err := e.reader.Page(ctx, query(q), journal.Position{Cursor: q.Before, Direction: journal.Older, Limit: q.Limit})
	return ui.JournalPage{Entries: views(page.Entries), More: page.More}, err
}

// Follow implements ui.Journal.
func (e *entries) Follow(ctx context.Context, q ui.JournalQuery) (<-chan []ui.Entry, error) {
	batches, err := e.reader.Follow(ctx, query(q), q.After)
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
		out[i] = ui.Entry{Cursor: e.Cursor, Time: e.Time, Unit: e.Unit, Priority: e.Priority, Message: e.Message, Fields: e.Fields}
	}
	return out
}
