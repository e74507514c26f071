package console

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// A restore is a wish in a file and a unit named after it. So is its preflight: the unit runs as the
// user who restores, which may look where operators may not.

// Restore implements ui.Actions.
func (a *actions) Restore(ctx context.Context, r ui.RestoreRequest) (ui.Started, error) {
	id := backup.NewID(time.Now())
	unit, err := a.wish(id, requestOf(r))
	if err != nil {
		return ui.Started{}, err
	}
	switch {
	case r.Swap != "":
		return a.start(ctx, unit, "swap", r.Swap)
	case r.Replace != "":
		return a.start(ctx, unit, "replace by "+r.Set.Address().String(), r.Replace)
	case r.DataOnly:
		return a.start(ctx, unit, "rows of "+r.Set.Address().String()+" into", r.To)
	}
	return a.start(ctx, unit, "restore "+r.Set.Address().String()+" to", r.To)
}

// wish writes the request down; the unit of that name carries it out.
func (a *actions) wish(id string, r request.Restore) (unit string, err error) {
	if unit, err = systemd.RestoreService(id); err != nil {
		return "", err
	}
	r.By, r.At = a.who.Login, time.Now().UTC()
	return unit, request.Write(request.DefaultDir, id, r)
}

func requestOf(r ui.RestoreRequest) request.Restore {
	return request.Restore{
		Set: r.Set.ID, Instance: r.Set.Instance, Database: r.Set.Database, Schema: r.Set.Schema, Job: r.Set.Job,
		From: r.From, ManifestSHA256: r.Set.ManifestSHA256(), Swap: r.Swap, With: r.With, Request: r.Request,
	}
}

// check lets the unit look, and waits for its answer. fault.NotPermitted: this user may not start it.
func (a *actions) check(ctx context.Context, r ui.RestoreRequest) (request.Answer, error) {
	id := request.NewCheckID(backup.NewID(time.Now()))
	wish := requestOf(r)
	wish.Check, wish.Confirm = true, ""
	unit, err := a.wish(id, wish)
	if err != nil {
		return request.Answer{}, err
	}
	defer request.Remove(request.DefaultDir, id)
	run, err := a.bus.Start(ctx, unit)
	if err != nil {
		return request.Answer{}, err
	}
	_, end, err := a.bus.Wait(ctx, run, nil)
	if err != nil {
		return request.Answer{}, err
	}
	answer, err := request.ReadAnswer(request.DefaultDir, id)
	if err != nil || !answer.Over {
		what := "the unit that makes the checks ended without an answer (" + end.Reason + ")"
		return answer, fault.New(fault.Failed, what, "`journalctl -u "+unit+"` says why.", err)
	}
	return answer, failed(answer.Err())
}

// failed keeps an error of the unit's from being taken for one of this user's rights.
func failed(err error) error {
	if fault.CodeOf(err) == fault.NotPermitted {
		return fault.New(fault.Failed, err.Error(), fault.Remedy(err), nil)
	}
	return err
}
