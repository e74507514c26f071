package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Holder is a session that holds an advisory lock.
type Holder struct {
	PID         int32  // 0: a prepared transaction, or one that could not be seen
	Role        string // that the server authenticated
	Application string // what it calls itself; anybody can call himself anything
	Since       time.Time
	Ours        bool // its role is this session's, a member of it, or a superuser
}

// String is the holder in messages; names are raw.
func (h Holder) String() string {
	if h.PID == 0 {
		return "a prepared transaction, or a session that could not be seen"
	}
	words := []string{fmt.Sprintf("role %q", h.Role)}
	if h.Application != "" {
		words = append(words, fmt.Sprintf("application %q", h.Application))
	}
	if h.Since.Unix() > 0 {
		words = append(words, "connected since "+h.Since.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("pid %d (%s)", h.PID, strings.Join(words, ", "))
}

// Remedy is how to end it.
func (h Holder) Remedy() string {
	if h.PID == 0 {
		return "Look for advisory locks in pg_locks and pg_prepared_xacts."
	}
	return fmt.Sprintf("End that session with `SELECT pg_terminate_backend(%d)`.", h.PID)
}

// Conditions on a row of pg_locks, as l, which has a number of 64 bits in two halves; $1 is another number.
// Tickets are told by their ticketMark, those of a key by their ticketPrefix.
const (
	lockNumber   = "(l.classid::bigint << 32 | l.objid::bigint)"
	oneLock      = "l.objsubid = 1 AND " + lockNumber + " = $1::bigint"
	anyTicket    = "l.objsubid = 1 AND " + lockNumber + " >> 40 = 7366498"
	ticketsOfKey = "l.objsubid = 1 AND " + lockNumber + " >> 24 = $1::bigint"
)

// holders are the other sessions of this database that hold such a lock. PID, role and application
// are shown to everybody; since when, only to roles that may see it.
func (s *Server) holders(ctx context.Context, condition string, number int64) ([]Holder, error) {
	rows, err := s.conn.Query(ctx, `SELECT coalesce(l.pid, 0), coalesce(a.usename::text, ''),
		coalesce(a.application_name, ''),
			coalesce(a.backend_start, 'epoch'), coalesce(pg_has_role(a.usesysid, me.oid, 'MEMBER'), false)
		FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid, pg_roles AS me
		WHERE l.locktype = 'advisory' AND l.granted AND me.rolname = session_user AND l.pid IS DISTINCT FROM pg_backend_pid()
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND `+condition+`
		ORDER BY 5 DESC, 1`, number)
	if err != nil {
		return nil, err
	}
	return collectRows[Holder](rows)
}
