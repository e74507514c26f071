package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Restores that wait for a thaw, and a host that restarts meanwhile: `resume` starts their units again, and the end of
// a unit decides whether there is anything to resume.

func newResumeCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "resume", Short: "Start the restores that waited for a thaw when the host went down: for systemd",
		Args: noArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return runResume(cmd.Context(), p.logs) },
	}
}

func runResume(ctx context.Context, to *logs) error {
	ids, err := request.AllWaiting(request.DefaultDir)
	if err != nil || len(ids) == 0 {
		return err
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	var failed error
	for _, id := range ids {
		unit, err := systemd.RestoreService(id)
		if err == nil {
			_, err = bus.Start(ctx, unit)
		}
		switch {
		case errors.Is(err, systemd.ErrAlreadyRunning):
		case err != nil:
			failed = errors.Join(failed, err)
		default:
			to.logger(slog.LevelInfo).InfoContext(ctx, unit+" goes on: it waited for a thaw when the host went down")
		}
	}
	return failed
}

// endWait removes the note of a restore that waited for a thaw, unless the host goes down: whoever stops or kills the
// run ends the wait. Where systemd does not say, nothing is restored that somebody may not want any more.
func endWait(ctx context.Context, to *logs, unit string) {
	id, restores := systemd.RequestOf(unit)
	if !restores || !request.Waits(request.DefaultDir, id) {
		return
	}
	log := to.logger(slog.LevelInfo)
	stopping, err := hostStops(ctx)
	switch {
	case stopping:
		log.InfoContext(ctx, unit+" waits for a thaw: it goes on when the host is up again")
		return
	case err != nil:
		log.WarnContext(ctx, unit+" does not go on after a restart of the host: "+err.Error())
	}
	if err := request.EndWait(request.DefaultDir, id); err != nil {
		log.WarnContext(ctx, err.Error())
	}
}

func hostStops(ctx context.Context) (bool, error) {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = bus.Close() }()
	return bus.Stopping(ctx)
}
