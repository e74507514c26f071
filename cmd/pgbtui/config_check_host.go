package main

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// What a job's configuration counts on besides bucket and database: timers that are on, and a host
// that can drill.

// checkDrills looks whether this host can drill, before a drill has to find out.
func checkDrills(ctx context.Context, env *environment, job config.Job, facts postgres.Facts) jsonFinding {
	request := restore.DrillRequest{Dir: drillDir(job.SpoolDir, env.getenv("STATE_DIRECTORY"))}
	if units, bus := drillUnits(ctx); units != nil {
		request = restore.DrillRequest{Dir: units.ServerDir, Unit: scratch.ControlSocket}
		_ = bus.Close()
	}
	detail, err := restore.Drillable(ctx, job, facts, request)
	if len(job.Encryption.Recipients) > 0 && job.Encryption.IdentityFile == "" {
		detail += "; the drill's unit needs the credential age-identity"
	}
	return finding("drills", detail, err)
}

// checkTimers says whether the timers that a job counts on are on, once its backups are; nothing where
// there are no units of ours.
func checkTimers(ctx context.Context, c *config.Config, job config.Job) (string, error) {
	bus := ownUnits(ctx, c)
	if bus == nil {
		return "", nil
	}
	defer func() { _ = bus.Close() }()
	noSets := func(context.Context, config.Job) ([]backup.Set, error) { return nil, nil }
	snapshot := watch.Prober{Host: bus, Sets: noSets}.Probe(ctx, c, []config.Job{job})
	if snapshot.HostErr != nil {
		return "", snapshot.HostErr
	}
	host := snapshot.Jobs[0].Host
	if what, remedy := watch.TimerTrouble(host.Timer); what != "" {
		return host.Timer.Name + " is " + what + ". " + remedy, nil // before a job is switched on, no fault
	}
	var wrong []error
	for _, f := range host.Missing {
		wrong = append(wrong, fault.New(fault.Config, f.What, f.Remedy, nil))
	}
	return "on", errors.Join(wrong...)
}

// checkServer connects once, without waiting, and looks for what would spoil a dump.
func checkServer(ctx context.Context, job config.Job) (facts postgres.Facts, detail string, err error) {
	c := job.Postgres
	target := postgres.Target{Host: c.Host, Port: c.Port, User: c.User, Database: job.Database}
	server, err := postgres.Connect(ctx, target, 0)
	if err != nil {
		return facts, "", err
	}
	defer func() { _ = server.Close(ctx) }()
	if err := server.EnoughSessions(ctx); err != nil {
		return facts, "", err
	}
	facts, err = server.Facts(ctx)
	if err != nil {
		return facts, "", err
	}
	tools, err := postgres.FindTools(ctx, c.BinDir, facts.Major())
	if err != nil {
		return facts, "", err
	}
	if err := tools.CheckFrom(facts); err != nil {
		return facts, "", err
	}
	if facts.Unreadable > 0 || facts.Unowned > 0 {
		what := fmt.Sprintf("role %s can't read %d tables and %d large objects",
			facts.Role, facts.Unreadable, facts.Unowned)
		return facts, "", fault.New(fault.NotPermitted, what,
			"GRANT pg_read_all_data TO the role (`pgbtui units print --sql`); large objects need their owner's rights.", nil)
	}
	detail = fmt.Sprintf("server %s as role %s, %s, %s", facts.Version, facts.Role, readable.Size(facts.SizeBytes),
		tools.Version)
	return facts, detail, nil
}
