package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// What can be seen of another database from a session that is not in it: what has to be known
// before it is renamed.

// Database is one database of a server, told from later ones of its name by its OID.
type Database struct {
	OID       uint32
	Name      string
	SizeBytes int64 // -1: the role may not ask
	AllowConn bool
}

// Database looks a database up by its exact name. ok is false when there is none.
func (s *Server) Database(ctx context.Context, name string) (d Database, ok bool, err error) {
	// pg_database_size is an error for who has neither CONNECT nor pg_read_all_stats.
	err = s.row(ctx, `SELECT d.oid, d.datname::text, CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN
		pg_database_size(d.oid) ELSE -1 END, d.datallowconn
		FROM pg_database AS d WHERE d.datname = $1`, []any{name}, &d.OID, &d.Name, &d.SizeBytes, &d.AllowConn)
	if errors.Is(err, pgx.ErrNoRows) {
		return Database{}, false, nil
	}
	return d, err == nil, classify("postgres: look at database "+QuoteIdent(name), err)
}

// nameOf is the name that a database has now, "" when it is gone.
func (s *Server) nameOf(ctx context.Context, oid uint32) (name string, err error) {
	err = s.row(ctx, "SELECT coalesce((SELECT datname::text FROM pg_database WHERE oid = $1), '')", []any{oid}, &name)
	return name, classify("postgres: look for a database by its OID", err)
}

// DatabasesLike are the names of the databases that begin with prefix, sorted.
func (s *Server) DatabasesLike(ctx context.Context, prefix string) ([]string, error) {
	names, err := s.names(ctx, "SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1) ORDER BY 1",
		prefix)
	return names, classify("postgres: list databases", err)
}

// Connection is one session or background process in a database.
type Connection struct {
	PID         int32
	User        string // "" for background processes
	Application string
	Client      string // address, "local" over the socket
	Kind        string // backend_type: "client backend", "walsender", "pg_cron launcher", …
	Since       time.Time
}

// seen are the columns of a Connection, of pg_stat_activity as a.
const seen = `a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
	coalesce(host(a.client_addr), CASE WHEN a.backend_type = 'client backend' THEN 'local' ELSE '' END),
	coalesce(a.backend_type, 'unknown'), coalesce(a.backend_start, now())`

// others keeps what is no connection out: this session, autovacuum, which a renaming ends by
// itself, and what other sessions started for themselves.
const others = "a.pid <> pg_backend_pid() AND coalesce(a.backend_type, '') NOT " +
	"IN ('autovacuum worker', 'parallel worker')"

// Connections are those of a database, oldest first.
func (s *Server) Connections(ctx context.Context, oid uint32) ([]Connection, error) {
	found, err := collect[Connection](ctx, s, "SELECT "+seen+` FROM pg_stat_activity AS a
		WHERE a.datid = $1 AND `+others+`
		ORDER BY a.backend_start, a.pid`, oid)
	return found, classify("postgres: list connections", err)
}

// Ties are what binds a database besides its sessions.
type Ties struct {
	Prepared      []string // global IDs of prepared transactions: the server renames no database that has one
	Slots         []string // logical replication slots, which stay with the database and not with its name
	Subscriptions []string // names of those that are enabled
	Backup        *Holder  // a running backup of pgbtui; nil: none
}

// Ties looks for them. A running backup is known by its ticket, whichever job it is of, and by its
// role: one that may read everything, or this session's own. Others can take a ticket too, and are
// connections like any other.
func (s *Server) Ties(ctx context.Context, oid uint32) (t Ties, err error) {
	err = s.row(ctx, `SELECT
		ARRAY(SELECT p.gid FROM pg_prepared_xacts AS p JOIN pg_database AS d ON d.datname = p.database WHERE d.oid = $1
		ORDER BY 1),
		ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE datoid = $1 ORDER BY 1),
		ARRAY(SELECT subname::text FROM pg_subscription WHERE subdbid = $1 AND subenabled ORDER BY 1)`,
		[]any{oid}, &t.Prepared, &t.Slots, &t.Subscriptions)
	if err != nil {
		return Ties{}, classify("postgres: look for what holds a database", err)
	}
	// pg_read_all_data is there from 14 on.
	found, err := collect[Holder](ctx, s, `SELECT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
		coalesce(a.backend_start, 'epoch'), true
		FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.database = $1 AND `+anyTicket+`
			AND EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname IN (session_user, 'pg_read_all_data') AND
			pg_has_role(a.usesysid, r.oid, 'MEMBER'))
		ORDER BY 1 LIMIT 1`, oid)
	if len(found) > 0 {
		t.Backup = &found[0]
	}
	return t, classify("postgres: look for a running backup", err)
}
