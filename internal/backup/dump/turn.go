package dump

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Runs of several jobs of one database take turns: one that finds the locks held waits, and says so at once and every
// half minute. What it waits for is bounded by the configuration; a holder that died gives way within a lease's term.

const (
	turnEvery = 5 * time.Second // between two tries
	turnTold  = 30 * time.Second
)

// takeTurn takes the locks, as soon as no other run has them.
func (r *run) takeTurn(ctx context.Context) (release func(), err error) {
	r.enter(ctx, backup.StageLock, 0)
	until := time.Now().Add(r.job.WaitsForTurn())
	var told time.Time
	for {
		release, err = r.lock(ctx)
		pause := turnEvery/2 + rand.N(turnEvery) //nolint:gosec // nothing depends on its being guessed
		if !errors.Is(err, lease.ErrHeld) || time.Now().Add(pause).After(until) {
			return release, err
		}
		if time.Since(told) >= turnTold {
			told = time.Now()
			r.log.InfoContext(ctx, "waiting for the turn of this run, at most until "+until.Format(time.TimeOnly)+": "+
				err.Error(),
				event.Attr(event.LockHeld), slog.String("remedy", fault.Remedy(err)))
		}
		if err := r.pause(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// pause lets time pass, which is no stall.
func (r *run) pause(ctx context.Context, pause time.Duration) error {
	defer r.meter.KeepAlive()()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pause):
		return nil
	}
}
