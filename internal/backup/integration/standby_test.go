package integration

import (
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// replicated is a primary with a database, and a standby that lets nobody hold up what it replays.
func replicated(t *testing.T, database, schema string) (primary, standby *pgtest.Server) {
	t.Helper()
	primary = pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{"autovacuum": "off"}})
	primary.Exec(t, "postgres", "CREATE DATABASE "+database+" TEMPLATE template0")
	primary.Exec(t, database, schema)
	standby = primary.Standby(t, map[string]string{"max_standby_streaming_delay": "10ms"})
	standby.CatchUp(t, primary)
	return primary, standby
}

func TestAHotStandbyIsBackedUpAndItsUnloggedTablesAreNamedThereAndAtTheRestore(t *testing.T) {
	primary, standby := replicated(t, "source", `CREATE TABLE t AS SELECT generate_series(1, 5000) AS i;
		CREATE UNLOGGED TABLE fleeting AS SELECT 1 AS i; CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t`)
	w := newWorldOn(t, standby, "source")
	result := w.run(t)
	if len(result.Warnings) > 0 || !result.Manifest.Server.InRecovery || !strings.Contains(w.log.text(), "the rows of 1 unlogged tables are not in backups of a hot standby") {
		t.Errorf("warnings %q, server %+v", result.Warnings, result.Manifest.Server)
	}
	set := w.find(t, result.Manifest.ID)
	w.named(t)
	w.job.Drill.Server.Host, w.job.Drill.Server.Port = primary.Host, primary.Port
	if _, err := w.drill(t, set); err != nil {
		t.Errorf("drill: %v", err)
	}
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "copy"}, nil)
	wantCode(t, err, fault.Refused) // nothing is restored into a standby
	w.job.Postgres.Host, w.job.Postgres.Port = primary.Host, primary.Port
	got, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "copy"}, nil)
	if err != nil || !got.Compared || !strings.Contains(strings.Join(got.Notes, ""), "unlogged tables come without rows") {
		t.Fatalf("%+v, %v", got, err)
	}
	for table, want := range map[string]int64{"t": 5000, "fleeting": 0, "m": 1} {
		if n := primary.QueryInt(t, "copy", "SELECT count(*) FROM "+table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
}

// What the primary removes while a dump reads it: rows, or a whole table.
func TestADumpThatAStandbyEndsForItsPrimaryIsTriedAgainAndTheRemedyNamesTheStandbysSettings(t *testing.T) {
	for name, change := range map[string]string{
		"rows":  "DELETE FROM big WHERE i % 2 = 0; VACUUM big",
		"table": "TRUNCATE big",
	} {
		t.Run(name, func(t *testing.T) {
			primary, standby := replicated(t, "big", bigSchema)
			w := newWorldOn(t, standby, "big")
			var once sync.Once
			w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
				if op == s3server.OpUploadPart {
					// Every part waits here, so that the dump is not over before the conflict.
					once.Do(func() {
						for statement := range strings.SplitSeq(change, "; ") {
							primary.Exec(t, "big", statement)
						}
						standby.Receive(t, primary)
						time.Sleep(100 * time.Millisecond) // until the delay is over
					})
				}
				return nil
			})
			err := w.failed(t, t.Context(), fault.Temporary)
			if err == nil {
				t.FailNow()
			}
			if !strings.Contains(err.Error(), "conflict with recovery") {
				t.Error(err)
			}
			for _, setting := range []string{"hot_standby_feedback", "max_standby_streaming_delay", "primary"} {
				if !strings.Contains(fault.Remedy(err), setting) {
					t.Errorf("the remedy does not name %s: %q", setting, fault.Remedy(err))
				}
			}
			standby.CatchUp(t, primary)
			w.run(t) // the next try has nothing in its way
		})
	}
}
