package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// bigDatabase is larger than all buffers between pg_dump and the store, so that a store which
// stops leaves pg_dump in the middle of its COPY. Tests only read it.
func bigDatabase(t testing.TB) (*pgtest.Server, string) { return big.in(t) }

var big = fixture{name: "big", schema: bigSchema}

const bigSchema = `CREATE TABLE big AS SELECT i, encode(sha512(i::text::bytea) || sha512((-i)::text::bytea), 'hex') AS a FROM generate_series(1, 160000) AS i`

// smallDatabase is for the many tests that only need something to dump. Tests only read it.
func smallDatabase(t testing.TB) (*pgtest.Server, string) { return small.in(t) }

var small = fixture{name: "small", schema: `CREATE TABLE t AS SELECT i, md5(i::text) AS a FROM generate_series(1, 5000) AS i`}

// atFirst runs do once, when the first request of op whose path holds key comes in.
func (w *world) atFirst(op s3server.Op, key string, do func() *s3server.Fault) {
	var met atomic.Bool // not a sync.Once: do may itself lead to such a request
	w.onRequest(func(got s3server.Op, path string) *s3server.Fault {
		if got == op && strings.Contains(path, key) && met.CompareAndSwap(false, true) {
			return do()
		}
		return nil
	})
}

// inMidCopy runs do when the first part of a dump comes in. No other part is taken meanwhile, so that
// pg_dump can't come to its end; do itself must not lead to one.
func (w *world) inMidCopy(do func()) {
	var first sync.Once
	w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
		if op == s3server.OpUploadPart {
			first.Do(do)
		}
		return nil
	})
}

// failed runs once and asserts what must hold after every failure.
func (w *world) failed(t *testing.T, ctx context.Context, want fault.Code) error {
	t.Helper()
	before := w.keys(t)
	_, err := w.try(ctx)
	wantCode(t, err, want)
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	w.store.ClearFaults()
	w.noLitter(t, before)
	return err
}

