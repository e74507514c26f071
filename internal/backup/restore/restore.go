// Package restore brings a set, or a part of one, into a database: a new one, one that exists, or in place of a live
// one, with the way back (files replace*). A drill (files drill*) restores into a server of its own and compares.
package restore

import (
	"context"
	"errors"
	"fmt"
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
)

// maintenance is the database that one connects to for creating another.
const maintenance = "postgres"

// Run streams a set into a new database: preflight, globals when asked, create, pg_restore until the first error, the
// database's owner and grants, ANALYZE, row counts. The database's own parameters are in force before the first row.
// When it fails after the creation, the unfinished database stays for a look and the error names it.
func Run(
	ctx context.Context, job config.Job, env backup.Env, set *backup.Set, req Request, identities []age.Identity,
) (*Restored, error) {
	r := newRestoring(job, env, set, req, identities)
	ctx, stop := r.meter.Follow(ctx)
	defer stop()
	r.log.InfoContext(ctx, fmt.Sprintf("restore of %s to %s started", set.ID, r.req.To), event.Attr(event.RestoreStarted))
	r.result.started = r.env.Stamp()
	started := time.Now()
	err := r.do(ctx)
	if err != nil {
		err = r.explain(r.cause(ctx, err))
		r.log.ErrorContext(context.WithoutCancel(ctx), "restore failed: "+withoutWord(err, "restore"),
			event.Attr(event.RestoreFailed), slog.String("remedy", fault.Remedy(err)))
		return nil, err
	}
	if r.part != nil {
		r.result.Portion = &r.part.portion
		r.result.Fetched = r.part.fetched
	}
	r.result.Stages = r.meter.Stages()
	r.result.Seconds = time.Since(started).Round(time.Millisecond).Seconds()
	if n := r.result.leftOut(); n > 0 {
		r.log.WarnContext(ctx,
			fmt.Sprintf("%d objects of %s could not be restored, first: %s", n, set.ID, r.result.Unmade[0]),
			event.Attr(event.Warning))
	}
	r.log.InfoContext(ctx, fmt.Sprintf("restored %s to %s: %s", set.ID, r.result.Database, r.result.counted()),
		event.Attr(event.RestoreOK))
	return &r.result.Restored, nil
}

// restoring is one restore: what was asked for, and the pieces that do it.
type restoring struct {
	job   config.Job
	env   backup.Env
	req   Request
	log   *slog.Logger
	meter *meter.Meter

	source    source
	sessions  inSessions
	target    target
	rights    ownership
	part      *part // nil: everything
	replacing replacement
	tenancy   *tenancy // nil: into a new database, or in the place of a whole one
	result    outcome

	looking   bool // a preflight: nothing goes to a server
	failing   bool // a check failed so far
	rehearses bool // a drill: the copy goes again, and leaves the disks their reserve, or does not begin
}

func newRestoring(job config.Job, env backup.Env, set *backup.Set, req Request, identities []age.Identity) *restoring {
	id := backup.NewID(env.Now())
	suffix := id[strings.LastIndexByte(id, '-')+1:]
	if req.Replace != "" && set.Schema == "" {
		req.To = kept.Beside(req.Replace, kept.Restoring, suffix)
	}
	log := env.Log.With(slog.String("set", set.ID), slog.String("database", set.Database), slog.String("target", req.To))
	r := &restoring{
		job: job, env: env, req: req, log: log,
		meter:  meter.New("restore", set.Database, job.StallAfter, env.Progress),
		source: source{set: set, identities: identities, keptDir: job.SpoolDir},
		target: target{at: job.Postgres, wait: job.ConnectWait, log: log},
		rights: ownership{roles: req.Roles},
		replacing: replacement{
			exchange: exchange{word: kept.Before, terminate: req.Terminate, now: env.Now, step: env.SwapStep},
			suffix:   suffix,
		},
		result: outcome{Restored: Restored{Database: req.To, host: job.Postgres.Host}},
	}
	if req.intoExisting(set) {
		r.beginTenancy()
	}
	return r
}

// reading is the dump as it has to be read.
func (r *restoring) reading() *stored.Reading {
	return &stored.Reading{
		Env: r.env, Set: r.source.set, Identities: r.source.identities, Frames: r.source.contents.Index(), Meter: r.meter,
		Contents: r.source.contents,
		Spool:    &r.source.kept, Dir: r.source.keptDir, Unchecked: r.looking,
	}
}

func (r *restoring) do(ctx context.Context) (err error) {
	if r.tenancy != nil {
		return r.doTenant(ctx)
	}
	if r.req.Beside != "" || r.req.As != "" {
		return fault.New(fault.Usage, "restore: only a tenant's set goes beside the schemas of a database",
			"Restore it into a new database with --to.", nil)
	}
	r.meter.Enter(backup.StagePreflight, 0)
	if err := r.req.confirmed(r.source.set); err != nil {
		return err
	}
	if err := r.req.check(); err != nil {
		return err
	}
	if r.req.Thaw != "" {
		if err := r.await(ctx); err != nil {
			return err
		}
		r.meter.Enter(backup.StagePreflight, 0)
	}
	if err := r.target.connect(ctx); err != nil {
		return err
	}
	defer r.target.close(ctx)
	if r.req.Replace != "" {
		if err := lockExchange(ctx, r.target.server, r.req.Replace); err != nil {
			return err
		}
	}
	defer r.source.remove()
	if err := r.preflight(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		r.spool, r.globals, r.create, r.extend, r.load, r.finish, r.compare, r.record, r.complete, r.replace,
	} {
		if err := step(ctx); err != nil {
			return r.cause(ctx, err)
		}
	}
	return nil
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
	if r.tenancy != nil {
		return r.explainTenant(err)
	}
	err = r.waysOn(err)
	if r.req.Replace != "" {
		return r.explainReplace(err)
	}
	if !r.result.created {
		return err
	}
	who := ""
	if r.rights.closed {
		who = " (only superusers can)"
	}
	remedy := fmt.Sprintf(
		"Drop the unfinished database %q (`dropdb`) before the next try; look into it first if you want%s.",
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
		settings.Closed = r.rights.closed // until everything else is done
		problems, err := r.target.server.ApplySettings(ctx, r.req.To, *settings)
		if err != nil {
			return err
		}
		r.result.refuse(problems)
	}
	for _, step := range []func(context.Context) error{r.withhold, r.checkRenamed, r.analyze, r.letIn} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
