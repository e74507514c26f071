package postgres

import (
	"context"
	"fmt"
	"strings"
)

// What must hold before rows are put into tables that exist.

// NotLoadable says what keeps rows from being put into tables of the session's database without
// changing anything that is there: a table is PostgreSQL's own, is missing, is no plain table, has rows, or has
// triggers that act on inserted rows. Foreign keys are not among them: they are checked as rows come.
func (s *Server) NotLoadable(ctx context.Context, tables []Table) (problems []string, err error) {
	for _, t := range tables {
		name := QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name)
		problem, err := s.notLoadable(ctx, t, name)
		if err != nil {
			return nil, classify("postgres: look at table "+name+" in "+s.target.name(), err)
		}
		if problem != "" {
			problems = append(problems, "table "+name+" "+problem)
		}
	}
	return problems, nil
}

func (s *Server) notLoadable(ctx context.Context, t Table, name string) (string, error) {
	// A superuser may write into the catalogue, and several of its tables are empty, pg_event_trigger for one.
	if strings.HasPrefix(t.Schema, "pg_") || t.Schema == "information_schema" {
		return "is one of PostgreSQL's own", nil
	}
	type found struct{ Kind, Triggers string }
	rows, err := collect[found](ctx, s, `SELECT c.relkind::text, coalesce((SELECT string_agg(quote_ident(g.tgname), ', '
		ORDER BY g.tgname)
			FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND (NOT g.tgisinternal OR g.tgfoid >= 16384)
			AND g.tgenabled IN ('O', 'A') AND g.tgtype::int & 4 <> 0), '')
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1
		AND c.relname = $2`, t.Schema, t.Name)
	switch {
	case err != nil:
		return "", err
	case len(rows) == 0:
		return "does not exist", nil
	case rows[0].Kind == "p":
		return "", nil // its rows lie in its partitions
	case rows[0].Kind != "r":
		return "is not a table", nil
	case rows[0].Triggers != "":
		return fmt.Sprintf("has triggers that act on inserted rows (%s)", rows[0].Triggers), nil
	}
	var filled bool
	if err := s.row(ctx, "SELECT EXISTS (SELECT FROM ONLY "+name+")", nil, &filled); err != nil || !filled {
		return "", err
	}
	return "is not empty", nil
}

// SequenceUnused reports whether a sequence is there and never gave a number.
func (s *Server) SequenceUnused(ctx context.Context, t Table) (unused bool, err error) {
	what := "postgres: look at a sequence in " + s.target.name()
	name := QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name)
	var there bool
	err = s.row(ctx, "SELECT EXISTS (SELECT FROM pg_sequences WHERE schemaname = $1 AND sequencename = $2)",
		[]any{t.Schema, t.Name}, &there)
	if err != nil || !there {
		return false, classify(what, err)
	}
	err = s.row(ctx,
		"SELECT NOT q.is_called AND q.last_value = d.seqstart FROM "+name+
			" AS q, pg_sequence AS d WHERE d.seqrelid = $1::regclass",
		[]any{name}, &unused)
	return unused, classify(what, err)
}

// AnalyzeTable gathers planner statistics of one table.
func (s *Server) AnalyzeTable(ctx context.Context, t Table) error {
	name := QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name)
	return classify("postgres: analyze "+name, s.exec(ctx, "ANALYZE "+name))
}
