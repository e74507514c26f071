package systemd

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Run is a run that Start began.
type Run struct {
	Unit         string
	InvocationID string    // "" while the start is still queued behind other units
	Before       UnitState // the unit as it was, for outcomeOf
}

// Start starts a service and returns as soon as it runs, or stays queued for a second. It clears a
// failed state and the count of starts first, so that earlier failures do not refuse this run,
// and cuts short the wait for an automatic restart. A running unit gives ErrAlreadyRunning,
// with its invocation in the Run.
//
// The unit is kept referenced until Close, or systemd would forget a good run's result.
func (b *Bus) Start(ctx context.Context, unit string) (Run, error) {
	before, err := b.Unit(ctx, unit)
	if err != nil {
		return Run{}, err
	}
	run := Run{Unit: unit, InvocationID: before.InvocationID, Before: before}
	if before.Running() || (before.JobID != 0 && !before.Waiting()) {
		return run, fault.New(fault.Temporary, "systemd: start "+unit,
			"Follow the run that is in progress, or wait until it ends.", ErrAlreadyRunning)
	}
	if err := startable(before); err != nil {
		return Run{}, err
	}
	_ = b.call(ctx, "reference "+unit, "RefUnit", []any{unit})
	method := "StartUnit"
	if before.Waiting() { // a start would be queued until the restart is due
		method = "RestartUnit"
	} else {
		_ = b.resetFailed(ctx, unit)
	}
	var job dbus.ObjectPath
	if err := b.call(ctx, "start "+unit, method, []any{unit, "replace"}, &job); err != nil {
		return Run{}, err
	}
	run.InvocationID = b.awaitInvocation(ctx, before)
	return run, nil
}

// startable refuses what would end as a puzzling D-Bus error or not at all.
func startable(u UnitState) error {
	what := "systemd: start " + u.Name
	switch u.LoadState {
	case "loaded":
		return nil
	case "not-found":
		return fault.New(fault.NotFound, what, "Install the units with `sudo pgbtui units install`.",
			fmt.Errorf("no such unit file"))
	case "masked":
		return fault.New(fault.Refused, what, "Run `sudo systemctl unmask "+printable.ShellWord(u.Name)+"`.",
			fmt.Errorf("the unit is masked"))
	}
	return fault.New(fault.Config, what, "Read `systemctl status "+printable.ShellWord(u.Name)+"`.",
		fmt.Errorf("the unit file is %s", u.LoadState))
}

// awaitInvocation waits up to a second for the run that a start job begins to get its id.
func (b *Bus) awaitInvocation(ctx context.Context, before UnitState) string {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for range 20 {
		select {
		case <-ctx.Done():
			return ""
		case <-pause.C:
		}
		now, err := b.Unit(ctx, before.Name)
		if err != nil {
			return ""
		}
		if now.InvocationID != before.InvocationID && now.InvocationID != "" {
			return now.InvocationID
		}
		if now.JobID == 0 && !now.Running() {
			return ""
		}
		pause.Reset(50 * time.Millisecond)
	}
	return ""
}

// Stop asks a unit to stop, and returns when systemd has taken the order, not when it is over.
func (b *Bus) Stop(ctx context.Context, unit string) error {
	var job dbus.ObjectPath
	return b.call(ctx, "stop "+unit, "StopUnit", []any{unit, "replace"}, &job)
}

// StartTimer starts a timer, which runs nothing by itself unless a run was missed.
func (b *Bus) StartTimer(ctx context.Context, timer string) error {
	var job dbus.ObjectPath
	return b.call(ctx, "start "+timer, "StartUnit", []any{timer, "replace"}, &job)
}

// Listen starts a socket, and returns when systemd listens on it.
func (b *Bus) Listen(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	changes, err := b.Watch(ctx, socket)
	if err != nil {
		return err
	}
	var job dbus.ObjectPath
	if err := b.call(ctx, "start "+socket, "StartUnit", []any{socket, "replace"}, &job); err != nil {
		return err
	}
	for {
		u, err := b.Unit(ctx, socket)
		if err != nil || u.ActiveState == "active" {
			return err
		}
		if u.ActiveState == "failed" || u.JobID == 0 && !u.Running() {
			return fault.New(fault.Failed, "systemd: start "+socket, "Read `systemctl status "+printable.ShellWord(socket)+"`.",
				nil)
		}
		if _, ok := <-changes; !ok {
			return fmt.Errorf("systemd: start %s: %w", socket, context.Cause(ctx))
		}
	}
}

// Wait follows a run to its end by signals. look, if not nil, is called with each new state.
func (b *Bus) Wait(ctx context.Context, run Run, look func(UnitState)) (UnitState, Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := b.Watch(ctx, run.Unit)
	if err != nil {
		return UnitState{}, Outcome{}, err
	}
	for {
		now, err := b.Unit(ctx, run.Unit)
		if err == nil {
			if look != nil {
				look(now)
			}
			if end := outcomeOf(run.Before, now); end.State.Over() {
				return now, end, nil
			}
		}
		if _, ok := <-changes; !ok {
			return now, Outcome{}, fmt.Errorf("systemd: wait for %s: %w", run.Unit, context.Cause(ctx))
		}
	}
}

// EnableTimer makes a timer start at boot and starts it now.
func (b *Bus) EnableTimer(ctx context.Context, timer string) error {
	if err := b.enableFile(ctx, timer); err != nil {
		return err
	}
	if err := b.reload(ctx); err != nil {
		return err
	}
	return b.StartTimer(ctx, timer)
}

// DisableTimer stops a timer and keeps it from starting at boot. What it started goes on.
func (b *Bus) DisableTimer(ctx context.Context, timer string) error {
	if err := b.disableFile(ctx, timer); err != nil {
		return err
	}
	return b.reload(ctx)
}

// enableFile makes a unit start at boot; systemd has to read its units again before it knows.
func (b *Bus) enableFile(ctx context.Context, unit string) error {
	var carries bool
	var changes [][]any
	return b.call(ctx, "enable "+unit, "EnableUnitFiles", []any{[]string{unit}, false, false}, &carries, &changes)
}

// disableFile stops a unit and keeps it from starting at boot; then as for enableFile.
func (b *Bus) disableFile(ctx context.Context, unit string) error {
	if err := b.Stop(ctx, unit); err != nil {
		return err
	}
	var changes [][]any
	return b.call(ctx, "disable "+unit, "DisableUnitFiles", []any{[]string{unit}, false}, &changes)
}

// reload makes systemd read the unit files again.
func (b *Bus) reload(ctx context.Context) error { return b.call(ctx, "reload units", "Reload", nil) }
