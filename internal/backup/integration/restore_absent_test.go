package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestWhatADumpNeverHasIsToldByItsRestore(t *testing.T) {
	pg := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{"wal_level": "replica", "max_wal_senders": "2"}})
	pg.Exec(t, "postgres", "CREATE DATABASE source TEMPLATE template0")
	pg.Exec(t, "source", `CREATE TABLE t (i int); INSERT INTO t VALUES (1); CREATE UNLOGGED TABLE u AS SELECT 1 AS i`)
	pg.Exec(t, "source", "CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)")
	pg.Stop(t)
	signal := filepath.Join(pg.Data, "standby.signal")
	if err := os.WriteFile(signal, nil, 0o644); err != nil { // the server is another user
		t.Fatal(err)
	}
	pg.Run(t)
	w := newWorldOn(t, pg, "source")
	result := w.run(t)
	if len(result.Warnings) > 0 || !strings.Contains(w.log.text(), "the rows of 1 unlogged tables are not in backups of a hot standby") {
		t.Errorf("warnings %q", result.Warnings)
	}
	set := w.find(t, result.Manifest.ID)
	shared := pgtest.Shared(t)
	w.job.Postgres.Host, w.job.Postgres.Port = shared.Host, shared.Port
	to := "absent_" + w.job.Instance
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		shared.Exec(t, to, "ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
		shared.Exec(t, to, "DROP SUBSCRIPTION sub")
		shared.DropDatabase(t, to)
	})
	for _, want := range []string{"unlogged tables come without rows", "subscriptions: sub: disabled"} {
		if !slices.ContainsFunc(restored.Notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("no note says %q: %q", want, restored.Notes)
		}
	}
	if n := shared.QueryInt(t, to, "SELECT count(*) FROM u"); n != 0 {
		t.Errorf("the unlogged table has %d rows", n)
	}
}
