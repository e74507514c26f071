package dump

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/repeat"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// The dump in one stream, or in several at once from one snapshot. Rules:
//
//   - nothing becomes an object before every pg_dump has ended well, each table has come in the stream that it was
//     planned for, and the streams are known to be one archive together
//   - the first failure ends all streams, and so does the loss of the session that holds the snapshot
//   - every pg_dump starts at once, since it has to lock its tables before somebody waits for one of them; one that is
//     kept back stops when its pipe is full, and goes on when another one has ended
//   - the locks of that session let the others lock the same tables, unless somebody has begun to wait for one of them
//     in between: then neither would go on, and the streams let go and begin again

// streams are what a run dumps from one snapshot; the first one leads.
type streams struct {
	all    []*dumpStream
	plan   rowsPlan
	atOnce int // how many are read at the same time; the others are kept until one has ended

	found   *archive.Archive // what they are together
	unknown error            // why that is not known, of a single one
	joined  *backup.Streams  // nil of a single one
}

func (s *streams) lead() *dumpStream { return s.all[0] }

const (
	// streamTries is how often streams begin.
	streamTries = 3
	// snapshotEvery is how often the session that holds the snapshot is asked whether it is there, and the server
	// whether somebody stands between.
	snapshotEvery = 2 * time.Second
)

// stream dumps, stores and confirms.
func (r *run) stream(ctx context.Context, told told) (*streams, error) {
	for try := 1; ; try++ {
		s, err := r.tryStreams(ctx, told)
		if err == nil || try == streamTries || !errors.Is(err, postgres.ErrChanged) && !errors.Is(err, errStoodBetween) {
			return s, err
		}
		r.log.WarnContext(ctx, "the streams begin again: "+err.Error(), event.Attr(event.Warning),
			slog.String("remedy", fault.Remedy(err)))
	}
}

// errStoodBetween is in the chain when somebody waits for a table that is dumped, and keeps further streams from it.
var errStoodBetween = errors.New("somebody waits for a table that is being dumped")

func (r *run) tryStreams(ctx context.Context, told told) (s *streams, err error) {
	plan, atOnce, err := r.plan(ctx, told)
	if err != nil {
		return nil, err
	}
	s = &streams{plan: plan, atOnce: atOnce}
	options := postgres.DumpOptions{
		WithoutTables: told.without.tablePatterns, WithoutRows: told.without.rowPatterns, Schema: told.schema,
		Encoding: told.encoding,
	}
	if len(plan) == 0 {
		s.all = []*dumpStream{r.newStream(backup.DumpName, options, false)}
		return s, r.carryOut(ctx, s, nil)
	}
	snapshot, err := postgres.OpenSnapshot(ctx, r.target(), r.job.ConnectWait, plan.tables(), r.job.LockWait)
	if err != nil {
		return nil, err
	}
	defer func() { _ = snapshot.Close(context.WithoutCancel(ctx)) }()
	if err := r.shareOut(ctx, s, options, snapshot.ID); err != nil {
		return nil, err
	}
	return s, r.carryOut(ctx, s, snapshot)
}

// shareOut makes the streams of a plan.
func (r *run) shareOut(ctx context.Context, s *streams, lead postgres.DumpOptions, snapshot string) error {
	encoding := r.facts.Locale.Encoding // names are told
	var others []*dumpStream
	lead.WithoutRows = slices.Clone(lead.WithoutRows)
	for i, tables := range s.plan {
		patterns, err := r.patternsOf(ctx, tables)
		if err != nil {
			return err
		}
		lead.WithoutRows = append(lead.WithoutRows, patterns...)
		others = append(others, r.newStream(backup.RowsName(i+1),
			postgres.DumpOptions{Snapshot: snapshot, Encoding: encoding, RowsOf: patterns}, true))
	}
	lead.Snapshot = snapshot
	lead.Encoding = encoding
	s.all = append([]*dumpStream{r.newStream(backup.DumpName, lead, true)}, others...)
	return nil
}

