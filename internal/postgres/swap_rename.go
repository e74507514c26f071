package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What the swaps of two databases and of two schemas have in common: one transaction that renames both, and a commit
// whose answer may be lost.

// renaming is one such swap.
type renaming struct {
	what    string // for errors
	kind    string // as SQL calls it: DATABASE, SCHEMA
	look    string // the command that shows a person which there are
	live    string
	with    string
	keep    string // what live is called afterwards
	pid     int32  // of the session that renames
	wait    time.Duration
	step    func(SwapStep)
	swapped func(context.Context, *Server) (bool, error) // whether both have the names of the new state
}

// rename does everything up to the commit.
func (s *Server) rename(ctx context.Context, r renaming) error {
	alter := func(from, to string) string {
		return "ALTER " + r.kind + " " + QuoteIdent(from) + " RENAME TO " + QuoteIdent(to)
	}
	for _, do := range []struct {
		sql  string
		step SwapStep
	}{
		{"BEGIN", ""},
		{"SET LOCAL lock_timeout = '" + swapLockWait + "'", ""},
		// A standby that hangs must not hold the locks of both names; what commits later waits for it.
		{"SET LOCAL synchronous_commit = local", SwapBegun},
		{alter(r.live, r.keep), SwapKept},
		{alter(r.with, r.live), SwapRenamed},
	} {
		if err := s.exec(ctx, do.sql); err != nil {
			return err
		}
		if do.step != "" {
			r.step(do.step)
		}
	}
	swapped, err := r.swapped(ctx, s)
	if err == nil && !swapped {
		err = fault.New(fault.Refused, r.what,
			"Check which "+strings.ToLower(r.kind)+"s there are ("+r.look+"), and start again.",
			errors.New("another session has renamed or replaced one of them"))
	}
	return err
}

// commit is the point of no return. The run's end does not reach it; when its answer is lost, a
// fresh session tells the state.
func (s *Server) commit(ctx context.Context, r renaming) error {
	if ctx.Err() != nil {
		s.rollback(ctx)
		return context.Cause(ctx)
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.wait)
	defer cancel()
	err := s.exec(deadline, "COMMIT")
	r.step(SwapCommitted)
	var refused *pgconn.PgError
	if err == nil || (errors.As(err, &refused) && refused.Severity != "FATAL") {
		return classify(r.what, err)
	}
	return s.ask(ctx, r, err)
}

// ask finds out what became of a commit, once the session that sent it is gone.
func (s *Server) ask(ctx context.Context, r renaming, lost error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.wait)
	defer cancel()
	fresh, err := Connect(ctx, s.target, r.wait)
	if err != nil {
		return r.unknown(errors.Join(lost, err))
	}
	defer func() { _ = fresh.Close(ctx) }()
	for there := true; there; {
		if err := fresh.row(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", []any{r.pid},
			&there); err != nil {
			return r.unknown(errors.Join(lost, err))
		}
		if there {
			time.Sleep(50 * time.Millisecond)
		}
	}
	swapped, err := r.swapped(ctx, fresh)
	switch {
	case err != nil:
		return r.unknown(errors.Join(lost, err))
	case swapped:
		return nil
	}
	return classify(r.what, lost)
}

func (r renaming) unknown(err error) error {
	return fault.New(fault.Unavailable, r.what, fmt.Sprintf(
		"Check with %s when the server answers: if there is a %s %q, the replacement was done.",
		r.look, strings.ToLower(r.kind), r.keep), fmt.Errorf("%w: %w", ErrSwapUnknown, err))
}

// rollback gives the session back as it was; where that fails the server does it with the session's end.
func (s *Server) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	_ = s.exec(ctx, "ROLLBACK")
}

// backendPID is the process of this session.
func (s *Server) backendPID(ctx context.Context) (pid int32, err error) {
	return pid, s.row(ctx, "SELECT pg_backend_pid()", nil, &pid)
}
