package postgres

import (
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The connection limits of a database and of a role. They do not hold superusers back.

// SessionLimit is how many sessions the database and the session's role may have at once; -1: nobody says.
func (s *Server) SessionLimit(ctx context.Context) (limit int, err error) {
	err = s.row(ctx, `SELECT CASE WHEN r.rolsuper THEN -1 ELSE coalesce(least(nullif(d.datconnlimit, -1),
			nullif(r.rolconnlimit, -1)), -1) END
		FROM pg_database AS d, pg_roles AS r WHERE d.datname = current_database() AND r.rolname = session_user`,
		nil, &limit)
	return limit, classify("postgres: look at the connection limits", err)
}

// runSessions is how many sessions a backup has at once: one that holds its lock, and that of a client program.
const runSessions = 2

// maintenance is the database that every server has, for a question about another.
const maintenance = "postgres"

// EnoughSessions fails, with code Config, when the database or the session's role may never have as many sessions
// at once as a backup needs.
func (s *Server) EnoughSessions(ctx context.Context) error {
	return s.enoughSessions(ctx, s.conn.Config().Database)
}

func (s *Server) enoughSessions(ctx context.Context, database string) error {
	var role string
	var ofDatabase, ofRole int
	err := s.row(ctx, `SELECT r.rolname, CASE WHEN r.rolsuper THEN -1 ELSE d.datconnlimit END,
		CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END
		FROM pg_database AS d, pg_roles AS r WHERE d.datname = $1
		AND r.rolname = session_user`, []any{database}, &role, &ofDatabase, &ofRole)
	if err != nil {
		return classify("postgres: look at the connection limits", err)
	}
	var short, raise []string
	look := func(kind, name string, limit int) {
		if limit >= 0 && limit < runSessions { // below 0 is none
			short = append(short, fmt.Sprintf("the connection limit of %s %s is %d", kind, QuoteIdent(name), limit))
			raise = append(raise,
				fmt.Sprintf("ALTER %s %s CONNECTION LIMIT %d", strings.ToUpper(kind), QuoteIdent(name), runSessions))
		}
	}
	look("database", database, ofDatabase)
	look("role", role, ofRole)
	if len(short) == 0 {
		return nil
	}
	return fault.New(fault.Config,
		fmt.Sprintf("postgres: %s, and a backup needs %d sessions at once", strings.Join(short, ", "), runSessions),
		"Raise it, to more than that where others connect at the same time: "+strings.Join(raise, "; ")+".", nil)
}

// limited says why a login found no session free, where one can ask in another database: a limit that is too
// small for ever, or the one that is used up now.
func limited(ctx context.Context, t Target, refused error) error {
	database := t.Database
	t.Database = maintenance
	config, err := t.config()
	if err != nil || database == maintenance {
		return refused
	}
	s, err := open(ctx, t, config)
	if err != nil {
		return refused // the server or the role has no session free at all
	}
	defer func() { _ = s.Close(context.WithoutCancel(ctx)) }()
	if err := s.enoughSessions(ctx, database); fault.CodeOf(err) == fault.Config {
		return err
	}
	return fault.New(fault.Temporary, "", remedyLimit, refused)
}

// Spare is how many more sessions a server would let this role have, and how many sessions work there now.
type Spare struct{ Sessions, Busy int }

// Spare asks for both as they are at this moment. Of others' work a role sees all only as a superuser or a member of
// pg_read_all_stats.
func (s *Server) Spare(ctx context.Context) (spare Spare, err error) {
	err = s.row(ctx, `SELECT greatest(0, least(
			current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
				- count(a.datid),
			CASE WHEN r.rolsuper OR r.rolconnlimit < 0 THEN 1000000
				ELSE r.rolconnlimit - count(*) FILTER (WHERE a.usesysid = r.oid) END)),
		count(*) FILTER (WHERE a.datid IS NOT NULL AND a.state = 'active' AND a.pid <> pg_backend_pid())
		FROM pg_roles AS r, pg_stat_activity AS a WHERE r.rolname = session_user
		GROUP BY r.oid, r.rolsuper, r.rolconnlimit`, nil, &spare.Sessions, &spare.Busy)
	return spare, err
}
