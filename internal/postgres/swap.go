package postgres

import (
	"context"
	"errors"
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
	pid, err := s.backendPID(ctx)
	if err != nil {
		return nil, classify(o.what(), err)
	}
	t := &terminator{holder: pid, oids: []uint32{o.Live.OID, o.With.OID}}
	if o.Terminate {
		if err := t.start(ctx, s.target); err != nil {
			return nil, err
		}
	}
	swap := o.renaming(pid)
	err = s.rename(ctx, swap)
	ended, termErr := t.stop(ctx)
	if err != nil {
		s.rollback(ctx)
		return ended, errors.Join(o.explain(err), termErr)
	}
	return ended, s.commit(ctx, swap)
}

func (o Swap) what() string {
	return "postgres: put database " + QuoteIdent(o.With.Name) + " in the place of " + QuoteIdent(o.Live.Name)
}

// renaming is the transaction of it.
func (o Swap) renaming(pid int32) renaming {
	return renaming{
		what: o.what(), kind: "DATABASE", look: "`psql -l`", live: o.Live.Name, with: o.With.Name, keep: o.Keep, pid: pid,
		wait: o.Wait, step: o.Step,
		swapped: func(ctx context.Context, s *Server) (bool, error) {
			kept, err := s.nameOf(ctx, o.Live.OID)
			if err != nil {
				return false, err
			}
			live, err := s.nameOf(ctx, o.With.OID)
			return kept == o.Keep && live == o.Live.Name, err
		},
	}
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
