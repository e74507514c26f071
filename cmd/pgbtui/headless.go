package main

import (
	"context"
	"log/slog"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

type headlessOptions struct {
	*streams
	env         *environment
	config      func() (*config.Config, error)
	run         *runner
	job         string
	database    string // of a job of several
	schema      string // of a job of tenants
	acceptEmpty bool
	inStreams   string // "": as the job says
}

// runHeadless makes one backup. A run that made a set but has warnings exits with 3.
func runHeadless(ctx context.Context, o *headlessOptions) error {
	var several config.Streams
	if o.inStreams != "" {
		var err error
		if several, err = config.ParseStreams(o.inStreams); err != nil {
			return usageText("--" + err.Error())
		}
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	job, err := jobOf(c, o.job, o.database, o.schema)
	if err != nil {
		return err
	}
	if o.inStreams != "" {
		job.Streams = several
	}
	beat := heartbeatOf(ctx, o.env, o.run.logs, job)
	beat.begin(ctx)
	end := runBackup(ctx, o, c, job)
	beat.end(ctx, end)
	rememberServer(ctx, o, job)
	measureRun(ctx, o, c, job, exitCode(end))
	return end
}

// runBackup is the run itself.
func runBackup(ctx context.Context, o *headlessOptions, c *config.Config, job config.Job) error {
	if err := o.env.adoptPassword(); err != nil {
		return err
	}
	signer, err := o.env.signer(job)
	if err != nil {
		return err
	}
	env, stop, err := o.run.watched(ctx, job)
	if err != nil {
		return err
	}
	defer stop()
	env.StateDir = o.env.getenv("STATE_DIRECTORY") // systemd's; a run by hand leaves the memory to the units
	if job.Open() {
		several := severalRun{
			headlessOptions: o, job: job, env: env, signer: signer,
			unit: systemd.BackupService(c.UnitName(job)), stateDir: env.StateDir,
		}
		return several.all(ctx)
	}
	result, err := dump.Run(ctx, job, env, dump.RunOptions{
		ID: backup.NewID(o.env.now()), AcceptEmpty: o.acceptEmpty, Signer: signer,
	})
	if err != nil {
		return logged(err)
	}
	if o.json {
		if err := o.printJSON(runJSON(result)); err != nil {
			return err
		}
	}
	if len(result.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

// rememberServer keeps which databases the job's server has, for who may not log in there and has to say what no job
// backs up. Nothing of the backup depends on it.
func rememberServer(ctx context.Context, o *headlessOptions, job config.Job) {
	dir := o.env.getenv("STATE_DIRECTORY")
	if dir == "" || ctx.Err() != nil {
		return
	}
	log := o.run.logs.logger(slog.LevelInfo)
	seen, err := dump.LookAtServer(ctx, job, o.run.withoutStore(o.run.logs.logger(slog.LevelError)), o.env.now())
	if err == nil {
		err = seen.Save(dir)
	}
	if err != nil {
		log.InfoContext(ctx, "which databases no job backs up is left to the next run: "+oneLine(err))
	}
}

func runJSON(r *dump.Result) jsonRun {
	m := r.Manifest
	set := &backup.Set{
		ID: m.ID, Kind: backup.KindNative, Instance: string(m.Instance), Database: string(m.Database),
		Schema: schemaOf(m), FinishedAt: m.FinishedAt, StoredSize: m.StoredBytes(), Dir: r.Folder, Manifest: m,
		Class: m.Dump.StorageClass,
	}
	return jsonRun{Schema: jsonSchema, Set: setJSON(set, nil), Deleted: deletedIDs(r.Deleted), Warnings: r.Warnings}
}

// schemaOf is the tenant's that a set is of, or "".
func schemaOf(m *backup.Manifest) string {
	if m.Partial == nil {
		return ""
	}
	return string(m.Partial.Schema)
}

func deletedIDs(decisions []retention.Decision) []string {
	ids := []string{}
	for _, d := range decisions {
		ids = append(ids, d.Set.ID)
	}
	return ids
}