func (r *run) patternsOf(ctx context.Context, tables []postgres.SizedTable) (patterns []string, err error) {
	for _, t := range tables {
		pattern, _, err := r.server.InEncoding(ctx, postgres.QuoteIdent(t.Schema)+"."+postgres.QuoteIdent(t.Name))
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}

// carryOut runs the streams into objects. On an error nothing of them is left but what undo removes.
func (r *run) carryOut(ctx context.Context, s *streams, snapshot *postgres.Snapshot) (err error) {
	defer func() {
		for _, one := range s.all {
			if err != nil && one.upload != nil {
				r.abort(ctx, one.upload)
			}
		}
	}()
	ctx, fail := context.WithCancelCause(ctx) // also of the uploads: a store that hangs holds no other stream up
	defer fail(nil)
	rest := r.facts.SizeBytes - bytesOf(s.plan.tables())
	for i, one := range s.all {
		expected := max(0, rest)
		if i > 0 {
			expected = bytesOf(s.plan[i-1])
		}
		if one.upload, err = r.upload(ctx, one.name, expected); err != nil {
			return err
		}
	}
	r.watch(s)
	if err := r.pumpAll(ctx, fail, s, snapshot); err != nil {
		return err
	}
	if err := r.gather(ctx, s); err != nil {
		return err
	}
	return r.complete(ctx, s)
}

// watch tells the meter of all streams: what has left the host, and the table that one of them is at.
func (r *run) watch(s *streams) {
	r.meter.WatchMoved(func() (moved int64) {
		for _, one := range s.all {
			moved += one.upload.Moved()
		}
		return moved
	})
	r.meter.WatchTable(func() (table string, rows int64) {
		for _, one := range s.all {
			if table, rows = one.scanner.Current(); table != "" {
				break
			}
		}
		return table, rows
	})
}

// pumpAll runs every pg_dump to its end, and ends all of them when one fails.
func (r *run) pumpAll(
	ctx context.Context, fail context.CancelCauseFunc, s *streams, snapshot *postgres.Snapshot,
) error {
	defer r.meter.WatchWork(ctx, r.server, r.job.Database)()
	if snapshot != nil {
		defer repeat.Until(ctx, snapshotEvery, func(ctx context.Context) error {
			if err := snapshot.Alive(ctx); err != nil {
				return err
			}
			return r.stoodBetween(ctx, s.plan.tables())
		}, fail)()
	}
	for i := s.atOnce; i < len(s.all); i++ {
		s.all[i].turn = make(chan struct{})
	}
	var running sync.WaitGroup
	var ended atomic.Int64
	for i, one := range s.all {
		running.Go(func() {
			if err := r.pump(ctx, one); err != nil {
				fail(r.ofStream(ctx, s, i, err))
				return
			}
			if next := int(ended.Add(1)) - 1 + s.atOnce; next < len(s.all) {
				r.log.InfoContext(ctx, fmt.Sprintf("stream %d is taken up, since another one has ended", next),
					event.Attr(event.BackupStage), slog.String("stage", string(backup.StageDump)))
				close(s.all[next].turn)
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if snapshot != nil {
		return snapshot.Alive(ctx)
	}
	return nil
}

// stoodBetween fails when one of the programs waits for a table that a session of ours has locked for it. A server that
// cannot be asked fails elsewhere.
func (r *run) stoodBetween(ctx context.Context, tables []postgres.SizedTable) error {
	waiting, err := r.server.OursWait(ctx, tables)
	if err != nil || !waiting {
		return nil //nolint:nilerr // told by what needs the server
	}
	who := strings.Join(r.server.Exclusively(ctx, tables), ", ")
	return fault.New(fault.Temporary, "", "Let migrations have a lock_timeout, or run them at another time.",
		fmt.Errorf("%w: %s", errStoodBetween, who))
}

// ofStream says which of several streams failed, and whether to begin again may help.
func (r *run) ofStream(ctx context.Context, s *streams, number int, err error) error {
	if s.lead().head == nil {
		return err
	}
	if postgres.LockTimeout(err) {
		if who := r.server.Exclusively(ctx, s.plan.tables()); len(who) > 0 {
			err = fmt.Errorf("%w: %s: %w", errStoodBetween, strings.Join(who, ", "), err)
		}
	}
	return fault.New(fault.CodeOf(err), "", fault.Remedy(err), fmt.Errorf("stream %d: %w", number, err))
}

// gather finds out what the streams are together, and holds it against the plan.
func (r *run) gather(ctx context.Context, s *streams) error {
	var levels []sealed.LevelFrames
	for _, one := range s.all {
		for _, line := range one.warnings {
			r.warn(ctx, line)
		}
		levels = sealed.AddLevels(levels, one.levels)
	}
	r.manifest.Compression = &backup.Compression{Setting: r.job.Compression.String(), Levels: levels}
	if len(s.all) == 1 {
		s.found, s.unknown = s.lead().scanner.Close()
		return nil
	}
	return r.join(ctx, s)
}

// complete makes objects of the uploads, and confirms them.
func (r *run) complete(ctx context.Context, s *streams) error {
	r.enter(ctx, backup.StageConfirm, 0)
	if r.job.Bandwidth > 0 {
		r.meter.Limited(r.job.Bandwidth.String()) // what is left of a dump is sent only now
	}
	for i, one := range s.all {
		done, err := one.upload.Complete(ctx)
		if err != nil {
			return err
		}
		object, err := r.confirm(ctx, done, one.name, one.index.RawBytes)
		if err != nil {
			return err
		}
		if i == 0 {
			r.manifest.Dump = *object
		} else {
			r.manifest.Streams = append(r.manifest.Streams, *object)
		}
	}
	return nil
}
