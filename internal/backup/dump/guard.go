package dump

import (
	"context"
	"errors"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/repeat"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// guard keeps both locks while a run works, and ends the run as soon as one is known to be lost:
// what would not be committed need not load the server for hours. Asking the session also keeps
// firewalls and scripts from taking it for an idle one.
type guard struct {
	server *postgres.Server
	lease  *lease.Lease // nil when the store has no conditional puts
	every  time.Duration
	lost   func(error)
	end    func() // waits, so that nothing of it meets the giving up of the locks
}

func (g *guard) start(ctx context.Context) { g.end = repeat.Until(ctx, g.every, g.look, g.lost) }

// look fails for locks that are lost. A renewal that only failed is not the end: the next one, or
// prove before the commit, decides.
func (g *guard) look(ctx context.Context) error {
	if err := alive(ctx, g.server); err != nil || g.lease == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, g.every)
	defer cancel()
	if err := g.lease.Hold(ctx); errors.Is(err, lease.ErrHeld) {
		return err
	}
	return nil
}

// prove fails unless both locks are held now.
func (g *guard) prove(ctx context.Context) error {
	if err := alive(ctx, g.server); err != nil || g.lease == nil {
		return err
	}
	return g.lease.Hold(ctx)
}

func alive(ctx context.Context, server *postgres.Server) error {
	if err := server.Alive(ctx); err != nil {
		return fmt.Errorf("backup: the connection that holds the lock is gone: %w", err)
	}
	return nil
}
