package integration

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// tightServer has the smallest lock table that PostgreSQL can have: some hundred places.
func tightServer(t *testing.T) *pgtest.Server {
	t.Helper()
	return pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{
		"max_locks_per_transaction": "10", "max_connections": "10", "autovacuum_max_workers": "1", "max_worker_processes": "1", "max_wal_senders": "0",
	}})
}

// manyTables needs some 3000 locks to be looked at in one transaction: tables and their indexes.
const manyTables = `DO $$ BEGIN
	FOR i IN 1..1500 LOOP
		EXECUTE format('CREATE TABLE t_%s (id int PRIMARY KEY)', i);
		IF i % 20 = 0 THEN COMMIT; END IF;
	END LOOP;
END $$`

func TestARestoreComparesMoreTablesThanTheLockTableHolds(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, manyTables)
	w.pg.Exec(t, w.job.Database, "INSERT INTO t_7 VALUES (1), (2)")
	set := w.find(t, w.run(t).Manifest.ID)
	tight := tightServer(t)
	w.job.Postgres.Host, w.job.Postgres.Port = tight.Host, tight.Port
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "copied"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !restored.Compared || restored.Tables != 1500 || restored.Rows != 2 {
		t.Errorf("%d tables, %d rows, compared %v", restored.Tables, restored.Rows, restored.Compared)
	}
}

func TestALockTableThatIsTooSmallForADumpIsNamedAndNotTriedAgain(t *testing.T) {
	tight := tightServer(t)
	tight.CreateDatabaseNamed(t, "many")
	tight.Exec(t, "many", manyTables)
	w := newWorldOn(t, tight, "many")
	err := w.failed(t, t.Context(), fault.Refused)
	if fault.CodeOf(err).Retryable() || !strings.Contains(fault.Remedy(err), "max_locks_per_transaction") {
		t.Errorf("code %d, remedy %q: %v", fault.CodeOf(err), fault.Remedy(err), err)
	}
}
