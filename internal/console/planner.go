package console

import (
	"context"
	"log/slog"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// planner is ui.Planner. Its checks are the unit's own where this user may start it, since that runs as
// the user who will restore; else those that this user may make.
type planner struct {
	setup   Setup
	buckets *buckets
	asks    *actions // nil for a console that may start nothing
}

var _ ui.Planner = (*planner)(nil)

// quick bounds how long the console waits for a PostgreSQL that does not answer.
const quick = 2 * time.Second

// Databases implements ui.Planner.
func (p *planner) Databases(ctx context.Context) ([]string, error) {
	job := p.buckets.places()[0]
	c := job.Postgres
	server, err := postgres.Connect(ctx, postgres.Target{Host: c.Host, Port: c.Port, Database: "postgres"}, quick)
	if fault.CodeOf(err) == fault.NotPermitted {
		return nil, fault.New(fault.NotPermitted,
			"PostgreSQL does not let this user in to list its databases; the unit checks the name", "", nil)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.Close(context.WithoutCancel(ctx)) }()
	return server.Databases(ctx)
}

// Preflight implements ui.Planner.
func (p *planner) Preflight(ctx context.Context, r ui.RestoreRequest) (ui.Plan, error) {
	if p.asks != nil {
		answer, err := p.asks.check(ctx, r)
		if fault.CodeOf(err) != fault.NotPermitted {
			return ui.Plan{Checks: answer.Checks, Portion: answer.Portion}, err
		}
	}
	checks, portion, err := p.preflight(ctx, r)
	parts := len(r.Tables)+len(r.Schemas) > 0 // a name that the dump does not have is not found either
	if code := fault.CodeOf(err); code == fault.NotPermitted || code == fault.NotFound && !parts {
		left := "PostgreSQL lets only the unit in: it checks target, tools, roles and extensions as postgres before it starts"
		return ui.Plan{Left: true, Checks: []restore.Check{{OK: true, Warn: true, Detail: left}}}, nil
	}
	return ui.Plan{Checks: checks, Portion: portion}, err
}

// preflight makes the checks as this user.
func (p *planner) preflight(ctx context.Context, r ui.RestoreRequest) ([]restore.Check, *restore.Portion, error) {
	env := p.setup.Env
	env.Log = slog.New(slog.DiscardHandler)
	if r.Swap != "" {
		job, err := p.setup.Config.ServerOf(r.Set.Job, r.Swap)
		if err != nil {
			return nil, nil, err
		}
		checks, err := restore.UndoPreflight(ctx, quickly(job), env, requestOf(r).BackupSwap())
		return checks, nil, err
	}
	job, err := p.buckets.jobAt(&r.Set, r.From)
	if err != nil {
		return nil, nil, err
	}
	job = quickly(job)
	_, bucket, err := p.buckets.open(ctx, job)
	if err != nil {
		return nil, nil, err
	}
	env.Bucket = bucket
	identities, err := p.setup.Identities(job)
	if err != nil {
		return nil, nil, err
	}
	return restore.Preflight(ctx, job, env, &r.Set, requestOf(r).Backup(), identities)
}

// quickly is a job as the console asks its PostgreSQL: as this user, and without waiting long for it.
func quickly(job config.Job) config.Job {
	job.Postgres.User = ""
	job.ConnectWait = quick
	return job
}

// Result implements ui.Planner.
func (p *planner) Result(_ context.Context, unit string) (*ui.RestoreResult, error) {
	a, err := request.ReadAnswer(request.DefaultDir, systemd.InstanceOf(unit))
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &ui.RestoreResult{Over: a.Over, Restored: a.Restored, Swapped: a.Swapped, Err: a.Err()}
	r.Request = ui.RestoreRequest{
		Set:  backup.Set{ID: a.Request.Set, Instance: a.Request.Instance, Database: a.Request.Database},
		Swap: a.Request.Swap, With: a.Request.With, Request: a.Request.Request,
	}
	return r, nil
}
