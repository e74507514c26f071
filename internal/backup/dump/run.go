// Package dump makes one backup of one job: it locks, dumps, stores, confirms and commits, and lets retention run
// afterwards. What a run that failed wrote is removed again.
package dump

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Result is what one run made.
type Result struct {
	Manifest *backup.Manifest
	Folder   string // of the set, ending in "/"
	Warnings []string
	Deleted  []retention.Decision // by retention
}

// RunOptions are what a person may say to one run.
type RunOptions struct {
	ID          string          // NewID; the run's and the set's
	AcceptEmpty bool            // commit a dump without tables although the set before had some
	Signer      *signing.Signer // nil: the set is not signed
}

// Run makes one backup of one job: lock, look at the server, dump, store, read back, commit,
// let go of old sets. On any error nothing of it is left in the bucket; what could not be
// removed then, the next run removes.
func Run(ctx context.Context, job config.Job, env backup.Env, opts RunOptions) (*Result, error) {
	r := &run{
		job: job, env: env, opts: opts,
		log: env.Log.With(slog.String("run", opts.ID), slog.String("job", job.Name), slog.String("database", job.Database),
			slog.String("instance", job.Instance)),
		meter: meter.New("backup", job.Subject(), job.StallAfter, env.Progress),
		dir:   backup.FolderOf(job) + opts.ID + "/",

		catalogue: backup.NewCatalogue(env.Bucket, job).KeepIn(env.CacheDir),
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	ctx, stop := r.meter.Follow(ctx)
	defer stop()
	result, err := r.do(ctx)
	if err = backup.CauseOf(ctx, err); err != nil {
		r.report(ctx, err)
		return nil, err
	}
	return result, nil
}

// run is the state of one run. Its steps are methods in the order of do.
type run struct {
	job   config.Job
	env   backup.Env
	opts  RunOptions
	log   *slog.Logger
	meter *meter.Meter
	dir   string

	cancel context.CancelCauseFunc

	catalogue  *backup.Catalogue // one for all looks at the sets before: a document is fetched once
	recipients []age.Recipient
	server     *postgres.Server
	source     *postgres.Lock // on the source; nil before it is taken
	facts      postgres.Facts
	tools      postgres.Tools
	guard      *guard
	manifest   backup.Manifest
	written    []string // keys of this run, removed when it fails
	unmatched  []string // patterns of tables to leave out that no table has
	warnings   []string

	retain      s3.Lock // what the set's objects get
	unconfirmed bool    // and the store does not confirm
}

func (r *run) do(ctx context.Context) (result *Result, err error) {
	r.manifest.StartedAt = r.env.Stamp()
	if r.job.Schema != "" {
		r.log = r.log.With(slog.String("schema", r.job.Schema))
	}
	r.log.InfoContext(ctx, "backup of "+r.job.Subject()+" started", event.Attr(event.BackupStarted),
		slog.String("set", r.opts.ID))
	if !backup.SetID.MatchString(r.opts.ID) {
		return nil, fault.New(fault.Failed, fmt.Sprintf("backup: %q is not the ID of a set", r.opts.ID), "", nil)
	}
	if err := r.signable(); err != nil {
		return nil, err
	}
	if r.recipients, err = sealed.Recipients(r.job.Encryption.Recipients); err != nil {
		return nil, err
	}
	closeServer, err := r.takeTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer closeServer()
	defer func() { // while the locks are still held
		if err != nil {
			r.undo(ctx)
		}
	}()
	for _, step := range []func(context.Context) error{r.preflight, r.globals, r.dump, r.commit} {
		if err := step(ctx); err != nil {
			return nil, backup.CauseOf(ctx, err)
		}
	}
	deleted := r.retention(ctx)
	return &Result{Manifest: &r.manifest, Folder: r.dir, Warnings: r.warnings, Deleted: deleted}, nil
}

// enter starts a stage and says so in the journal.
func (r *run) enter(ctx context.Context, stage backup.Stage, total int64) {
	r.meter.Enter(stage, total)
	r.log.DebugContext(ctx, "stage "+string(stage), event.Attr(event.BackupStage), slog.String("stage", string(stage)))
}

func (r *run) warn(ctx context.Context, text string) {
	r.warnings = append(r.warnings, text)
	r.log.WarnContext(ctx, text, event.Attr(event.Warning))
}

// report writes the one line of a failed run.
func (r *run) report(ctx context.Context, err error) {
	name, level := event.BackupFailed, slog.LevelError
	switch code := fault.CodeOf(err); {
	case code == fault.Terminated || code == fault.Interrupted:
		name, level = event.BackupCancelled, slog.LevelWarn
	case errors.Is(err, lease.ErrHeld):
		name, level = event.LockHeld, slog.LevelWarn
	case errors.Is(err, meter.ErrStalled):
		name = event.Stall
	}
	ctx = context.WithoutCancel(ctx)
	r.log.LogAttrs(ctx, level, "backup failed: "+err.Error(), event.Attr(name), slog.Int("exit", int(fault.CodeOf(err))),
		slog.String("remedy", fault.Remedy(err)))
}
