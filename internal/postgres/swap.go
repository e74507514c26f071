package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Two databases change places by being renamed in one transaction. Rules:
//
//   - There are two states, the old one and the new one, and the commit lies between them. Nothing is
//     changed outside of the transaction, so that a killed process leaves nothing to repair.
//   - The first renaming takes the lock that keeps everybody else from connecting, and only then
//     waits up to 5 s for those who are there (CountOtherDBBackends in procarray.c). Who is ended is
//     ended in that time: nobody comes back, and nobody was ended in vain.
//   - Databases are known by their OIDs: before the commit both must have the names they should have.

// Swap says which database takes whose place.
type Swap struct {
	Live      Database
	With      Database
	Keep      string         // what Live is called afterwards
	Terminate bool           // end the connections of both; without it the server refuses while there are any
	Wait      time.Duration  // for the commit's answer, and then for the server to ask; 0 is 20 s
	Step      func(SwapStep) // told as each is reached; may be nil
}

// SwapStep is a moment of a swap.
type SwapStep string

// The steps in their order. Those up to SwapRenamed leave the old state, whatever happens.
const (
	SwapBegun     SwapStep = "begun"
	SwapKept      SwapStep = "kept"    // Live has its other name, to this transaction
	SwapRenamed   SwapStep = "renamed" // With has Live's
	SwapCommitted SwapStep = "committed"
)

// ErrSwapUnknown is in the chain when the commit's answer was lost and the server could not be
// asked afterwards. Every other error means the old state.
var ErrSwapUnknown = errors.New("the server's answer to the commit was lost")

const (
	swapLockWait = "10s" // for somebody who copies or renames one of the two
	swapWait     = 20 * time.Second
)

// Swap runs on a session that is in neither database. It returns the connections that it ended.
// Code Refused: connections are open, or something is no longer as it was looked at; Temporary:
// a lock, or connections that do not end.
func (s *Server) Swap(ctx context.Context, o Swap) (ended []Connection, err error) {
	if err := checkName(o.Keep); err != nil {
		return nil, err
	}
	if o.Step == nil {
		o.Step = func(SwapStep) {}
	}
	if o.Wait == 0 {
		o.Wait = swapWait
	}
	var pid int32
	if err := s.row(ctx, "SELECT pg_backend_pid()", nil, &pid); err != nil {
		return nil, classify(o.what(), err)
	}
	t := &terminator{holder: pid, oids: []uint32{o.Live.OID, o.With.OID}}
	if o.Terminate {
		if err := t.start(ctx, s.target); err != nil {
			return nil, err
		}
	}
	err = s.rename(ctx, o)
	ended, termErr := t.stop(ctx)
	if err != nil {
		s.rollback(ctx)
		return ended, errors.Join(o.explain(err), termErr)
	}
	return ended, s.commit(ctx, o, pid)
}

func (o Swap) what() string {
	return "postgres: put database " + QuoteIdent(o.With.Name) + " in the place of " + QuoteIdent(o.Live.Name)
}

// rename does everything up to the commit.
func (s *Server) rename(ctx context.Context, o Swap) error {
	for _, do := range []struct {
		sql  string
		step SwapStep
	}{
		{"BEGIN", ""},
		{"SET LOCAL lock_timeout = '" + swapLockWait + "'", ""},
		// A standby that hangs must not hold the lock of both names; what commits later waits for it.
		{"SET LOCAL synchronous_commit = local", SwapBegun},
		{"ALTER DATABASE " + QuoteIdent(o.Live.Name) + " RENAME TO " + QuoteIdent(o.Keep), SwapKept},
		{"ALTER DATABASE " + QuoteIdent(o.With.Name) + " RENAME TO " + QuoteIdent(o.Live.Name), SwapRenamed},
	} {
		if err := s.exec(ctx, do.sql); err != nil {
			return err
		}
		if do.step != "" {
			o.Step(do.step)
		}
	}
	swapped, err := s.swapped(ctx, o)
	if err == nil && !swapped {
		err = fault.New(fault.Refused, o.what(), "Check which databases there are (`psql -l`), and start again.",
			errors.New("another session has renamed or replaced one of them"))
	}
	return err
}

// swapped reports whether both have the names of the new state.
func (s *Server) swapped(ctx context.Context, o Swap) (bool, error) {
	kept, err := s.nameOf(ctx, o.Live.OID)
	if err != nil {
		return false, err
	}
	live, err := s.nameOf(ctx, o.With.OID)
	return kept == o.Keep && live == o.Live.Name, err
}

// commit is the point of no return. The run's end does not reach it; when its answer is lost, a
// fresh session tells the state.
func (s *Server) commit(ctx context.Context, o Swap, pid int32) error {
	if ctx.Err() != nil {
		s.rollback(ctx)
		return context.Cause(ctx)
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Wait)
	defer cancel()
	err := s.exec(deadline, "COMMIT")
	o.Step(SwapCommitted)
	var refused *pgconn.PgError
	if err == nil || (errors.As(err, &refused) && refused.Severity != "FATAL") {
		return classify(o.what(), err)
	}
	return s.ask(ctx, o, pid, err)
}

// ask finds out what became of a commit, once the session that sent it is gone.
func (s *Server) ask(ctx context.Context, o Swap, pid int32, lost error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Wait)
	defer cancel()
	fresh, err := Connect(ctx, s.target, o.Wait)
	if err != nil {
		return o.unknown(errors.Join(lost, err))
	}
	defer func() { _ = fresh.Close(ctx) }()
	for there := true; there; {
		if err := fresh.row(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", []any{pid},
			&there); err != nil {
			return o.unknown(errors.Join(lost, err))
		}
		if there {
			time.Sleep(50 * time.Millisecond)
		}
	}
	swapped, err := fresh.swapped(ctx, o)
	switch {
	case err != nil:
		return o.unknown(errors.Join(lost, err))
	case swapped:
		return nil
	}
	return classify(o.what(), lost)
}

func (o Swap) unknown(err error) error {
	return fault.New(fault.Unavailable, o.what(),
		fmt.Sprintf("Check with `psql -l` when the server answers: if there is a database %q, the replacement was done.",
			o.Keep),
		fmt.Errorf("%w: %w", ErrSwapUnknown, err))
}

// rollback gives the session back as it was; where that fails the server does it with the session's end.
func (s *Server) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	_ = s.exec(ctx, "ROLLBACK")
}

// explain gives what PostgreSQL refuses its meaning here.
func (o Swap) explain(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return classify(o.what(), err)
	}
	switch pg.Code {
	case "55006": // object in use
		if o.Terminate {
			return fault.New(fault.Temporary, o.what(), "Find in pg_stat_activity what does not end, and try again.", err)
		}
		return fault.New(fault.Refused, o.what(), "Stop what is connected, or let --terminate end it.", err)
	case "42P04", "23505", "3D000":
		return fault.New(fault.Refused, o.what(), "Check which databases there are (`psql -l`), and start again.", err)
	}
	return classify(o.what(), err)
}
