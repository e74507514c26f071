package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Names of a set's objects, before their endings.
const (
	dumpName     = "dump.pgc.zst"
	globalsName  = "globals.sql.zst"
	contentsName = "contents.json.zst"
)

// Result is what one run made.
type Result struct {
	Manifest *Manifest
	Folder   string // of the set, ending in "/"
	Warnings []string
	Deleted  []Decision // by retention
}

// RunOptions are what a person may say to one run.
type RunOptions struct {
	ID          string // NewID; the run's and the set's
	AcceptEmpty bool   // commit a dump without tables although the set before had some
}

// Run makes one backup of one job: lock, look at the server, dump, store, read back, commit,
// let go of old sets. On any error nothing of it is left in the bucket; what could not be
// removed then, the next run removes.
func Run(ctx context.Context, job config.Job, env Env, opts RunOptions) (*Result, error) {
	r := &run{
		job: job, env: env, opts: opts,
		log:   env.Log.With(slog.String("run", opts.ID), slog.String("job", job.Name), slog.String("database", job.Database), slog.String("instance", job.Instance)),
		meter: newMeter("backup", job.Database, job.StallAfter, env.Progress),
		dir:   Folder(job.S3.Prefix, job.Instance, job.Database) + opts.ID + "/",
	}
	ctx, stop := r.meter.follow(ctx)
	defer stop()
	result, err := r.do(ctx)
	if err = causeOf(ctx, err); err != nil {
		r.report(ctx, err)
		return nil, err
	}
	return result, nil
}

// run is the state of one run. Its steps are methods in the order of do.
type run struct {
	job   config.Job
	env   Env
	opts  RunOptions
	log   *slog.Logger
	meter *meter
	dir   string

	recipients []age.Recipient
	server     *postgres.Server
	facts      postgres.Facts
	tools      postgres.Tools
	lease      *lease
	manifest   Manifest
	written    []string // keys of this run, removed when it fails
	warnings   []string
}

func (r *run) do(ctx context.Context) (result *Result, err error) {
	r.manifest.StartedAt = r.env.Now().UTC().Truncate(time.Second)
	r.log.InfoContext(ctx, "backup of "+r.job.Database+" started", event(EventStarted), slog.String("set", r.opts.ID))
	defer func() {
		if err != nil {
			r.undo(ctx)
		}
	}()
	if r.recipients, err = sealed.Recipients(r.job.Encryption.Recipients); err != nil {
		return nil, err
	}
	closeServer, err := r.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer closeServer()
	for _, step := range []func(context.Context) error{r.preflight, r.globals, r.dump, r.commit} {
		if err := step(ctx); err != nil {
			return nil, causeOf(ctx, err)
		}
	}
	deleted := r.retention(ctx)
	return &Result{Manifest: &r.manifest, Folder: r.dir, Warnings: r.warnings, Deleted: deleted}, nil
}

// enter starts a stage and says so in the journal.
func (r *run) enter(ctx context.Context, stage Stage, total int64) {
	r.meter.enter(stage, total)
	r.log.DebugContext(ctx, "stage "+string(stage), event(EventStage), slog.String("stage", string(stage)))
}

func (r *run) warn(ctx context.Context, text string) {
	r.warnings = append(r.warnings, text)
	r.log.WarnContext(ctx, text, event(EventWarning))
}

// lock connects and takes both locks: the advisory lock on the source, which dies with its
// connection, and the lease in the bucket.
func (r *run) lock(ctx context.Context) (release func(), err error) {
	r.enter(ctx, StageLock, 0)
	r.server, err = postgres.Connect(ctx, r.target(), r.job.ConnectWait)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.close(ctx, nil)
		}
	}()
	unlock, ok, err := r.server.TryLock(ctx, r.job.Instance+"/"+r.job.Database)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.Temporary, fmt.Sprintf("backup: another run is backing up %q", r.job.Database),
			"wait for it to end: `pgbtui` shows it", ErrHeld)
	}
	if r.facts, err = r.server.Facts(ctx); err != nil {
		return nil, err
	}
	if err = r.takeLease(ctx); err != nil {
		return nil, err
	}
	return func() { r.close(ctx, unlock) }, nil
}

func (r *run) target() postgres.Target {
	p := r.job.Postgres
	return postgres.Target{Host: p.Host, Port: p.Port, User: p.User, Database: r.job.Database}
}

func (r *run) takeLease(ctx context.Context) error {
	source := fmt.Sprintf("%s/%s/%t", r.facts.SystemIdentifier, r.job.Database, r.facts.InRecovery)
	if r.facts.SystemIdentifier == "" {
		source = r.opts.ID // unknown: equal to nobody's, so that no lease is taken over early
	}
	lease, err := takeLease(ctx, &lease{
		bucket: r.env.Bucket, key: Folder(r.job.S3.Prefix, r.job.Instance, r.job.Database) + leaseName, now: r.env.Now,
		mine: leaseRecord{Run: r.opts.ID, Host: r.env.Host, Source: source},
	})
	if err != nil {
		return err
	}
	if r.lease = lease; lease == nil {
		r.log.InfoContext(ctx, "the store has no conditional writes: only PostgreSQL's lock guards against a second run", event(EventWarning))
	}
	return nil
}

