package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
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

// services are the globs of what does the work; an alert is none of that.
func services() []string {
	return slices.DeleteFunc(systemd.Patterns(), func(glob string) bool {
		action := systemd.ActionOf(glob)
		return !strings.HasSuffix(glob, ".service") || action == "alert"
	})
}

func (u *units) list(ctx context.Context) ([]ui.UnitRun, error) {
	states, err := u.bus.Units(ctx, services()...)
	if err != nil {
		return nil, err
	}
	runs := []ui.UnitRun{}
	for _, s := range states {
		if request.IsCheckID(systemd.InstanceOf(s.Name)) {
			continue // it looks for a restore that somebody plans
		}
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
	run.Attempt = int(s.Service.Restarts) + 1
	run.Attempts = int(s.Service.StartLimit)
	if now.State == systemd.RunRetrying {
		run.Detail = fmt.Sprintf("attempt %d of %d failed (%s), tries again by itself", run.Attempt, run.Attempts, now.Reason)
	}
	if now.State.Over() {
		run.EndedAt = s.Service.ExitedAt
		if now.State == systemd.RunFailed {
			run.Detail += ": " + now.Code.Meaning()
			run.Remedy = remedy(s)
		}
	} else {
		run.Status = s.Service.StatusText
	}
	u.subject(&run)
	action := systemd.ActionOf(s.Name)
	run.Again = action != "restore" && action != "cluster restore" // their requests are carried out once
	run.State = refine(run)
	return run, true
}

// remedy of a run that failed. systemd refuses a unit that was started too often; a start from here
// clears its count first.
func remedy(s systemd.UnitState) string {
	if s.Service.Result == "start-limit-hit" {
		return "Correct the cause (w shows the journal), then press b: it clears the count of starts and starts the unit."
	}
	return "Read the journal of this run (w)."
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

// states are the states of systemd as the screens name them, who tell a run's first stages apart (see refine).
var states = map[systemd.RunState]ui.RunState{
	systemd.RunQueued:    ui.RunQueued,
	systemd.RunRunning:   ui.RunRunning,
	systemd.RunFinishing: ui.RunFinishing,
	systemd.RunRetrying:  ui.RunQueued,
	systemd.RunOK:        ui.RunOK,
	systemd.RunWarn:      ui.RunWarn,
	systemd.RunFailed:    ui.RunFailed,
	systemd.RunCancelled: ui.RunCancelled,
	systemd.RunLost:      ui.RunLost,
	systemd.RunSkipped:   ui.RunSkipped,
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
		restoreSubject(run, instance)
		return
	}
	if run.Action == "cluster restore" {
		clusterSubject(run, request.DefaultDir, instance)
		return
	}
	if _, _, scheduled := systemd.ScheduledJobOf(run.Unit); !scheduled {
		run.Target = instance // the set
		return
	}
	if job, ok := u.setup.jobOf(run.Unit); ok {
		run.Job, run.Database = job.Name, databaseText(job)
	}
}

// databaseText is a job's database, or what it takes of several, or of its schemas.
func databaseText(job config.Job) string {
	if job.Several() {
		return strings.Join(job.Databases, ", ")
	}
	if job.Tenants() {
		return job.Database + "/" + strings.Join(job.Schemas, ", ")
	}
	return job.Database
}

// restoreSubject is what was asked for: the request says it, and the answer where the request was taken.
func restoreSubject(run *ui.UnitRun, id string) {
	asked, err := request.Read(request.DefaultDir, id)
	if err != nil {
		answer, err := request.ReadAnswer(request.DefaultDir, id)
		if err != nil {
			return
		}
		asked = answer.Request
	}
	run.Database = asked.Database
	run.Target = asked.To
	run.Job = asked.Job
	if live := asked.Replace + asked.Swap; live != "" {
		run.Target = live
		run.Replaces = true
	}
}

// clusterSubject is what was asked for of a cluster or of a copy, as restoreSubject reads it.
func clusterSubject(run *ui.UnitRun, dir, id string) {
	asked, err := request.ReadCluster(dir, id)
	if err != nil {
		answer, err := request.ReadClusterAnswer(dir, id)
		if err != nil {
			return
		}
		asked = answer.Request
	}
	clusterRun(run, asked.Verb, asked.Cluster+asked.Copy)
}

// clusterRun names a run of postgres-pitr@ID.service after what it does, which is not always a restore.
func clusterRun(run *ui.UnitRun, verb request.Verb, of string) {
	run.Action = "cluster " + string(verb)
	run.Target = of
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
