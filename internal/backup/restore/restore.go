// Package restore brings a set, or a part of one, into a database: a new one, one that exists, or in place of a live
// one, with the way back (files replace*). A drill (files drill*) restores into a server of its own and compares.
package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// maintenance is the database that one connects to for creating another.
const maintenance = "postgres"

// Run streams a set into a new database: preflight, globals when asked, create, pg_restore
// until the first error, the database's owner and grants, ANALYZE, row counts. The database's own
// parameters are in force before the first row. When it
// fails after the creation, the unfinished database stays for a look and the error names it.
func Run(
	ctx context.Context, job config.Job, env backup.Env, set *backup.Set, req Request, identities []age.Identity,
) (*Restored, error) {
	r := newRestoring(job, env, set, req, identities)
	ctx, stop := r.meter.Follow(ctx)
	defer stop()
	r.log.InfoContext(ctx, fmt.Sprintf("restore of %s to %s started", set.ID, r.req.To), event.Attr(event.RestoreStarted))
	r.started = r.env.Stamp()
	started := time.Now()
	err := r.do(ctx)
	if err != nil {
		err = r.explain(r.cause(ctx, err))
		r.log.ErrorContext(context.WithoutCancel(ctx), "restore failed: "+withoutWord(err, "restore"),
			event.Attr(event.RestoreFailed), slog.String("remedy", fault.Remedy(err)))
		return nil, err
	}
	if r.part != nil {
		r.result.Portion, r.result.Fetched = &r.part.portion, r.part.fetched
	}
	r.result.Stages, r.result.Seconds = r.meter.Stages(), time.Since(started).Round(time.Millisecond).Seconds()
	if n := r.result.leftOut(); n > 0 {
		r.log.WarnContext(ctx,
			fmt.Sprintf("%d objects of %s could not be restored, first: %s", n, set.ID, r.result.Unmade[0]),
			event.Attr(event.Warning))
	}
	r.log.InfoContext(ctx, fmt.Sprintf("restored %s to %s: %s", set.ID, r.result.Database, r.result.counted()),
		event.Attr(event.RestoreOK))
	return &r.result, nil
}

type restoring struct {
	job        config.Job
	env        backup.Env
	set        *backup.Set
	req        Request
	identities []age.Identity
	log        *slog.Logger
	meter      *meter.Meter

	started  time.Time
	server   *postgres.Server // on the maintenance database
	place    postgres.Place   // where that is
	into     postgres.Facts   // what it is
	tools    postgres.Tools
	contents *backup.Contents
	failing  bool // a check failed so far

	noSecrets     bool // whoever wrote the set may have the server in his hands: see postgres.Target
	leavesReserve bool // of the target's disks, or does not begin
	rehearses     bool // a drill: the copy goes again

	closed     bool   // the new database is for superusers only until all is in it
	owner      string // of everything that comes without its owners; "": the restoring role
	ownerThere bool

	part    *part        // nil: everything
	spooled stored.Spool // the raw dump on disk, for parallel sessions
	kept    stored.Spool // the stored dump on disk, of a set without an index
	keptDir string
	looking bool // a preflight: nothing goes to a server
	created bool
	result  Restored

	short    string   // of the names of databases beside a live one
	exchange exchange // with Replace
	changes  []string // of settings, against the replaced database
	refused  []string // settings that the server did not take
	unproven []string // what the copy does not show, and no fault of it
	whole    bool     // the copy is complete and compared
}

func newRestoring(job config.Job, env backup.Env, set *backup.Set, req Request, identities []age.Identity) *restoring {
	id := backup.NewID(env.Now())
	short := id[strings.LastIndexByte(id, '-')+1:]
	if req.Replace != "" {
		req.To = kept.Beside(req.Replace, kept.Restoring, short)
	}
	return &restoring{
		job: job, env: env, set: set, req: req, identities: identities,
		result: Restored{Database: req.To, host: job.Postgres.Host}, short: short,
		exchange: exchange{word: kept.Before, terminate: req.Terminate, now: env.Now, step: env.SwapStep},
		log: env.Log.With(slog.String("set", set.ID), slog.String("database", set.Database),
			slog.String("target", req.To)),
		meter:   meter.New("restore", set.Database, job.StallAfter, env.Progress),
		keptDir: job.SpoolDir,
	}
}

// reading is the dump as it has to be read.
func (r *restoring) reading() *stored.Reading {
	return &stored.Reading{
		Env: r.env, Set: r.set, Identities: r.identities, Frames: r.contents.Index(), Meter: r.meter,
		Spool: &r.kept, Dir: r.keptDir, Unchecked: r.looking,
	}
}

func (r *restoring) connect(ctx context.Context) (err error) {
	r.server, err = backup.WaitFor(ctx, r.log, r.target(maintenance), r.job.ConnectWait)
	return err
}

func (r *restoring) close(ctx context.Context) {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	_ = r.server.Close(ctx)
}

func (r *restoring) do(ctx context.Context) (err error) {
	r.meter.Enter(backup.StagePreflight, 0)
	if err := r.req.confirmed(r.set); err != nil {
		return err
	}
	if err := r.req.check(); err != nil {
		return err
	}
	if err := r.connect(ctx); err != nil {
		return err
	}
	defer r.close(ctx)
	if r.req.Replace != "" {
		if err := lockExchange(ctx, r.server, r.req.Replace); err != nil {
			return err
		}
	}
	defer func() { r.spooled.Remove(); r.kept.Remove() }()
	if err := r.preflight(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		r.spool, r.globals, r.create, r.load, r.finish, r.compare, r.record, r.complete, r.replace,
	} {
		if err := step(ctx); err != nil {
			return r.cause(ctx, err)
		}
	}
	return nil
}

