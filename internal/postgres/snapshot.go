package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Several programs that dump one state of a database. Rules:
//
//   - a session of ours locks the tables whose rows are shared out, and only then takes the snapshot that the programs
//     get: a TRUNCATE or an ALTER TABLE that rewrites between the two would leave a table that is dumped empty
//   - what it locked is held against what was planned: a table may have been replaced by another of its name meanwhile
//   - the snapshot is there for as long as the session's transaction, which nothing but its end ends

// SizedTable is a table whose rows a dump has, with what they take.
type SizedTable struct {
	Table
	OID   uint32
	Bytes int64 // with what is stored out of line, without indexes
}

// SizedTables are those of the session's database whose rows can be dumped apart from everything else, the largest
// first: tables and partitions that are no extension's. Of unlogged tables a standby has no rows. Whoever asks for a
// table's size waits for its lock, each at most lockWait (0: without an end): code Temporary, with who has it.
func (s *Server) SizedTables(ctx context.Context, lockWait time.Duration) ([]SizedTable, error) {
	wait := func(ctx context.Context, most time.Duration) error {
		return s.exec(ctx, fmt.Sprintf("SET lock_timeout = %d", most.Milliseconds()))
	}
	what := "postgres: ask for the sizes of tables in " + s.target.name()
	if err := wait(ctx, lockWait); err != nil {
		return nil, classify(what, err)
	}
	tables, err := s.sizedTables(ctx)
	if again := wait(ctx, 0); err == nil {
		err = again
	}
	if stateOf(err) == "55P03" {
		return nil, s.blocked(ctx, nil, classify(what, err))
	}
	return tables, classify(what, err)
}

func (s *Server) sizedTables(ctx context.Context) ([]SizedTable, error) {
	type row struct {
		Schema, Name string
		OID          uint32
		Bytes        int64
	}
	rows, err := collect[row](ctx, s, `SELECT n.nspname, c.relname, c.oid, coalesce(pg_table_size(c.oid), 0) AS size
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.deptype = 'e'
				AND (d.classid = 'pg_class'::regclass AND d.objid = c.oid
				OR d.classid = 'pg_namespace'::regclass AND d.objid = n.oid))
		ORDER BY size DESC, 1, 2`)
	tables := make([]SizedTable, len(rows))
	for i, r := range rows {
		tables[i] = SizedTable{Table: Table{Schema: r.Schema, Name: r.Name}, OID: r.OID, Bytes: r.Bytes}
	}
	return tables, err
}

func oidsOf(tables []SizedTable) []uint32 {
	oids := make([]uint32, len(tables))
	for i, t := range tables {
		oids[i] = t.OID
	}
	return oids
}

// Snapshot is a state of a database that programs can dump while it is open.
type Snapshot struct {
	ID     string
	server *Server
}

// ErrChanged is in the chain when a table was changed between being chosen and being locked.
var ErrChanged = errors.New("a table was changed meanwhile")

// OpenSnapshot locks tables against what would change more than rows, each within lockWait (0: without an end), and
// takes a snapshot. Codes: those of Connect; Temporary for a lock that was not to be had, with who has it, and for
// ErrChanged.
func OpenSnapshot(
	ctx context.Context, t Target, wait time.Duration, tables []SizedTable, lockWait time.Duration,
) (*Snapshot, error) {
	server, err := Connect(ctx, t, wait)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{server: server}
	if err := s.take(ctx, tables, lockWait); err != nil {
		_ = server.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return s, nil
}

func (s *Snapshot) take(ctx context.Context, tables []SizedTable, lockWait time.Duration) error {
	const what = "postgres: take a snapshot"
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = "ONLY " + QuoteIdent(t.Schema) + "." + QuoteIdent(t.Name)
	}
	for _, statement := range []string{
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		fmt.Sprintf("SET LOCAL lock_timeout = %d", lockWait.Milliseconds()),
		"LOCK TABLE " + strings.Join(names, ", ") + " IN ACCESS SHARE MODE",
	} {
		err := s.server.exec(ctx, statement)
		switch stateOf(err) {
		case "55P03": // lock_not_available
			return s.locked(ctx, tables, err)
		case "42P01", "3F000", "42809": // no such table or schema any more, or it is another thing now
			return changed(err)
		}
		if err != nil {
			return classify(what, err)
		}
	}
	if err := s.compare(ctx, tables); err != nil {
		return err
	}
	return classify(what, s.server.row(ctx, "SELECT pg_export_snapshot()", nil, &s.ID))
}

