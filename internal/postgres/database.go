package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Exists reports whether the server has a database of that name.
func (s *Server) Exists(ctx context.Context, name string) (bool, error) {
	var found bool
	err := s.row(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", []any{name}, &found)
	return found, classify("postgres: look for database "+QuoteIdent(name), err)
}

// CreateDatabase makes an empty database with the locale and tablespace of like. It never
// touches an existing one: code Refused. Run ApplyParameters before the data comes, ApplySettings when
// it is in.
func (s *Server) CreateDatabase(ctx context.Context, name string, like Settings) error {
	if err := checkName(name); err != nil {
		return err
	}
	what := "postgres: create database " + QuoteIdent(name)
	found, err := s.Exists(ctx, name)
	if err != nil {
		return err
	}
	if found {
		return alreadyThere(what, nil)
	}
	var versionNum int
	if err := s.row(ctx, "SELECT current_setting('server_version_num')::int", nil, &versionNum); err != nil {
		return classify(what, err)
	}
	err = s.exec(ctx, like.CreateSQL(name, versionNum))
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return classify(what, err)
	}
	switch pg.Code {
	case "42P04", "23505": // somebody was faster
		return alreadyThere(what, err)
	case "42704": // tablespace
		return fault.New(fault.Refused, what, "Create the tablespace on the target, or restore without tablespaces.", err)
	case "22023", "42809", "0A000", "42601": // locale or provider unknown to the system or server
		return fault.New(fault.Refused, what,
			"Generate the locale on the target's system, or create the database by hand with another one.", err)
	}
	return classify(what, err)
}

func alreadyThere(what string, err error) error {
	if err == nil {
		err = errors.New("it exists already")
	}
	return fault.New(fault.Refused, what, "Choose a name that is not in use; an existing database is never changed.", err)
}

// ApplyParameters runs c.ParametersSQL, ApplySettings c.ApplySQL. Both go on after statements that the
// server refuses, such as grants to roles it does not have; those come back as problems, each with
// its statement. An error means that the session is lost.
func (s *Server) ApplyParameters(ctx context.Context, name string, c Settings) (problems []string, err error) {
	return s.apply(ctx, name, c.ParametersSQL(name))
}

// ApplySettings is what is left when the data is in, see ApplyParameters.
func (s *Server) ApplySettings(ctx context.Context, name string, c Settings) (problems []string, err error) {
	return s.apply(ctx, name, c.ApplySQL(name))
}

func (s *Server) apply(ctx context.Context, name string, statements []string) (problems []string, err error) {
	for _, sql := range statements {
		err := s.exec(ctx, sql)
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg) && pg.Severity != "FATAL":
			problems = append(problems, fmt.Sprintf("%s: %s", sql, pg.Message))
		case err != nil:
			return problems, classify("postgres: apply settings to database "+QuoteIdent(name), err)
		}
	}
	return problems, nil
}

// Table names a table.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
}

// Written is the table as SQL writes it: quoted where it has to be.
func (t Table) Written() string { return written(t.Schema) + "." + written(t.Name) }

var plainIdent = regexp.MustCompile(`^[a-z_][a-z0-9_$]*$`)

func written(name string) string {
	if plainIdent.MatchString(name) {
		return name
	}
	return QuoteIdent(name)
}

// RowCounts counts each table's own rows, one count(*) FROM ONLY each. ONLY, because pg_dump writes
// partitions and children as tables of their own: a partitioned parent has none. The counts are
// of the whole table, also where row security would hide rows (then it is an error).
//
// Each table is counted in a transaction of its own. A transaction keeps the locks of every table
// and index that it has looked at, and a server with default settings has room for some thousands
// of them in all.
func (s *Server) RowCounts(ctx context.Context, tables []Table) (map[Table]int64, error) {
	counts := make(map[Table]int64, len(tables))
	for _, t := range tables {
		n, err := s.rowsOf(ctx, t, "")
		if err != nil {
			return nil, err
		}
		counts[t] = n
	}
	return counts, nil
}

// rowsOf counts the rows of a table that a condition lets pass: a WHERE clause that whoever made the table gave, or "".
func (s *Server) rowsOf(ctx context.Context, t Table, where string) (n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name)
	// Each statement is run once: one that is prepared would only cost a second round trip.
	err = s.conn.QueryRow(ctx, "SELECT count(*) FROM ONLY "+name+" "+where, pgx.QueryExecModeExec).Scan(&n)
	return n, classify("postgres: count rows in "+s.target.name()+", table "+name, err)
}

// Analyze gathers planner statistics, which a restored database lacks.
func (s *Server) Analyze(ctx context.Context) error {
	return classify("postgres: analyze "+s.target.name(), s.exec(ctx, "ANALYZE"))
}

// RenameDatabase gives a database that nobody is connected to another name. An existing one of
// that name: code Refused.
func (s *Server) RenameDatabase(ctx context.Context, name, to string) error {
	if err := checkName(to); err != nil {
		return err
	}
	what := "postgres: rename database " + QuoteIdent(name)
	err := s.exec(ctx, "ALTER DATABASE "+QuoteIdent(name)+" RENAME TO "+QuoteIdent(to))
	if state := stateOf(err); state == "42P04" || state == "23505" {
		return alreadyThere(what, err)
	}
	return classify(what, err)
}
