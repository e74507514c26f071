package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A connection pooler between us and the server. In session mode it does no harm. In transaction
// mode each transaction runs in whatever session of the server is free: a lock is taken in one and
// looked for in another, and our settings end up in the sessions of applications. So a session is
// looked at before anything is set in it.

const (
	poolerRounds = 10              // of looks for a session that changes
	poolerWait   = 3 * time.Second // for the pooler to let a second session in
)

// ownSession fails, with code Config, when the connection is not one session of the server.
func (s *Server) ownSession(ctx context.Context, config *pgx.ConnConfig) error {
	first, err := backendPID(ctx, s.conn.PgConn())
	if err != nil || first == s.conn.PgConn().PID() {
		return err // what the server said at the login is true: nobody is in between
	}
	witness, err := pooled(ctx, config)
	if err != nil {
		return nil // no second session is let in, as in a full pool of sessions: what needs one will say so
	}
	defer func() { _ = witness.Close(context.WithoutCancel(ctx)) }()
	// In transaction mode the witness gets the very session that was ours a moment ago, or another one
	// and we get a third, by the pooler's order.
	for range poolerRounds {
		ours, err := backendPID(ctx, s.conn.PgConn())
		if err != nil {
			return err
		}
		if ours != first {
			return notOwn(first, ours)
		}
		theirs, err := askWitness(ctx, witness)
		if err != nil {
			return nil // it waits for a session: the pool gives each connection its own, and is full
		}
		if theirs == ours {
			return notOwn(first, theirs)
		}
	}
	return nil
}

const remedyPooler = "Connect to PostgreSQL itself: set the job's host and port to the server's, not the pooler's. " +
	"Or let the pooler keep one session for " +
	"each connection (pool_mode = session)."

func notOwn(first, second uint32) error {
	what := fmt.Sprintf("a connection pooler shares the server's sessions between connections (pids %d and %d): locks "+
		"and settings do not hold",
		first, second)
	return fault.New(fault.Config, "", remedyPooler, errors.New(what))
}

// pooled is a second connection on the same way.
func pooled(ctx context.Context, config *pgx.ConnConfig) (*pgconn.PgConn, error) {
	ctx, cancel := context.WithTimeout(ctx, poolerWait)
	defer cancel()
	return pgconn.ConnectConfig(ctx, &config.Copy().Config)
}

func askWitness(ctx context.Context, witness *pgconn.PgConn) (pid uint32, err error) {
	ctx, cancel := context.WithTimeout(ctx, poolerWait)
	defer cancel()
	return backendPID(ctx, witness)
}

// backendPID asks the server which of its processes answers.
func backendPID(ctx context.Context, c *pgconn.PgConn) (uint32, error) {
	results, err := c.Exec(ctx, "SELECT pg_catalog.pg_backend_pid()").ReadAll()
	if err != nil {
		return 0, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return 0, ErrNoAnswer
	}
	pid, err := strconv.ParseUint(string(results[0].Rows[0][0]), 10, 32)
	return uint32(pid), err
}
