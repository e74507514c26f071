package postgres

import (
	"context"
	"errors"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Two schemas of one database change places by being renamed in one transaction. Schemas are known by their OIDs:
// before the commit both must have the names they should have. Sessions that use them go on: statements that began
// before the commit end in the schema that they began in.

// SchemaSwap says which schema takes whose place.
type SchemaSwap struct {
	Live, With       string
	LiveOID, WithOID uint32
	Keep             string         // what Live is called afterwards
	Step             func(SwapStep) // told as each is reached; may be nil
}

func (o SchemaSwap) what() string {
	return "postgres: put schema " + QuoteIdent(o.With) + " in the place of " + QuoteIdent(o.Live)
}

// SchemaOID is 0 where there is no schema of that name.
func (s *Server) SchemaOID(ctx context.Context, name string) (oid uint32, err error) {
	err = s.row(ctx, "SELECT coalesce((SELECT oid FROM pg_namespace WHERE nspname = $1), 0)", []any{name}, &oid)
	return oid, classify("postgres: look for schema "+QuoteIdent(name), err)
}

// SwapSchemas runs in a session of their database. Every error but ErrSwapUnknown means the old state.
func (s *Server) SwapSchemas(ctx context.Context, o SchemaSwap) error {
	if err := checkName(o.Keep); err != nil {
		return err
	}
	if o.Step == nil {
		o.Step = func(SwapStep) {}
	}
	pid, err := s.backendPID(ctx)
	if err != nil {
		return classify(o.what(), err)
	}
	swap := renaming{
		what: o.what(), kind: "SCHEMA", look: "`\\dn` in psql", live: o.Live, with: o.With, keep: o.Keep, pid: pid,
		wait: swapWait, step: o.Step, swapped: o.swapped,
	}
	if err := s.rename(ctx, swap); err != nil {
		s.rollback(ctx)
		return o.explain(err)
	}
	return s.commit(ctx, swap)
}

func (o SchemaSwap) swapped(ctx context.Context, s *Server) (bool, error) {
	kept, err := s.SchemaOID(ctx, o.Keep)
	if err != nil {
		return false, err
	}
	live, err := s.SchemaOID(ctx, o.Live)
	return kept == o.LiveOID && live == o.WithOID, err
}

func (o SchemaSwap) explain(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	switch stateOf(err) {
	case "42P06", "3F000", "23505": // taken, or gone
		return fault.New(fault.Refused, o.what(), "Check which schemas there are (`\\dn` in psql), and start again.", err)
	}
	return classify(o.what(), err)
}