func (r *restoring) target(database string) postgres.Target {
	p := r.job.Postgres
	return postgres.Target{
		Host: p.Host, Port: p.Port, User: p.User, Database: database, NoSecrets: r.noSecrets,
		InEnglish: r.into.MayHaveEnglish(),
	}
}

// cause is why the run ended, unless there is something worse to be told.
func (r *restoring) cause(ctx context.Context, err error) error {
	if errors.Is(err, postgres.ErrSwapUnknown) {
		return err
	}
	return backup.CauseOf(ctx, err)
}

// explain adds what is left behind.
func (r *restoring) explain(err error) error {
	err = r.waysOn(err)
	if r.req.Replace != "" {
		return r.explainReplace(err)
	}
	if !r.created {
		return err
	}
	who := ""
	if r.closed {
		who = " (only superusers can)"
	}
	remedy := fmt.Sprintf("Drop the unfinished database %q (`dropdb`) before the next try; look into it first if you want%s.",
		r.req.To, who)
	if inner := fault.Remedy(err); inner != "" {
		remedy = inner + " " + remedy
	}
	return left(err, fmt.Sprintf("unfinished database %q is left", r.req.To), remedy)
}

// left is why something stopped, and then what it left behind.
func left(err error, what, remedy string) error {
	return fault.New(fault.CodeOf(err), "", remedy, fmt.Errorf("%w; %s", err, what))
}

// withoutWord is an error's text without the word that the line says already.
func withoutWord(err error, word string) string { return strings.TrimPrefix(err.Error(), word+": ") }

// load streams the dump into pg_restore, or lets parallel sessions read the spooled one.
func (r *restoring) load(ctx context.Context) error {
	opts := postgres.RestoreOptions{
		NoOwner: r.req.NoOwner && r.owner == "", NoACL: r.req.NoOwner, NoTablespaces: r.req.NoTablespaces, Jobs: r.req.Jobs,
		File: r.spooled.File, Session: r.session(),
	}
	if r.req.KeepGoing {
		opts.KeepGoing, opts.Failed = true, r.leaveOut
	}
	opts.NoEventTriggers = r.into.Superuser && r.into.VersionNum >= eventTriggersSetting
	switch {
	case r.part != nil && r.req.DataOnly && r.req.ForOperator:
		return r.loadUnchanged(ctx, opts)
	case r.part != nil:
		return r.loadPart(ctx, opts)
	}
	if opts.File != "" {
		r.meter.Enter(backup.StageRestore, 0)
		stop := r.meter.KeepAlive()
		defer stop()
		return stored.SpoolError(r.tools.Restore(ctx, r.target(r.req.To), opts, nil))
	}
	dump, err := r.reading().Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	r.meter.Enter(backup.StageRestore, r.rawBytes())
	stream := &untilEnd{r: r.renamed(io.TeeReader(dump, r.meter)), then: r.meter.KeepAlive}
	defer stream.stop()
	defer r.meter.WatchWork(ctx, r.server, r.req.To)()
	return r.tools.Restore(ctx, r.target(r.req.To), opts, stream)
}

// rawBytes is what pg_restore will read, as far as it is known.
func (r *restoring) rawBytes() int64 {
	if r.set.Manifest != nil {
		return r.set.Manifest.Dump.RawBytes
	}
	return r.set.StoredSize
}

// finish applies what pg_restore leaves out when the name differs: owner, grants, limits and comment of
// the database itself; then planner statistics.
func (r *restoring) finish(ctx context.Context) error {
	r.meter.Enter(backup.StageFinish, 0)
	stop := r.meter.KeepAlive()
	defer stop()
	if r.req.DataOnly {
		return r.analyzePart(ctx)
	}
	settings := r.settings()
	if settings == nil && r.req.NoOwner {
		settings = &postgres.Settings{ConnLimit: -1, CustomACL: true} // nobody else's
	}
	if settings != nil {
		settings.Closed = r.closed // until everything else is done
		problems, err := r.server.ApplySettings(ctx, r.req.To, *settings)
		if err != nil {
			return err
		}
		r.refuse(problems)
	}
	for _, step := range []func(context.Context) error{r.withhold, r.checkRenamed, r.analyze, r.letIn} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// inTarget does something in a session of the new database.
func (r *restoring) inTarget(ctx context.Context, do func(*postgres.Server) error) error {
	s, err := backup.WaitFor(ctx, r.log, r.target(r.req.To), r.job.ConnectWait)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := backup.Afterwards(ctx)
		defer cancel()
		_ = s.Close(ctx)
	}()
	return do(s)
}

func (r *restoring) note(text string) { r.result.Notes = append(r.result.Notes, text) }

func (r *restoring) spool(ctx context.Context) error {
	if r.req.Jobs <= 1 {
		return nil
	}
	r.meter.Enter(backup.StageRead, r.rawBytes())
	scratch.Sweep(r.job.SpoolDir, stored.SpoolPrefix)
	if err := r.env.Disks.Demand("restore", r.job.SpoolDir, r.rawBytes(), stored.RemedySpool); err != nil {
		return err
	}
	if err := r.spooled.Make(r.job.SpoolDir); err != nil {
		return stored.SpoolError(err)
	}
	dump, err := r.reading().Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	return stored.SpoolError(r.spooled.Fill(stored.ReaderWith(ctx, r.renamed(io.TeeReader(dump, r.meter)))))
}
