package postgres

import (
	"context"
	"strings"
	"time"
)

// Activity is what the session of a client program of ours does, as the server sees it: minutes in
// which no byte comes may be minutes of work.
//
// The session is known by its database, by the role that the server authenticated, and by having
// begun after the program was started. A stranger's session can call itself what it likes.
type Activity struct {
	server   *Server
	database string
	since    time.Time // the server's clock
	changed  map[int32]time.Time
}

// Follow begins to follow the session that a program is about to open in a database.
func (s *Server) Follow(ctx context.Context, database string) (*Activity, error) {
	a := &Activity{server: s, database: database, changed: map[int32]time.Time{}}
	err := s.row(ctx, "SELECT clock_timestamp()", nil, &a.since)
	return a, classify("postgres: ask for the time", err)
}

// Work is one look at a session.
type Work struct {
	Works bool   // it works, or has done something since the look before
	Doing string // what, in words; "" when nothing is known
}

// Look reports whether the program's session works. Waiting for a lock is no work, nor is waiting for
// the program itself to take what is there or to give more: then the way behind it is stuck.
func (a *Activity) Look(ctx context.Context) (Work, error) {
	type session struct {
		PID                int32
		State, Wait, Query string
		Changed            time.Time
	}
	found, err := collect[session](ctx, a.server, `SELECT a.pid, coalesce(a.state, ''),
		coalesce(a.wait_event_type, ''), left(coalesce(a.query, ''), 20),
			coalesce(greatest(a.query_start, a.state_change), a.backend_start)
		FROM pg_stat_activity AS a
		WHERE a.datname = $1 AND a.usename = session_user AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
		AND a.backend_start >= $2
		ORDER BY a.backend_start`, a.database, a.since)
	var w Work
	for _, s := range found {
		moved := !s.Changed.Equal(a.changed[s.PID])
		a.changed[s.PID] = s.Changed
		busy := s.State == "active" && s.Wait != "Lock" && s.Wait != "Client"
		w.Works = w.Works || moved || busy
		if busy || w.Doing == "" {
			w.Doing = doing(s.State, s.Wait, s.Query)
		}
	}
	return w, classify("postgres: look at a program's session", err)
}

// doing tells a state in words. Of the statement only the kind is told: it holds names, and may hold data.
func doing(state, wait, query string) string {
	switch {
	case wait == "Lock":
		return "waiting for a lock"
	case state != "active":
		return ""
	case strings.HasPrefix(strings.TrimSpace(query), "COPY"):
		return "the server works on a table's rows"
	case strings.HasPrefix(strings.TrimSpace(query), "SELECT"), strings.HasPrefix(strings.TrimSpace(query), "EXECUTE"):
		return "the server reads its catalogue"
	}
	return "the server carries out a statement"
}
