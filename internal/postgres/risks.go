package postgres

import (
	"context"
	"strconv"
)

// Risks are settings and rights of a server, besides Facts, that spoil a dump or what is dumped.
type Risks struct {
	Settings    map[string]string // by name, as pg_settings has them: "on", "64"; those that this version knows
	Locks       int64             // tables and partitions of the database, each of which pg_dump locks
	MayReadAuth bool              // the role may read pg_authid, where the roles' passwords are
}

// Number is a setting as a number, 0 where there is none.
func (r Risks) Number(name string) int64 {
	n, _ := strconv.ParseInt(r.Settings[name], 10, 64) // pg_settings has integers as such
	return n
}

// LockSlots is how many locks the server has room for at least ("max_locks_per_transaction" in PostgreSQL's
// documentation).
func (r Risks) LockSlots() int64 {
	return r.Number("max_locks_per_transaction") * (r.Number("max_connections") + r.Number("max_prepared_transactions"))
}

// Risks asks for them. It reads catalogues only.
func (s *Server) Risks(ctx context.Context) (Risks, error) {
	r := Risks{Settings: map[string]string{}}
	type setting struct{ Name, Value string }
	rows, err := collect[setting](ctx, s, `SELECT name, coalesce(setting, '') FROM pg_settings WHERE name IN (
			'zero_damaged_pages', 'ignore_checksum_failure', 'ignore_system_indexes', 'fsync', 'full_page_writes',
			'data_checksums', 'max_locks_per_transaction', 'max_connections', 'max_prepared_transactions',
			'hot_standby_feedback', 'max_standby_streaming_delay')`)
	for _, row := range rows {
		r.Settings[row.Name] = row.Value
	}
	if err == nil {
		err = s.row(ctx, `SELECT count(*), has_table_privilege('pg_catalog.pg_authid', 'SELECT') FROM pg_class AS c
			JOIN pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
				AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'`, nil, &r.Locks, &r.MayReadAuth)
	}
	return r, classify("postgres: settings that dumps need of "+s.target.name(), err)
}