func changed(err error) error {
	return fault.New(fault.Temporary, "postgres: take a snapshot", "Try again; tables were made or dropped meanwhile.",
		fmt.Errorf("%w: %w", ErrChanged, err))
}

// compare asks, in the snapshot, for the tables that were locked: each by its name, and with the file that it has now.
func (s *Snapshot) compare(ctx context.Context, tables []SizedTable) error {
	type row struct {
		OID          uint32
		Schema, Name string
		SameFile     bool
	}
	rows, err := collect[row](ctx, s.server, `SELECT c.oid, n.nspname, c.relname,
			coalesce(c.relfilenode = pg_relation_filenode(c.oid), false)
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = ANY($1::oid[])`, oidsOf(tables))
	if err != nil {
		return classify("postgres: look at the locked tables", err)
	}
	found := map[uint32]row{}
	for _, r := range rows {
		found[r.OID] = r
	}
	for _, t := range tables {
		r := found[t.OID]
		if (Table{Schema: r.Schema, Name: r.Name}) != t.Table || !r.SameFile {
			return changed(errors.New(t.Written()))
		}
	}
	return nil
}

// locked names who keeps tables from being read. The transaction, which failed, is ended for that.
func (s *Snapshot) locked(ctx context.Context, tables []SizedTable, refused error) error {
	refused = classify("postgres: lock the tables that are dumped", refused)
	if err := s.server.exec(ctx, "ROLLBACK"); err != nil {
		return refused
	}
	return s.server.blocked(ctx, tables, refused)
}

// blocked adds who keeps tables, nil: any, from being read.
func (s *Server) blocked(ctx context.Context, tables []SizedTable, refused error) error {
	holders := s.Exclusively(ctx, tables)
	if len(holders) == 0 {
		return refused
	}
	return fault.New(fault.CodeOf(refused), "", fault.Remedy(refused),
		fmt.Errorf("%w; held or waited for by %s", refused, strings.Join(holders, ", ")))
}

// maxBlockers bounds how many sessions an error names.
const maxBlockers = 5

// Exclusively are the sessions that have, or wait for, a lock on one of the tables, nil: of any, beside which nobody
// reads it. It is for an error that has its cause already: what cannot be asked is left out.
func (s *Server) Exclusively(ctx context.Context, tables []SizedTable) (holders []string) {
	type one struct {
		PID         int32
		Role        string
		Application string
		Since       time.Time
		Granted     bool
	}
	found, err := collect[one](ctx, s, `SELECT coalesce(a.pid, l.pid, 0), coalesce(a.usename::text, ''),
			coalesce(a.application_name, ''), coalesce(a.backend_start, 'epoch'), bool_or(l.granted)
		FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.mode = 'AccessExclusiveLock' AND l.relation >= 16384
			AND (cardinality($1::oid[]) = 0 OR l.relation = ANY($1::oid[]))
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND l.pid IS DISTINCT FROM pg_backend_pid()
		GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 4 LIMIT $2`, oidsOf(tables), maxBlockers)
	if err != nil {
		return nil
	}
	for _, o := range found {
		h := Holder{PID: o.PID, Role: o.Role, Application: o.Application, Since: o.Since}
		text := h.String()
		if !o.Granted {
			text += ", which waits for it"
		}
		holders = append(holders, text)
	}
	return holders
}

// OursWait reports whether a program of ours waits for a lock on one of the tables.
func (s *Server) OursWait(ctx context.Context, tables []SizedTable) (waits bool, err error) {
	err = s.row(ctx, `SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE NOT l.granted AND l.mode = 'AccessShareLock' AND l.relation = ANY($1::oid[])
			AND a.datname = current_database() AND a.usename = session_user AND a.application_name = $2)`,
		[]any{oidsOf(tables), appName}, &waits)
	return waits, classify("postgres: ask what waits for a lock", err)
}

// Alive fails when the snapshot, with its session, is lost.
func (s *Snapshot) Alive(ctx context.Context) error {
	if err := s.server.Alive(ctx); err != nil {
		return fmt.Errorf("postgres: the session that holds the snapshot is gone: %w", err)
	}
	return nil
}

// Close ends it.
func (s *Snapshot) Close(ctx context.Context) error { return s.server.Close(ctx) }

// LockTimeout reports whether a program of ours, or a session, gave up waiting for a lock.
func LockTimeout(err error) bool {
	var exit *ExitError
	if !errors.As(err, &exit) {
		return stateOf(err) == "55P03"
	}
	return slices.ContainsFunc(exit.Lines, lockTimeout.MatchString)
}

var lockTimeout = regexp.MustCompile(`due to lock timeout|could not obtain lock`)
