package restore

import (
	"context"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// Parallel sessions without the dump on disk: the head of the dump is a small file, and each session gets the
// rows of its tables from the store, by ranges, through a pipe.
//
// Rules: no byte reaches pg_restore that was not held against its digest; the head that is read is the recorded one; a
// batch goes to whoever is free, the largest tables first, so that none is left alone with one at the end.

// inSessions is what parallel sessions read, and how it was decided that there are some.
type inSessions struct {
	archive *stored.Archive // nil: one session reads everything
	chosen  bool            // nobody said how many sessions there should be
}

// headless reports whether the rows need not lie on this host's disk.
func (r *restoring) headless() bool { return r.source.unreadableInParts() == "" }

// prepareSessions has the head on disk. Where nobody asked for several sessions, a disk that takes no file is no reason
// not to restore: one session needs none.
func (r *restoring) prepareSessions(ctx context.Context) error {
	return r.orOneSession(ctx, r.keepHead(ctx))
}

func (r *restoring) orOneSession(ctx context.Context, err error) error {
	if err == nil || !r.sessions.chosen || !stored.Unwritable(err) {
		return err
	}
	r.source.spooled.Remove()
	r.sessions.archive = nil
	r.req.Jobs = 1
	what := "restored by one session, because spool_dir takes no file: " + err.Error()
	r.log.WarnContext(ctx, what, event.Attr(event.Warning))
	r.result.note(what)
	return nil
}

// keepHead writes the head to a file, with the roles that it has here.
func (r *restoring) keepHead(ctx context.Context) error {
	head := &part{}
	if err := r.readHead(ctx, head); err != nil {
		return err
	}
	dump := r.reading().Archive(head.kept)
	r.sessions.archive = dump
	scratch.Sweep(r.spoolDir(), stored.SpoolPrefix)
	if err := r.source.spooled.Make(r.spoolDir()); err != nil {
		return stored.SpoolError(err)
	}
	stream, err := dump.Blocks(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	return stored.SpoolError(r.source.spooled.Fill(stored.ReaderWith(ctx, r.rights.renamed(stream))))
}

// spoolDir is where a restore, or a drill, may write.
func (r *restoring) spoolDir() string { return r.source.keptDir }

// rows are those of the dump, for the sessions of pg_restore; total is how many bytes they have.
func (r *restoring) rows() (rows *postgres.Rows, total int64) {
	dump := r.sessions.archive
	has := map[int]bool{}
	for _, d := range dump.Recorded.Data {
		has[d.DumpID] = true
		total += d.End - d.Offset
	}
	return &postgres.Rows{
		Has:      func(entry int) bool { return has[entry] },
		Together: func(entries []int) postgres.Batch { return r.batch(dump, entries) },
		Shared: func(entries []int) func() (postgres.Batch, bool) {
			q := newRowQueue(r.req.Jobs)
			q.add(dump, entries)
			return func() (postgres.Batch, bool) {
				of, blocks := q.next()
				return r.batch(of, blocks), of != nil
			}
		},
		Alive: r.meter.KeepAlive,
	}, total
}

// batch is the rows of some tables, for one session.
func (r *restoring) batch(of *stored.Archive, blocks []int) postgres.Batch {
	return postgres.Batch{Entries: blocks, Open: func(ctx context.Context) (io.ReadCloser, error) {
		stream, err := of.Blocks(ctx, blocks)
		if err != nil {
			return nil, err
		}
		counted := io.TeeReader(stream, &behind{skip: of.Recorded.HeadBytes, to: r.meter})
		ended := &untilEnd{r: r.rights.renamed(counted), then: r.meter.KeepAlive}
		return &batchStream{Reader: ended, close: func() { ended.stop(); _ = stream.Close() }}, nil
	}}
}

type batchStream struct {
	io.Reader
	close func()
}

func (b *batchStream) Close() error { b.close(); return nil }

// behind passes on what comes behind so many bytes: each session reads the head, and no progress is made by that.
type behind struct {
	skip int64
	to   io.Writer
}

func (b *behind) Write(p []byte) (int, error) {
	skipped := min(b.skip, int64(len(p)))
	b.skip -= skipped
	if n, err := b.to.Write(p[skipped:]); err != nil {
		return int(skipped) + n, err
	}
	return len(p), nil
}
