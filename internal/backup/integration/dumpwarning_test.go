package integration

import (
	"slices"
	"strings"
	"testing"
)

func TestWhatPgDumpLeavesOutIsAWarningOfTheSet(t *testing.T) {
	w := newWorld(t)
	role := "reader_" + w.job.Database
	w.pg.Exec(t, "postgres", "CREATE ROLE "+role+" LOGIN; GRANT pg_read_all_data TO "+role)
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP ROLE "+role) })
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t AS SELECT 1 AS a")
	w.pg.Exec(t, w.job.Database, "CREATE SUBSCRIPTION s_"+w.job.Database+" CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)")
	t.Cleanup(func() {
		w.pg.Exec(t, w.job.Database, "ALTER SUBSCRIPTION s_"+w.job.Database+" SET (slot_name = NONE)")
		w.pg.Exec(t, w.job.Database, "DROP SUBSCRIPTION s_"+w.job.Database)
	})
	w.job.Postgres.User = role
	m := w.run(t).Manifest
	if !slices.ContainsFunc(m.Warnings, func(s string) bool { return strings.Contains(s, "subscriptions not dumped") }) {
		t.Fatalf("warnings %q", m.Warnings)
	}
}
