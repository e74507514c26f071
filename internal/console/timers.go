package console

import (
	"cmp"
	"context"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// timers is ui.Timers over D-Bus.
type timers struct {
	bus   *systemd.Bus
	setup Setup
}

// Timers implements ui.Timers: what is installed or loaded, and what the configuration expects.
func (t *timers) Timers(ctx context.Context) ([]ui.Timer, error) {
	found, err := t.find(ctx)
	if err != nil {
		return nil, err
	}
	missing := t.missing(found)
	var out []ui.Timer
	for _, f := range found {
		one := ui.Timer{
			Unit: f.Name, Service: f.Unit, Action: systemd.ActionOf(f.Name), Job: f.Job,
			Enabled: f.UnitFileState, Active: f.ActiveState == "active", Calendar: f.Calendar,
			Next: f.Next, Last: f.Last, Jitter: f.RandomizedDelay, Accuracy: f.Accuracy, Persistent: f.Persistent,
			Overridden: f.DropInPaths,
		}
		if job, ok := t.setup.jobOf(f.Name); ok {
			one.Job, one.Database = job.Name, databaseText(job)
		}
		one.State, one.Problem, one.Remedy = t.state(ctx, f)
		if m, ok := missing[f.Name]; ok {
			one.Wanted, one.Remedy = true, m.Remedy
		}
		if one.Upcoming, err = upcoming(ctx, f.Calendar); err != nil {
			one.Upcoming = nil // systemd-analyze is missing or slow: the next time is known anyway
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b ui.Timer) int { return cmp.Compare(order(a), order(b)) })
	return out, nil
}

// find reads every timer that can be ours. A template's instance that was never switched on is known
// to the configuration alone.
func (t *timers) find(ctx context.Context) ([]systemd.Timer, error) {
	var backups []string
	others := map[string]bool{systemd.WatchTimer: true}
	if len(t.setup.Config.Watch.TestAlerts) > 0 {
		others[systemd.AlertTestTimer] = true
	}
	for _, j := range t.setup.Config.Jobs {
		name := t.setup.Config.UnitName(j)
		backups = append(backups, systemd.BackupTimer(name))
		others[systemd.BackupDrillTimer(name)] = true
		others[systemd.BackupPruneTimer(name)] = true
		if len(j.Copies) > 0 {
			others[systemd.BackupCopyTimer(name)] = true
		}
		for _, timer := range systemd.JobTimers(name)[1:] {
			others[timer] = true
		}
	}
	found, err := t.bus.Timers(ctx, backups...)
	if err != nil {
		return nil, err
	}
	loaded, err := t.bus.OtherTimers(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range loaded {
		others[l.Name] = false
		found = append(found, l)
	}
	for name, missing := range others {
		if !missing {
			continue
		}
		one, err := t.bus.Timer(ctx, name)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b systemd.Timer) int { return cmp.Compare(a.Name, b.Name) })
	return slices.DeleteFunc(found, t.unused), nil
}

// missing are the timers that a job's configuration counts on and that are off, by name.
func (t *timers) missing(found []systemd.Timer) map[string]watch.Finding {
	missing := map[string]watch.Finding{}
	for _, f := range found {
		if _, _, backup := systemd.JobOf(f.Name); !backup {
			continue
		}
		if job, ok := t.setup.jobOf(f.Name); ok {
			for _, m := range watch.Missing(t.setup.Config, job, f, found) {
				missing[m.Subject] = m
			}
		}
	}
	return missing
}

// unused timers are installed for everybody, and stand for the form of one database without a file,
// which this configuration is not.
func (t *timers) unused(f systemd.Timer) bool {
	_, plain, _ := systemd.ScheduledJobOf(f.Name)
	named := slices.ContainsFunc(t.setup.Config.Jobs, func(j config.Job) bool { return t.setup.Config.UnitName(j) != "" })
	return plain && named && f.State == systemd.TimerOff && f.Last.IsZero()
}

// order puts what makes backups first, then what proves them, clears up, and watches.
func order(t ui.Timer) int {
	return slices.Index([]string{
		"backup", "verify", "drill", "prune", "copy", "watch", "cluster status", "alert test",
	}, t.Action)
}

func upcoming(ctx context.Context, calendar []string) ([]time.Time, error) {
	if len(calendar) != 1 {
		return nil, nil
	}
	return systemd.CalendarNext(ctx, calendar[0], 5)
}

// timerStates are the states of systemd as the screens name them, who know one more: a run that was missed.
var timerStates = map[systemd.TimerState]ui.TimerState{
	systemd.TimerOn:      ui.TimerOn,
	systemd.TimerOff:     ui.TimerOff,
	systemd.TimerStopped: ui.TimerStopped,
	systemd.TimerUnsaved: ui.TimerUnsaved,
	systemd.TimerMasked:  ui.TimerMasked,
	systemd.TimerFailed:  ui.TimerFailed,
	systemd.TimerMissing: ui.TimerMissing,
	systemd.TimerBroken:  ui.TimerBroken,
}

// state is whether a timer does its work, why not, and how to mend it, in the words of the watch.
func (t *timers) state(ctx context.Context, f systemd.Timer) (state ui.TimerState, problem, remedy string) {
	if problem, remedy = watch.TimerTrouble(f); problem != "" {
		return timerStates[f.State], problem, remedy
	}
	if f.NeedReload {
		return ui.TimerOn, "its file was changed", "sudo systemctl daemon-reload"
	}
	service, err := t.bus.Unit(ctx, f.Unit)
	if err != nil {
		return ui.TimerOn, "", "" // whether it missed a run is not known
	}
	if due := watch.Missed(ctx, f, service, time.Now()); !due.IsZero() {
		return ui.TimerMissed, "should have fired at " + due.Local().Format("02 Jan 15:04 MST"), "systemctl status " + f.Name
	}
	return ui.TimerOn, "", ""
}
