package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// DSN is a connection string for database db, quoted, so that any name is safe in it.
func (s *Server) DSN(db string) string {
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s", dsnQuote(s.Host), s.Port, s.User, dsnQuote(db))
}

func dsnQuote(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

// Env is what libpq programs need to reach database db, added to a small environment.
func (s *Server) Env(db string) []string {
	return []string{
		"PATH=" + s.BinDir + ":/usr/bin:/bin", "LANG=C.UTF-8",
		"PGHOST=" + s.Host, "PGPORT=" + s.Port, "PGUSER=" + s.User, "PGDATABASE=" + db,
	}
}

// CreateDatabase makes an empty database that is dropped when the test ends.
func (s *Server) CreateDatabase(t testing.TB) string {
	t.Helper()
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	name := "t_" + hex.EncodeToString(b[:])
	s.CreateDatabaseNamed(t, name)
	return name
}

// CreateDatabaseNamed is CreateDatabase with a name of the test's choice.
func (s *Server) CreateDatabaseNamed(t testing.TB, name string) {
	t.Helper()
	s.Exec(t, "postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0"+s.copies)
	t.Cleanup(func() { s.DropDatabase(t, name) })
}

// DropDatabase ends the sessions of a database and removes it, if it is there and the server runs.
func (s *Server) DropDatabase(t testing.TB, name string) {
	t.Helper()
	if s.cmd != nil {
		s.Exec(t, "postgres", "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	}
}

// Exec runs statements in database db, in one go.
func (s *Server) Exec(t testing.TB, db, sql string) {
	t.Helper()
	if err := s.TryExec(db, sql); err != nil {
		t.Fatalf("pgtest: %v\nin: %.400s", err, sql)
	}
}

// TryExec is Exec for statements that may fail.
func (s *Server) TryExec(db, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := s.connect(ctx, db)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// Major is the server's major version.
func (s *Server) Major(t testing.TB) int {
	t.Helper()
	return int(s.QueryInt(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000"))
}

// Names are those of some names that the server takes for databases and roles: from 19 on none with a line break.
func (s *Server) Names(t testing.TB, names []string) (taken []string) {
	t.Helper()
	old := s.Major(t) < 19
	for _, name := range names {
		if old || !strings.ContainsAny(name, "\r\n") {
			taken = append(taken, name)
		}
	}
	return taken
}

// QueryInt is the one number that a query gives.
func (s *Server) QueryInt(t testing.TB, db, sql string, args ...any) int64 {
	t.Helper()
	return query[int64](t, s, db, sql, args)
}

// QueryString is the one text that a query gives.
func (s *Server) QueryString(t testing.TB, db, sql string, args ...any) string {
	t.Helper()
	return query[string](t, s, db, sql, args)
}

func query[T any](t testing.TB, s *Server, db, sql string, args []any) (v T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := s.connect(ctx, db)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, sql, args...).Scan(&v); err != nil {
		t.Fatalf("pgtest: %v\nin: %.400s", err, sql)
	}
	return v
}

func (s *Server) connect(ctx context.Context, db string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.DSN("postgres"))
	if err != nil {
		return nil, err
	}
	config.Database = db // never through a parser
	return pgx.ConnectConfig(ctx, config)
}
