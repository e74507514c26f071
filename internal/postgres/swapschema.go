package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Two schemas of one database change places by being renamed in one transaction. Schemas are known by their OIDs: before
// the commit both must have the names they should have. Sessions that use them go on: statements that began before the
// commit end in the schema that they began in.

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
	if err := s.renameSchemas(ctx, o); err != nil {
		s.rollback(ctx)
		return o.explain(err)
	}
	if ctx.Err() != nil {
		s.rollback(ctx)
		return context.Cause(ctx)
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), swapWait)
	defer cancel()
	err := s.exec(deadline, "COMMIT")
	o.Step(SwapCommitted)
	var refused *pgconn.PgError
	if err == nil || (errors.As(err, &refused) && refused.Severity != "FATAL") {
		return classify(o.what(), err)
	}
	return s.askSchemas(ctx, o, err)
}

func (s *Server) renameSchemas(ctx context.Context, o SchemaSwap) error {
	for _, do := range []struct {
		sql  string
		step SwapStep
	}{
		{"BEGIN", ""},
		{"SET LOCAL lock_timeout = '" + swapLockWait + "'", SwapBegun},
		{"ALTER SCHEMA " + QuoteIdent(o.Live) + " RENAME TO " + QuoteIdent(o.Keep), SwapKept},
		{"ALTER SCHEMA " + QuoteIdent(o.With) + " RENAME TO " + QuoteIdent(o.Live), SwapRenamed},
	} {
		if err := s.exec(ctx, do.sql); err != nil {
			return err
		}
		if do.step != "" {
			o.Step(do.step)
		}
	}
	swapped, err := s.schemasSwapped(ctx, o)
	if err == nil && !swapped {
		err = fault.New(fault.Refused, o.what(), "Check which schemas there are (`\\dn` in psql), and start again.",
			errors.New("another session has renamed or replaced one of them"))
	}
	return err
}

func (s *Server) schemasSwapped(ctx context.Context, o SchemaSwap) (bool, error) {
	kept, err := s.SchemaOID(ctx, o.Keep)
	if err != nil {
		return false, err
	}
	live, err := s.SchemaOID(ctx, o.Live)
	return kept == o.LiveOID && live == o.WithOID, err
}

// askSchemas finds out what became of a commit whose answer was lost.
func (s *Server) askSchemas(ctx context.Context, o SchemaSwap, lost error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), swapWait)
	defer cancel()
	unknown := func(err error) error {
		return fault.New(fault.Unavailable, o.what(), fmt.Sprintf(
			"Check with `\\dn` in psql when the server answers: if there is a schema %q, the replacement was done.", o.Keep),
			fmt.Errorf("%w: %w", ErrSwapUnknown, err))
	}
	fresh, err := Connect(ctx, s.target, swapWait)
	if err != nil {
		return unknown(errors.Join(lost, err))
	}
	defer func() { _ = fresh.Close(ctx) }()
	for range 20 { // the session that sent it may still be at it
		swapped, err := fresh.schemasSwapped(ctx, o)
		switch {
		case err != nil:
			return unknown(errors.Join(lost, err))
		case swapped:
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return unknown(lost)
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

// CreateExtension makes an extension where there is none of that name, in a schema that is made for it.
func (s *Server) CreateExtension(ctx context.Context, name, schema string) error {
	what := "postgres: create extension " + QuoteIdent(name)
	if schema != "" && schema != "public" {
		if err := s.exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+QuoteIdent(schema)); err != nil {
			return classify(what, err)
		}
	}
	sql := "CREATE EXTENSION IF NOT EXISTS " + QuoteIdent(name)
	if schema != "" {
		sql += " SCHEMA " + QuoteIdent(schema)
	}
	return classify(what, s.exec(ctx, sql))
}

// Lacks are those of these that the session's database does not have.
func (s *Server) Lacks(ctx context.Context, needs []Outside) (lacking []Outside, err error) {
	for _, n := range needs {
		var there bool
		if n.Extension != "" {
			err = s.row(ctx, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = $1)", []any{n.Extension}, &there)
		} else {
			err = s.row(ctx, thereSQL(n.Kind), []any{n.Name}, &there)
		}
		if err != nil {
			return nil, classify("postgres: look for "+n.String(), err)
		}
		if !there {
			lacking = append(lacking, n)
		}
	}
	return lacking, nil
}

// thereSQL looks for something by its name as SQL writes it. What there is no question for is taken to be there: the
// restore, which is one transaction, tells.
func thereSQL(kind string) string {
	switch kind {
	case "table", "view", "materialized view", "sequence", "foreign table", "index":
		return "SELECT to_regclass($1) IS NOT NULL"
	case "type", "domain":
		return "SELECT to_regtype($1) IS NOT NULL"
	case "function", "aggregate", "procedure":
		return "SELECT to_regprocedure($1) IS NOT NULL"
	case "schema":
		return "SELECT to_regnamespace($1) IS NOT NULL"
	}
	return "SELECT $1::text IS NOT NULL"
}
