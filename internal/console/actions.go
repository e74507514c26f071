package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// actions starts and stops units. Every call that systemd accepted leaves one audit line.
type actions struct {
	bus     *systemd.Bus
	setup   Setup
	buckets *buckets
	who     journal.Operator
}

func (a *actions) start(ctx context.Context, unit, what, target string) (ui.Started, error) {
	run, err := a.bus.Start(ctx, unit)
	answer, err := started(unit, err)
	if err == nil && !answer.AlreadyRunning {
		journal.Audit(ctx, a.setup.Log, a.who, journal.Action{What: what, Target: target, Run: run.InvocationID})
	}
	return answer, err
}

// Start implements ui.Actions.
func (a *actions) Start(ctx context.Context, s ui.Service) (ui.Started, error) {
	return a.start(ctx, s.Unit, s.What, s.Target)
}

// Prove implements ui.Actions.
func (a *actions) Prove(ctx context.Context, how ui.Proving, set backup.Set) (ui.Started, error) {
	name := systemd.VerifyService
	if how == ui.ProveRestored {
		name = systemd.DrillService
	}
	if err := a.buckets.named(&set, string(how)); err != nil {
		return ui.Started{}, err
	}
	unit, err := name(set.ID)
	if err != nil {
		return ui.Started{}, err
	}
	return a.start(ctx, unit, string(how), set.ID)
}

// Cancel implements ui.Canceller.
func (a *actions) Cancel(ctx context.Context, unit, reason string) error {
	if err := a.bus.Stop(ctx, unit); err != nil {
		return operatorHint(err)
	}
	journal.Audit(ctx, a.setup.Log, a.who, journal.Action{What: "cancel", Target: unit, Reason: reason})
	return nil
}
