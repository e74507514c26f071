package postgres

import (
	"context"
	"io"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Parallel sessions without the archive on disk. pg_restore wants a file for them because each seeks in it for what it
// does next. Here the file has the head alone, which is all that definitions, indexes and constraints need; rows come
// to sessions of their own, each through a pipe: a head, and behind it the blocks of some tables.

// Rows says how the rows of an archive are had of which RestoreOptions.File is the head.
type Rows struct {
	Has      func(entry int) bool                            // the entry has a block of data in the archive
	Together func(entries []int) Batch                       // all of these, in the order of the archive
	Shared   func(entries []int) (next func() (Batch, bool)) // these, by and by
	Alive    func() (stop func())                            // told of work that moves no byte
}

// Batch is what one session restores through one pipe.
type Batch struct {
	Entries []int
	Open    func(ctx context.Context) (io.ReadCloser, error) // an archive that has their data; ends with ctx
}

// Sections of an archive, as pg_restore calls them.
var (
	beforeRows = []string{"pre-data", "data"}
	afterRows  = []string{"post-data"}
)

// restoreStep does one of the steps with rows from elsewhere. o.Entries are those of the step.
func (t Tools) restoreStep(ctx context.Context, target Target, o RestoreOptions, step int) error {
	var rows, others []int
	for _, id := range o.Entries {
		if o.Rows.Has(id) {
			rows = append(rows, id)
		} else {
			others = append(others, id)
		}
	}
	switch {
	case step == mainStep:
		return t.restoreMain(ctx, target, o, rows, others)
	case len(rows) > 0:
		batch := o.Rows.Together(rows)
		batch.Entries = o.Entries
		return t.restoreBatch(ctx, target, o, batch)
	}
	defer o.Rows.Alive()()
	return t.restore(ctx, target, o, nil)
}

// restoreMain makes what rows need, lets the sessions load them, and then makes what needs rows.
func (t Tools) restoreMain(ctx context.Context, target Target, o RestoreOptions, rows, others []int) error {
	fromHead := func(sections []string, jobs int) error {
		if len(others) == 0 {
			return nil
		}
		defer o.Rows.Alive()()
		o.Sections = sections
		o.Entries = others
		o.Jobs = jobs
		return t.restore(ctx, target, o, nil)
	}
	jobs := o.Jobs
	if err := fromHead(beforeRows, 1); err != nil {
		return err
	}
	o.Sections = nil
	if err := t.restoreRows(ctx, target, o, jobs, o.Rows.Shared(rows)); err != nil {
		return err
	}
	return fromHead(afterRows, jobs)
}

// restoreRows lets sessions load batches until there are none. The first that fails ends the others.
func (t Tools) restoreRows(
	parent context.Context, target Target, o RestoreOptions, sessions int, next func() (Batch, bool),
) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	o.Failed = oneAtATime(o.Failed)
	var running sync.WaitGroup
	for range sessions {
		running.Go(func() {
			for ctx.Err() == nil {
				batch, more := next()
				if !more {
					return
				}
				if err := t.restoreBatch(ctx, target, o, batch); err != nil {
					cancel(err)
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// restoreBatch feeds one session.
func (t Tools) restoreBatch(ctx context.Context, target Target, o RestoreOptions, batch Batch) error {
	stream, err := batch.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	o.Entries = batch.Entries
	o.File = ""
	o.Jobs = 1
	o.ReadAll = true
	return t.restore(ctx, target, o, stream)
}

// oneAtATime keeps the promise that RestoreOptions.Failed is not called by two at once.
func oneAtATime(failed func(Unmade)) func(Unmade) {
	if failed == nil {
		return nil
	}
	var one sync.Mutex
	return func(u Unmade) {
		one.Lock()
		defer one.Unlock()
		failed(u)
	}
}

// checkRows refuses what would restore less than everything.
func (o RestoreOptions) checkRows() error {
	if o.Rows != nil && (o.File == "" || o.SchemaOnly || o.DataOnly || o.SingleTransaction || o.Entries != nil ||
		o.Jobs <= 1) {
		return fault.New(fault.Usage, "postgres: rows from elsewhere are for parallel restores of a whole archive", "", nil)
	}
	return nil
}
