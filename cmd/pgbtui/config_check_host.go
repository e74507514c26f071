package main

import (
	"context"
	"errors"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// What a job's configuration counts on besides bucket and database: timers that are on, and a host
// that can drill.

// checkDrills looks whether this host can drill, before a drill has to find out.
func checkDrills(ctx context.Context, env *environment, job config.Job, facts postgres.Facts) jsonFinding {
	detail, err := restore.Drillable(ctx, job, facts, *whereDrills(ctx, env, job))
	if len(job.Encryption.Recipients) > 0 && job.Encryption.IdentityFile == "" {
		detail += "; the drill's unit needs the credential age-identity"
	}
	return finding("drills", detail, err)
}

// checkSchedule asks systemd whether it understands the times that a job's timers are to have, and when the next backup
// would be.
func checkSchedule(ctx context.Context, c *config.Config, job config.Job, now time.Time) (f jsonFinding, given bool) {
	t := job.Timetable
	if len(t.Backup.Calendar)+len(t.Verify.Calendar)+len(t.Drill.Calendar)+len(t.Prune.Calendar) == 0 {
		return jsonFinding{}, false
	}
	err := checkCalendars(ctx, c, job)
	if fault.CodeOf(err) == fault.Unavailable {
		return nothing("schedule", "not looked at: systemd's tools are not installed here"), true
	}
	var first time.Time
	for _, expression := range t.Backup.Calendar {
		next, nextErr := systemd.CalendarAfter(ctx, expression, now)
		if err == nil && nextErr == nil && !next.IsZero() && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	detail := "understood by systemd"
	if !first.IsZero() {
		detail = "the next backup by it is on " + first.Local().Format("Mon 2006-01-02 15:04 MST")
	}
	return finding("schedule", detail+"; `pgbtui jobs sync --check` compares it with the timers", err), true
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
