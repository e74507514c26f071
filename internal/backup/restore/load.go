package restore

import (
	"context"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// How the rows get into the new database: in one stream; by parallel sessions, each with a stream of its own; or, of a
// set without an index, by parallel sessions that read the raw dump from disk.

// load streams the dump into pg_restore, or lets parallel sessions read what was made ready for them.
func (r *restoring) load(ctx context.Context) error {
	opts := postgres.RestoreOptions{
		NoOwner:       r.req.NoOwner && r.rights.owner == "",
		NoACL:         r.req.NoOwner,
		NoTablespaces: r.req.NoTablespaces,
		Jobs:          r.req.Jobs,
		File:          r.source.spooled.File,
		Session:       r.session(),
	}
	if r.req.KeepGoing {
		opts.KeepGoing = true
		opts.Failed = r.result.leaveOut
	}
	opts.NoEventTriggers = r.target.facts.Superuser && r.target.facts.VersionNum >= eventTriggersSetting
	switch {
	case r.part != nil && r.req.DataOnly && r.req.ForOperator:
		return r.loadUnchanged(ctx, opts)
	case r.part != nil:
		return r.loadPart(ctx, opts)
	}
	if r.sessions.archive != nil {
		rows, total := r.rows()
		opts.Rows = rows
		r.meter.Enter(backup.StageRestore, total)
		defer r.meter.WatchWork(ctx, r.target.server, r.req.To)()
		return r.target.tools.Restore(ctx, r.target.database(r.req.To), opts, nil)
	}
	if opts.File != "" {
		r.meter.Enter(backup.StageRestore, 0)
		stop := r.meter.KeepAlive()
		defer stop()
		return stored.SpoolError(r.target.tools.Restore(ctx, r.target.database(r.req.To), opts, nil))
	}
	dump, err := r.reading().Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	r.meter.Enter(backup.StageRestore, r.source.rawBytes())
	stream := &untilEnd{r: r.rights.renamed(io.TeeReader(dump, r.meter)), then: r.meter.KeepAlive}
	defer stream.stop()
	defer r.meter.WatchWork(ctx, r.target.server, r.req.To)()
	return r.target.tools.Restore(ctx, r.target.database(r.req.To), opts, stream)
}

// spool makes ready what parallel sessions need on disk.
func (r *restoring) spool(ctx context.Context) error {
	switch {
	case r.req.Jobs <= 1:
		return nil
	case r.headless():
		return r.prepareSessions(ctx)
	}
	r.meter.Enter(backup.StageRead, r.source.rawBytes())
	scratch.Sweep(r.job.SpoolDir, stored.SpoolPrefix)
	if err := r.env.Disks.Demand("restore", r.job.SpoolDir, r.source.rawBytes(), stored.RemedySpool); err != nil {
		return err
	}
	if err := r.source.spooled.Make(r.job.SpoolDir); err != nil {
		return stored.SpoolError(err)
	}
	dump, err := r.reading().Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	return stored.SpoolError(r.source.spooled.Fill(stored.ReaderWith(ctx, r.rights.renamed(io.TeeReader(dump, r.meter)))))
}