func TestAServerThatCannotBeUsedEndsTheRunWithItsCodeAndNothingInTheBucket(t *testing.T) {
	role := func(w *world, attributes string) { w.job.Postgres.User = "someone" + attributes }
	for name, c := range map[string]struct {
		spoil func(t *testing.T, w *world)
		want  fault.Code
	}{
		"server down":      {func(t *testing.T, w *world) { w.job.Postgres.Host = t.TempDir() }, fault.Unavailable},
		"no such database": {func(_ *testing.T, w *world) { w.job.Database = "nowhere" }, fault.NotFound},
		"no such role":     {func(_ *testing.T, w *world) { role(w, "_else") }, fault.NotPermitted},
		"login refused": {func(t *testing.T, w *world) {
			w.pg.Exec(t, "postgres", "CREATE ROLE no_login NOLOGIN")
			t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP ROLE no_login") })
			w.job.Postgres.User = "no_login"
		}, fault.NotPermitted},
		"client older than server": {func(t *testing.T, w *world) {
			w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": "echo 'pg_dump (PostgreSQL) 12.4'"})
		}, fault.Refused},
		"recipient is no key": {func(_ *testing.T, w *world) { w.job.Encryption.Recipients = []string{"age1nonsense"} }, fault.Config},
		"pg_dump fails in the middle": {func(t *testing.T, w *world) {
			w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": `if [ "$1" = --version ]; then exec ` + w.pg.BinDir + `/pg_dump --version; fi
` + w.pg.BinDir + `/pg_dump "$@" | head -c 2000; echo "pg_dump: error: No space left on device" >&2; exit 1`})
		}, fault.NoSpace},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			w.job.ConnectWait = 300 * time.Millisecond
			c.spoil(t, w)
			w.failed(t, t.Context(), c.want)
			if !strings.Contains(w.log.text(), "backup-failed") {
				t.Error("no event tells of the failure")
			}
		})
	}
}

func pgOf(t *testing.T) *pgtest.Server {
	pg, _ := smallDatabase(t)
	return pg
}

// tools is a folder with PostgreSQL's programs, some of them replaced by shell scripts.
func tools(t *testing.T, w *world, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"pg_dump", "pg_dumpall", "pg_restore"} {
		path := filepath.Join(dir, program)
		script, replaced := scripts[program]
		var err error
		if replaced {
			err = os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700)
		} else {
			err = os.Symlink(filepath.Join(w.pg.BinDir, program), path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestGlobalsThatFailOrNeverEndCostAWarningOnly(t *testing.T) {
	for name, script := range map[string]string{
		"fail": "echo 'pg_dumpall: error: permission denied for table pg_authid' >&2; exit 1", "never end": "exec yes",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dumpall": script})
			result := w.run(t)
			if len(result.Warnings) != 1 || result.Manifest.Globals != nil || !strings.Contains(result.Warnings[0], "globals") {
				t.Errorf("warnings %q", result.Warnings)
			}
		})
	}
}

func TestGlobalsWithoutVerifiersAreSaidInAnEncryptedSet(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.encrypt(t)
	w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dumpall": `case "$*" in *--no-role-passwords*) exec ` + w.pg.BinDir + `/pg_dumpall "$@";; esac
echo 'pg_dumpall: error: permission denied for table pg_authid' >&2; exit 1`})
	result := w.run(t)
	if result.Manifest.Globals == nil || len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "without role passwords") {
		t.Errorf("warnings %q", result.Warnings)
	}
}

func TestADumpThatWasCutBehindPgDumpsBackIsNoBackup(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": `if [ "$1" = --version ]; then exec ` + w.pg.BinDir + `/pg_dump --version; fi
` + w.pg.BinDir + `/pg_dump "$@" | head -c 50000; exit 0`})
	w.failed(t, t.Context(), fault.Integrity)
}

func TestAnArchiveThatTheScannerDoesNotKnowIsABackupWithAWarning(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	// Nothing but the scanner cares about the version in the fifth to seventh byte here: pg_restore is replaced too.
	w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": `if [ "$1" = --version ]; then exec ` + w.pg.BinDir + `/pg_dump --version; fi
` + w.pg.BinDir + `/pg_dump "$@" | { head -c 5; head -c 3 >/dev/null; printf '\001\143\000'; cat; }`, "pg_restore": "cat >/dev/null"})
	result := w.run(t)
	if len(result.Warnings) != 1 || result.Manifest.Summary.Scanned || result.Manifest.Dump.RawBytes == 0 {
		t.Fatalf("warnings %q, summary %+v", result.Warnings, result.Manifest.Summary)
	}
	v, err := verify.Whole(t.Context(), w.job, w.env, w.find(t, result.Manifest.ID), nil)
	if err != nil || len(v.Warnings) != 1 || v.Proof.Level != "readable" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestBackendsAndServersThatDieInMidCopyEndTheRun(t *testing.T) {
	pg, big := bigDatabase(t)
	t.Run("backend terminated", func(t *testing.T) {
		w := newWorldOn(t, pg, big)
		w.inMidCopy(func() {
			terminate(t, pg, "datname = 'big' AND query LIKE 'COPY%'")
		})
		w.failed(t, t.Context(), fault.Unavailable)
		w.noBackends(t)
	})
	t.Run("session of the lock terminated", func(t *testing.T) {
		w := newWorldOn(t, pg, big)
		w.inMidCopy(func() {
			terminate(t, pg, "datname = 'big' AND query NOT LIKE 'COPY%'")
		})
		w.failed(t, t.Context(), fault.Unavailable)
		w.noBackends(t)
	})
	own := pgtest.Start(t)
	own.Exec(t, "postgres", bigSchema)
	for name, end := range map[string]func(testing.TB){"server killed": own.Kill, "server stopped": own.Stop} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, own, "postgres")
			ended := make(chan struct{})
			w.inMidCopy(func() {
				defer close(ended)
				end(t)
			})
			w.failed(t, t.Context(), fault.Unavailable)
			<-ended
			own.Run(t)
			set := w.find(t, w.run(t).Manifest.ID)
			w.killedRestore(t, set)
		})
	}
}

// terminate ends the sessions that match, and waits for one: between two tables, pg_dump has other queries.
func terminate(t *testing.T, pg *pgtest.Server, where string) {
	for range 100 {
		if pg.QueryInt(t, "postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "+where) > 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("no session where " + where)
}

// killedRestore loses the server between the creation of the database and its end.
func (w *world) killedRestore(t *testing.T, set *backup.Set) {
	t.Helper()
	killed := make(chan struct{})
	w.atFirst(s3server.OpGetObject, backup.DumpName, func() *s3server.Fault {
		defer close(killed)
		w.pg.Kill(t)
		return nil
	})
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "half_restored"}, nil)
	<-killed
	wantCode(t, err, fault.Unavailable)
	if !strings.Contains(err.Error(), "half_restored") {
		t.Error(err)
	}
	w.pg.Run(t)
	w.pg.DropDatabase(t, "half_restored")
}

func TestALostLockEndsTheRunLongBeforeTheCommit(t *testing.T) {
	pg, big := bigDatabase(t)
	w := newWorldOn(t, pg, big)
	w.env.LeaseTerm = 300 * time.Millisecond
	w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		_ = pg.TryExec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'big' AND query NOT LIKE 'COPY%'")
		return &s3server.Fault{Kind: s3server.Stall} // without the guard this run would hang here
	})
	err := w.failed(t, t.Context(), fault.Unavailable)
	if !strings.Contains(err.Error(), "holds the lock is gone") {
		t.Error(err)
	}
}

func TestWhatPostgreSQLRefusesEndsTheRunWithItsCode(t *testing.T) {
	pg := pgtest.Shared(t)
	pg.Exec(t, "postgres", "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader")
	t.Cleanup(func() { pg.Exec(t, "postgres", "DROP OWNED BY reader; DROP ROLE reader") })
	largeObjects := fault.NotPermitted
	if pg.Major(t) >= 19 { // there pg_read_all_data is enough
		largeObjects = fault.OK
	}
	for name, c := range map[string]struct {
		schema, user string
		want         fault.Code
	}{
		"table is locked":                    {"CREATE TABLE t (a int)", "postgres", fault.Temporary},
		"row security without the right":     {"CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY", "reader", fault.NotPermitted},
		"large objects without the right":    {"SELECT lo_from_bytea(0, 'x')", "reader", largeObjects},
		"a readable database is no mistake":  {"CREATE TABLE t (a int)", "reader", fault.OK},
		"an empty one neither, for a reader": {"SELECT 1", "reader", fault.OK},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.job.Postgres.User, w.job.LockWait = c.user, 200*time.Millisecond
			pg.Exec(t, w.job.Database, c.schema)
			if c.want == fault.Temporary {
				hold := make(chan error, 1)
				go func() {
					hold <- pg.TryExec(w.job.Database, "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)")
				}()
				defer func() {
					_ = pg.TryExec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+w.job.Database+"'")
					<-hold
				}()
				for pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = $1)", w.job.Database) == 0 {
					time.Sleep(10 * time.Millisecond)
				}
			}
			if c.want == fault.OK {
				w.run(t)
				return
			}
			w.failed(t, t.Context(), c.want)
		})
	}
}
