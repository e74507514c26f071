package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// What a configuration wants of the timers of this host. Rules: a job of the configuration has its backups, their
// verification and its drills on a timer, unless it says that people drill; and its prune timer where that deletes.
// Where the configuration lists its jobs, timers of other jobs are left over.

// planTimers compares this host's timers with the configuration. It changes nothing.
func planTimers(ctx context.Context, c *config.Config, bus *systemd.Bus, now time.Time) (*systemd.TimerPlan, error) {
	o := systemd.TimerPlanOptions{Whole: c.ListsJobs(), Now: now}
	for _, job := range c.Jobs {
		if err := checkCalendars(ctx, c, job); err != nil {
			return nil, err
		}
		name, err := unitOf(ctx, c, job, bus)
		if err != nil {
			return nil, err
		}
		o.Wishes = append(o.Wishes, timerWishes(job, name)...)
	}
	if err := understood(ctx, c.File, "watch.test_alerts", c.Watch.TestAlerts); err != nil {
		return nil, err
	}
	o.Wishes = append(o.Wishes, systemd.TimerWish{
		Timer: systemd.AlertTestTimer, On: len(c.Watch.TestAlerts) > 0, Calendar: c.Watch.TestAlerts,
		Why: offWhen(len(c.Watch.TestAlerts) == 0, "watch.test_alerts is not set"),
	})
	o.Wishes = append(o.Wishes, systemd.TimerWish{
		Timer: systemd.ClusterStatusTimer, On: len(c.Clusters) > 0,
		Why: offWhen(len(c.Clusters) == 0, "the configuration has no clusters"),
	})
	return systemd.PlanTimers(ctx, bus, o)
}

// unitOf is what a job's units are called after the @. The only job may run by the plain units, as somebody chose.
func unitOf(ctx context.Context, c *config.Config, job config.Job, bus *systemd.Bus) (string, error) {
	name := c.UnitName(job)
	if name == "" || len(c.Jobs) != 1 {
		return name, nil
	}
	named, err := bus.Timer(ctx, systemd.BackupTimer(name))
	if err != nil {
		return "", err
	}
	plain, err := bus.Timer(ctx, systemd.BackupTimer(""))
	ours := systemd.WroteFile(plain.FragmentPath) // a script's own timer may have the same name
	if err == nil && ours && plain.State == systemd.TimerOn && named.State != systemd.TimerOn {
		return "", nil
	}
	return name, err
}

// timerWishes are those of one job, whose units have that name.
func timerWishes(job config.Job, name string) []systemd.TimerWish {
	t := job.Timetable
	noDrills := offWhen(job.Drill.By == config.DrillByHand, "drill.by is hand")
	noPrunes := offWhen(job.Keep.By != config.PruneByTimer && !job.PrunesCopies(), "keep.by is backup")
	noCopies := offWhen(len(job.Copies) == 0, "the job has no copies")
	return []systemd.TimerWish{
		timerWish(job.Name, systemd.BackupTimer(name), t.Backup, ""),
		timerWish(job.Name, systemd.BackupVerifyTimer(name), t.Verify, ""),
		timerWish(job.Name, systemd.BackupDrillTimer(name), t.Drill, noDrills),
		timerWish(job.Name, systemd.BackupPruneTimer(name), t.Prune, noPrunes),
		timerWish(job.Name, systemd.BackupCopyTimer(name), t.Copy, noCopies),
	}
}

func offWhen(holds bool, why string) string {
	if holds {
		return why
	}
	return ""
}

// timerWish is of one timer, which is off for a reason.
func timerWish(job, timer string, s config.Schedule, off string) systemd.TimerWish {
	w := systemd.TimerWish{Timer: timer, Job: job, On: off == "", Why: off}
	if w.On {
		w.Calendar = s.Calendar
		w.Jitter = s.Jitter
	}
	return w
}

// checkCalendars asks systemd whether it understands every expression of a job.
func checkCalendars(ctx context.Context, c *config.Config, job config.Job) error {
	for _, one := range []struct {
		key string
		of  config.Schedule
	}{
		{key: "schedule", of: job.Timetable.Backup},
		{key: "verify.schedule", of: job.Timetable.Verify},
		{key: "drill.schedule", of: job.Timetable.Drill},
		{key: "keep.schedule", of: job.Timetable.Prune},
		{key: "copy.schedule", of: job.Timetable.Copy},
	} {
		if err := understood(ctx, whereSet(c, job, one.key), one.key, one.of.Calendar); err != nil {
			return err
		}
	}
	return nil
}

// understood fails where systemd does not know an expression; where is its file and line.
func understood(ctx context.Context, where, key string, calendar []string) error {
	for _, expression := range calendar {
		_, err := systemd.NormalCalendar(ctx, expression)
		if err == nil {
			continue
		}
		if fault.CodeOf(err) != fault.Usage {
			return err
		}
		return fault.New(fault.Config, fmt.Sprintf("config: %s: %s: systemd does not understand %q", where, key, expression),
			"Write it as systemd.time(7) describes, such as \"*-*-* 02:00:00 UTC\"; `systemd-analyze calendar` tries one.",
			errors.Unwrap(err))
	}
	return nil
}

// whereSet is the file and line of a setting.
func whereSet(c *config.Config, job config.Job, key string) string {
	for _, s := range c.Settings(job) {
		if s.Key == key {
			return s.From
		}
	}
	return c.File
}
