package console

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// units is ui.Units over D-Bus.
type units struct {
	bus   *systemd.Bus
	setup Setup
}

// pace is the least time between two lists.
const pace = 500 * time.Millisecond

// Watch implements ui.Units.
func (u *units) Watch(ctx context.Context) (<-chan []ui.UnitRun, error) {
	changes, err := u.bus.Watch(ctx)
	if err != nil {
		return nil, err
	}
	first, err := u.list(ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan []ui.UnitRun, 1)
	out <- first
	go u.relay(ctx, changes, out)
	return out, nil
}

// relay reads all units again after each change: there are few, and a list is easier to trust
// than a patched one. It ends when the bus is lost, which the console says and mends.
func (u *units) relay(ctx context.Context, changes <-chan systemd.Change, out chan<- []ui.UnitRun) {
	defer close(out)
	for {
		select {
		case <-ctx.Done():
			return
		case change, ok := <-changes:
			if !ok || change.Err != nil {
				return
			}
		}
		runs, err := u.list(ctx)
		if err != nil {
			return
		}
		select {
		case out <- runs:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return
		}
	}
}

// services are the globs of what does the work; an alert and the watch are none of that.
func services() []string {
	return slices.DeleteFunc(systemd.Patterns(), func(glob string) bool {
		action := systemd.ActionOf(glob)
		return !strings.HasSuffix(glob, ".service") || action == "alert" || action == "watch"
	})
}

