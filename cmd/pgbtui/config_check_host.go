package main

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
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
	scheduled := false
	for _, timer := range []config.Schedule{t.Backup, t.Verify, t.Drill, t.Prune, t.Copy} {
		scheduled = scheduled || len(timer.Calendar) > 0
	}
	if !scheduled {
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
	off, remedy, err := doctor.Timers(ctx, bus, c, job)
	if off != "" {
		return off + ". " + remedy, nil // before a job is switched on, no fault
	}
	return "on", err
}
