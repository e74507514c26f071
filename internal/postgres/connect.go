package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Server is one session of ours in one database. Its methods may be called from several
// goroutines; they take turns.
type Server struct {
	target Target

	mu    sync.Mutex // a session does one thing at a time
	conn  *pgx.Conn
	locks map[string]bool

	encoding string // of what the session says and is told
}

// attemptTimeout bounds one try, so that a host that swallows packets does not eat the wait.
const attemptTimeout = 10 * time.Second

// Connect opens a session. While the server is unreachable, starting up or out of connection
// slots it tries again for at most wait, with growing, jittered pauses; other refusals come
// back at once. Codes: Unavailable, Temporary (no slot), NotFound (no such database),
// NotPermitted (login), Config.
func Connect(ctx context.Context, t Target, wait time.Duration) (*Server, error) {
	return ConnectTelling(ctx, t, Waiting{Most: wait})
}

// Waiting is how long an unreachable server is waited for, and who is told meanwhile.
type Waiting struct {
	Most  time.Duration
	Tell  func(why error) // at once, and then again and again; nil: nobody
	Every time.Duration   // default half a minute
}

// told calls Tell when it is time, and says when it last was.
func (w Waiting) told(last time.Time, why error) time.Time {
	every := w.Every
	if every == 0 {
		every = 30 * time.Second
	}
	if w.Tell == nil || !last.IsZero() && time.Since(last) < every {
		return last
	}
	w.Tell(why)
	return time.Now()
}

// ConnectTelling is Connect that says what it waits for.
func ConnectTelling(ctx context.Context, t Target, wait Waiting) (*Server, error) {
	config, err := t.config()
	if err != nil {
		return nil, err
	}
	what := "postgres: connect to " + t.name()
	deadline, last := time.Now().Add(wait.Most), time.Time{}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		s, err := open(ctx, t, config)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
		if err = classify(what, err); stateOf(err) == stateTooMany {
			err = limited(ctx, t, err)
		}
		jittered := pause/2 + rand.N(pause) //nolint:gosec // nothing depends on its being guessed
		code := fault.CodeOf(err)
		if (code != fault.Unavailable && code != fault.Temporary) || time.Now().Add(jittered).After(deadline) {
			return nil, err
		}
		last = wait.told(last, err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-time.After(jittered):
		}
	}
}

func open(ctx context.Context, t Target, config *pgx.ConnConfig) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return nil, err
	}
	s := &Server{target: t, conn: conn, locks: map[string]bool{}, encoding: clientEncoding(conn)}
	if err = s.ownSession(ctx, config); err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return s, nil
}

// clientEncoding is UTF-8. A database in SQL_ASCII converts nothing, and would only refuse to tell what is no UTF-8:
// there names are bytes.
func clientEncoding(conn *pgx.Conn) string {
	if server := conn.PgConn().ParameterStatus("server_encoding"); server == "SQL_ASCII" {
		return server
	}
	return "UTF8"
}

// prepare frees the session from what database and role settings could do to it: names found
// in somebody's schema, rows filtered silently, transactions that wait for others, our idle lock
// session thrown out. Nor are questions to the catalogue compiled for seconds that take milliseconds.
func (s *Server) prepare(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, `SELECT pg_catalog.set_config(v.name, v.value, false)
		FROM (VALUES ('search_path', ''), ('row_security', 'off'), ('standard_conforming_strings', 'on'),
			('default_transaction_isolation', 'read committed'), ('default_transaction_deferrable', 'off'),
			('statement_timeout', '0'), ('lock_timeout', '0'), ('transaction_timeout', '0'),
			('jit', 'off'), ('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('client_encoding',
			'`+s.encoding+`')) AS v (name, value)
		WHERE EXISTS (SELECT FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) v.name)`)
	return err
}

// config gives pgx the target. Host, port and user pass its parser quoted, so that it can pick
// TLS and password-file entries; the database's name is set literally afterwards.
func (t Target) config() (*pgx.ConnConfig, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, kv := range [][2]string{{"host", t.Host}, {"port", t.Port}, {"user", t.User}, {"dbname", t.Database}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s='%s' ", kv[0], strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(kv[1]))
		}
	}
	if t.NoSecrets {
		b.WriteString("passfile='" + noFile + "' sslmode=disable ")
	}
	config, err := pgx.ParseConfig(b.String())
	if err != nil {
		return nil, fault.New(fault.Config, "postgres: connection settings",
			"Check the job's host and port, and the PG* variables.", err)
	}
	if t.Database != "" {
		config.Database = t.Database
	}
	if t.NoSecrets {
		config.Password = ""
	}
	config.RuntimeParams["application_name"] = appName
	config.RuntimeParams["client_encoding"] = "UTF8"
	return config, nil
}

// Close ends the session, and with it its locks.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("postgres: close session: %w", err)
	}
	return nil
}

// Alive asks the server for an answer. An error means that the session, and with it any lock
// taken by TryLock, is lost or cannot be told from lost.
func (s *Server) Alive(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.Exec(ctx, "SELECT 1")
	return classify("postgres: session in "+s.target.name(), err)
}

// exec runs one statement. The extended protocol makes the server refuse a second one in sql.
func (s *Server) exec(ctx context.Context, sql string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.PgConn().ExecParams(ctx, sql, nil, nil, nil, nil).Close()
	return err
}

// row scans the one row of a query. The caller classifies the error.
func (s *Server) row(ctx context.Context, sql string, args []any, into ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.QueryRow(ctx, sql, args...).Scan(into...)
}

// collect is all rows of a query as T, by position.
func collect[T any](ctx context.Context, s *Server, sql string, args ...any) ([]T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return collectRows[T](rows)
}

func collectRows[T any](rows pgx.Rows) ([]T, error) {
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// names is collect for one column of text.
func (s *Server) names(ctx context.Context, sql string, args ...any) (names []string, err error) {
	rows, err := collect[struct{ Name string }](ctx, s, sql, args...)
	for _, r := range rows {
		names = append(names, r.Name)
	}
	return names, err
}