func (u *units) list(ctx context.Context) ([]ui.UnitRun, error) {
	states, err := u.bus.Units(ctx, services()...)
	if err != nil {
		return nil, err
	}
	runs := []ui.UnitRun{}
	for _, s := range states {
		if run, ok := u.run(s); ok {
			run.Trigger = u.trigger(ctx, s)
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// run is a unit's run as the console shows it; ok is false for units that never ran.
func (u *units) run(s systemd.UnitState) (run ui.UnitRun, ok bool) {
	now := systemd.Current(s)
	if now.State == systemd.RunNone {
		return run, false
	}
	run = ui.UnitRun{
		Unit: s.Name, State: states[now.State], StartedAt: s.Service.StartedAt, Invocation: s.InvocationID,
		Detail: now.Reason, Memory: s.Service.MemoryBytes, MemoryHigh: s.Service.MemoryHigh, CPU: s.Service.CPUTime,
	}
	if now.State == systemd.RunRetrying {
		run.Detail = strings.TrimSpace("failed (" + now.Reason + "), tries again by itself")
	}
	if now.State.Over() {
		run.EndedAt = s.Service.ExitedAt
		if now.State == systemd.RunFailed {
			run.Detail += ": " + notify.Meaning(now.Code)
			run.Remedy = "read the journal of this run (w)"
		}
	} else {
		run.Status = s.Service.StatusText
		run.Attempt = int(s.Service.Restarts) + 1
	}
	u.subject(&run)
	run.State = refine(run)
	return run, true
}

// triggerSlack is how long after its timer's elapse a service's main process starts at the most.
const triggerSlack = 15 * time.Second

// trigger tells the timer's runs from people's: systemd says when the timer fired last.
func (u *units) trigger(ctx context.Context, s systemd.UnitState) string {
	if _, _, ok := systemd.ScheduledJobOf(s.Name); !ok {
		return "operator" // only people start these
	}
	timer, err := u.bus.Timer(ctx, strings.TrimSuffix(s.Name, ".service")+".timer")
	if err != nil || s.Service.StartedAt.IsZero() {
		return ""
	}
	after := s.Service.StartedAt.Sub(timer.Last)
	switch {
	case s.Service.Restarts > 0:
		return "retry"
	case !timer.Last.IsZero() && after > -time.Second && after < triggerSlack:
		return "timer"
	}
	return "operator"
}

var states = map[systemd.RunState]ui.RunState{
	systemd.RunQueued: ui.RunQueued, systemd.RunRunning: ui.RunRunning, systemd.RunFinishing: ui.RunFinishing,
	systemd.RunRetrying: ui.RunQueued, systemd.RunOK: ui.RunOK, systemd.RunWarn: ui.RunWarn, systemd.RunFailed: ui.RunFailed,
	systemd.RunCancelled: ui.RunCancelled, systemd.RunLost: ui.RunLost, systemd.RunSkipped: ui.RunSkipped,
}

// refine tells the first stages of a running unit apart, by what the run itself says.
func refine(run ui.UnitRun) ui.RunState {
	if run.State != ui.RunRunning {
		return run.State
	}
	_, stage, _, ok := backup.ParseStatus(run.Status)
	switch {
	case !ok || stage == backup.StageLock || stage == backup.StagePreflight:
		return ui.RunPreflight
	case stage == backup.StageCommit || stage == backup.StageRetention || stage == backup.StageCompare:
		return ui.RunFinishing
	}
	return run.State
}

// subject says what the unit works on.
func (u *units) subject(run *ui.UnitRun) {
	instance := systemd.InstanceOf(run.Unit)
	run.Action = systemd.ActionOf(run.Unit)
	if run.Action == "restore" {
		if asked, err := request.Read(request.DefaultDir, instance); err == nil {
			run.Database, run.Target, run.Job = asked.Database, asked.To, asked.Job
		}
		return
	}
	if _, _, scheduled := systemd.ScheduledJobOf(run.Unit); !scheduled {
		run.Target = instance // the set
		return
	}
	if job, ok := u.setup.jobOf(run.Unit); ok {
		run.Job, run.Database = job.Name, job.Database
	}
}

// timers is ui.Timers over D-Bus.
type timers struct {
	bus   *systemd.Bus
	setup Setup
}

// Timers implements ui.Timers: what is installed or loaded, and what the configuration expects.
func (t *timers) Timers(ctx context.Context) ([]ui.Timer, error) {
	var expected []string
	for _, j := range t.setup.Config.Jobs {
		expected = append(expected, strings.TrimSuffix(t.setup.unitOf(j), ".service")+".timer")
	}
	found, err := t.bus.Timers(ctx, expected...)
	if err != nil {
		return nil, err
	}
	var out []ui.Timer
	for _, f := range found {
		one := ui.Timer{
			Unit: f.Name, Service: f.Unit, Action: systemd.ActionOf(f.Unit), Job: f.Job, Enabled: f.UnitFileState, Active: f.ActiveState == "active", Calendar: f.Calendar,
			Next: f.Next, Last: f.Last, Jitter: f.RandomizedDelay, Accuracy: f.Accuracy, Persistent: f.Persistent,
			Overridden: f.DropInPaths, Problem: problem(f),
		}
		if job, ok := t.setup.jobOf(f.Name); ok {
			one.Job, one.Database = job.Name, job.Database
		}
		if one.Upcoming, err = upcoming(ctx, f.Calendar); err != nil {
			one.Upcoming = nil // systemd-analyze is missing or slow: the next time is known anyway
		}
		out = append(out, one)
	}
	return out, nil
}

func upcoming(ctx context.Context, calendar []string) ([]time.Time, error) {
	if len(calendar) != 1 {
		return nil, nil
	}
	return systemd.CalendarNext(ctx, calendar[0], 5)
}

// problem is why a timer does not do its work, with the way to mend it; "" when it does.
func problem(t systemd.Timer) string {
	switch t.State {
	case systemd.TimerOn:
		if t.NeedReload {
			return "its file was changed: systemctl daemon-reload"
		}
		return ""
	case systemd.TimerOff:
		if t.Plain && t.Last.IsZero() {
			return "" // installed for everybody, used by the single-database form only
		}
		return "off: systemctl enable --now " + t.Name
	case systemd.TimerMissing:
		return "not installed: pgbtui units install"
	case systemd.TimerMasked:
		return "masked: systemctl unmask " + t.Name
	case systemd.TimerStopped:
		return "enabled but stopped, nothing runs until the next boot: systemctl start " + t.Name
	case systemd.TimerUnsaved:
		return "not enabled, gone after a reboot: systemctl enable " + t.Name
	case systemd.TimerFailed, systemd.TimerBroken:
	}
	return string(t.State) + ": systemctl status " + t.Name // says the reason
}

// started maps an answer of systemd's to the console's, where an already running unit is no error.
func started(unit string, err error) (ui.Started, error) {
	if errors.Is(err, systemd.ErrAlreadyRunning) {
		return ui.Started{Unit: unit, AlreadyRunning: true}, nil
	}
	if fault.CodeOf(err) == fault.NotPermitted {
		err = operatorHint(err)
	}
	return ui.Started{Unit: unit}, err
}
