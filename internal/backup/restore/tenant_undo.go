package restore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Putting a schema back that a restore replaced. Nothing is dropped: what was live is kept under another name.

// undoSchema puts it there; req.Schema is the live one.
func undoSchema(ctx context.Context, job config.Job, env backup.Env, req UndoRequest) (*Undone, error) {
	s := newUndoing(job, env, req)
	done, err := s.doSchema(ctx)
	if err != nil {
		if !errors.Is(err, postgres.ErrSwapUnknown) {
			err = left(backup.CauseOf(ctx, err), fmt.Sprintf("schema %q of database %q is as it was", req.Schema, req.Database),
				fault.Remedy(err))
		}
		s.log.ErrorContext(context.WithoutCancel(ctx), "restore failed: "+withoutWord(err, "restore"),
			event.Attr(event.RestoreFailed), slog.String("remedy", fault.Remedy(err)))
		return nil, err
	}
	s.log.InfoContext(ctx, fmt.Sprintf("%q is schema %q of database %q now, what it was is kept as %q",
		done.With, done.Schema, done.Database, done.Kept), event.Attr(event.SwappedBack))
	return done, nil
}

func (s *undoing) doSchema(ctx context.Context) (done *Undone, err error) {
	if s.req.Confirm != s.req.Schema {
		return nil, unconfirmed("schema", s.req.Schema)
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	defer s.target.close(ctx)
	if err := lockExchange(ctx, s.x.server, s.req.Database); err != nil {
		return nil, err
	}
	err = s.target.in(ctx, s.req.Database, func(server *postgres.Server) error {
		swap, checks, err := s.chooseSchema(ctx, server)
		if err == nil {
			err = refusal("restore", checks)
		}
		if err != nil {
			return err
		}
		if err := server.SwapSchemas(ctx, swap); err != nil {
			return err
		}
		done = &Undone{
			Database: s.req.Database, Schema: s.req.Schema, With: swap.With, Kept: swap.Keep, host: s.target.at.Host,
		}
		return nil
	})
	return done, err
}

// schemaChecks is what a preflight tells.
func (s *undoing) schemaChecks(ctx context.Context) (checks []Check, err error) {
	err = s.target.in(ctx, s.req.Database, func(server *postgres.Server) error {
		_, checks, err = s.chooseSchema(ctx, server)
		return err
	})
	return checks, err
}

// chooseSchema finds what is to be live: the one that was named, or the newest that was replaced.
func (s *undoing) chooseSchema(
	ctx context.Context, server *postgres.Server,
) (swap postgres.SchemaSwap, checks []Check, err error) {
	live := s.req.Schema
	name := s.req.With
	schemas, err := server.Schemas(ctx)
	if err != nil {
		return swap, nil, err
	}
	for _, other := range schemas { // sorted, so by time
		if s.req.With == "" && kept.WordOf(live, other) == kept.Before {
			name = other
		}
	}
	word := kept.Undone
	switch kept.WordOf(live, name) {
	case kept.Before, kept.Undone:
	case kept.Restoring:
		return swap, []Check{
			fails("with", fmt.Sprintf("schema %q is not finished, or was not compared", name), "Restore again."),
		}, nil
	default:
		return swap, []Check{fails("with", fmt.Sprintf("no schema that was kept for %q is there", live),
			"Check which schemas there are with `\\dn` in psql.")}, nil
	}
	swap = postgres.SchemaSwap{Live: live, With: name, Keep: kept.Name(live, word, s.x.now()), Step: s.x.step}
	if swap.LiveOID, err = server.SchemaOID(ctx, live); err != nil {
		return swap, nil, err
	}
	if swap.WithOID, err = server.SchemaOID(ctx, name); err != nil {
		return swap, nil, err
	}
	into, err := server.IntoSchema(ctx, live)
	switch {
	case err != nil:
		return swap, nil, err
	case swap.LiveOID == 0 || swap.WithOID == 0:
		return swap, []Check{fails("target", fmt.Sprintf("there is no schema %q, or no schema %q", live, name),
			"Check which schemas there are with `\\dn` in psql.")}, nil
	case len(into) > 0:
		told := backup.InLine(into, "; ", func(n postgres.Referrer) string { return n.What + " needs " + n.To })
		return swap, []Check{fails("references", "what is outside of the schema would go on with what is kept of it: "+told,
			"Drop these first and make them again afterwards.")}, nil
	}
	return swap, []Check{
		passes("target", fmt.Sprintf("schema %q of database %q is put aside, and kept as %q", live, s.req.Database,
			kept.Stem(live)+"_"+word+"_<time>")),
		passes("with", fmt.Sprintf("schema %q takes its place", name)),
	}, nil
}
