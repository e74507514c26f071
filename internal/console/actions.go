package console

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// actions starts and stops units. Every call that systemd accepted leaves one audit line.
type actions struct {
	bus   *systemd.Bus
	setup Setup
	who   journal.Operator
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
	unit, err := name(set.ID)
	if err != nil {
		return ui.Started{}, err
	}
	return a.start(ctx, unit, string(how), set.ID)
}

// Restore implements ui.Actions: the wish goes into a file, the unit is named after it.
func (a *actions) Restore(ctx context.Context, r ui.RestoreRequest) (ui.Started, error) {
	id := backup.NewID(time.Now())
	unit, err := systemd.RestoreService(id)
	if err != nil {
		return ui.Started{}, err
	}
	err = request.Write(request.DefaultDir, id, request.Restore{
		Set: r.Set.ID, Instance: r.Set.Instance, Database: r.Set.Database, To: r.Target, Jobs: max(1, r.Jobs), Globals: r.Globals,
		By: a.who.Login, At: time.Now().UTC(),
	})
	if err != nil {
		return ui.Started{}, err
	}
	return a.start(ctx, unit, "restore "+r.Set.ID+" to", r.Target)
}

// Cancel implements ui.Canceller.
func (a *actions) Cancel(ctx context.Context, unit, reason string) error {
	if err := a.bus.Stop(ctx, unit); err != nil {
		return operatorHint(err)
	}
	journal.Audit(ctx, a.setup.Log, a.who, journal.Action{What: "cancel", Target: unit, Reason: reason})
	return nil
}