// close gives up lease, advisory lock and connection. Failures are only told: the work is done,
// and each of them ends by itself.
func (r *run) close(ctx context.Context, unlock func(context.Context) error) {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	var errs []error
	if r.lease != nil {
		errs = append(errs, r.lease.release(ctx))
	}
	if unlock != nil {
		errs = append(errs, unlock(ctx))
	}
	if r.server != nil {
		errs = append(errs, r.server.Close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		r.log.InfoContext(ctx, "giving up the locks: "+err.Error())
	}
}

// preflight chooses the tools and clears what dead runs of this database left behind: we hold
// the lock, so nobody alive is using it.
func (r *run) preflight(ctx context.Context) (err error) {
	r.enter(ctx, StagePreflight, 0)
	if r.tools, err = postgres.FindTools(ctx, r.job.Postgres.BinDir, r.facts.VersionNum/10000); err != nil {
		return err
	}
	removed, err := SweepUploads(ctx, r.env.Bucket, Folder(r.job.S3.Prefix, r.job.Instance, r.job.Database))
	for _, key := range removed {
		r.log.InfoContext(ctx, "removed the unfinished upload of an earlier run: "+key, event(EventLeftoverRemoved))
	}
	if errors.Is(err, errSweepDenied) {
		r.warn(ctx, err.Error())
		return nil
	}
	return err
}

// report writes the one line of a failed run.
func (r *run) report(ctx context.Context, err error) {
	name, level := EventFailed, slog.LevelError
	switch code := fault.CodeOf(err); {
	case code == fault.Terminated || code == fault.Interrupted:
		name, level = EventCancelled, slog.LevelWarn
	case errors.Is(err, ErrHeld):
		name, level = EventLockHeld, slog.LevelWarn
	case errors.Is(err, ErrStalled):
		name = EventStall
	}
	ctx = context.WithoutCancel(ctx)
	r.log.LogAttrs(ctx, level, "backup failed: "+err.Error(), event(name), slog.Int("exit", int(fault.CodeOf(err))), slog.String("remedy", fault.Remedy(err)))
}

// undo removes what this run wrote. What it can't remove, preflight of the next run or prune will.
func (r *run) undo(ctx context.Context) {
	if len(r.written) == 0 {
		return
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	if _, err := r.env.Bucket.Delete(ctx, r.written); err != nil {
		r.log.InfoContext(ctx, "objects of this run stay until `pgbtui prune`: "+err.Error())
	}
}

// commit proves both locks again and writes the manifest. From here on the backup exists.
func (r *run) commit(ctx context.Context) error {
	r.enter(ctx, StageCommit, 0)
	if err := r.server.Alive(ctx); err != nil {
		return fmt.Errorf("backup: the connection that holds the lock is gone: %w", err)
	}
	if r.lease != nil {
		if err := r.lease.hold(ctx); err != nil {
			return err
		}
	}
	r.fill()
	body, err := json.MarshalIndent(&r.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("backup: write manifest: %w", err)
	}
	opts := s3.PutOptions{IfNoneMatch: true, ContentType: "application/json"}
	if _, err = r.env.Bucket.Put(ctx, r.dir+manifestName, body, opts); errors.Is(err, s3.ErrConditionsUnsupported) {
		opts.IfNoneMatch = false
		_, err = r.env.Bucket.Put(ctx, r.dir+manifestName, body, opts)
	}
	if err != nil {
		return err
	}
	m := &r.manifest
	r.log.InfoContext(ctx, fmt.Sprintf("backup of %s committed: %s", m.Database, m.ID), event(EventCommitted), slog.String("set", m.ID),
		slog.Int64("bytes", m.Dump.SizeBytes), slog.Int64("raw_bytes", m.Dump.RawBytes), slog.Int64("rows", m.Summary.Rows),
		slog.Float64("seconds", m.FinishedAt.Sub(m.StartedAt).Seconds()))
	return nil
}

func (r *run) fill() {
	m := &r.manifest
	m.Schema, m.ID, m.Instance, m.Database, m.Job = ManifestSchema, r.opts.ID, r.job.Instance, r.job.Database, r.job.Name
	m.Host, m.RunID, m.InvocationID, m.Trigger, m.Tool = r.env.Host, r.opts.ID, r.env.InvocationID, r.env.Trigger, r.env.Tool
	m.Encryption.Recipients = r.job.Encryption.Recipients
	f := r.facts
	m.Server = Server{Version: f.Version, VersionNum: f.VersionNum, SystemIdentifier: f.SystemIdentifier, SizeBytes: f.SizeBytes,
		Encoding: f.Locale.Encoding, Collate: f.Locale.Collate, Ctype: f.Locale.Ctype, LocaleProvider: f.Locale.Provider,
		Locale: f.Locale.Name, InRecovery: f.InRecovery}
	m.DumpClient = r.tools.Version
	m.Warnings, m.Stages = r.warnings, r.meter.stages()
	m.FinishedAt = r.env.Now().UTC().Truncate(time.Second)
}
