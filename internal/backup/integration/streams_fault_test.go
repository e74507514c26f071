package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// streamBig are four tables, none of which fits into the buffers on the way.
const streamBig = `DO $$ BEGIN FOR k IN 1..4 LOOP EXECUTE format('CREATE TABLE t%s AS
	SELECT i, encode(sha512(i::text::bytea) || sha512((-i)::text::bytea), ''hex'') AS a FROM generate_series(1, 25000) AS i', k); END LOOP; END $$`

func TestWhateverFailsOfSeveralStreamsLeavesNothingAndTheNextRunSucceeds(t *testing.T) {
	var stopped sync.WaitGroup
	own := pgtest.Start(t)
	own.Exec(t, "postgres", "CREATE DATABASE several TEMPLATE template0")
	own.Exec(t, "several", streamBig)
	const ours = "datname = 'several' AND application_name = 'pgbtui' AND "
	for name, c := range map[string]struct {
		provoke func(w *world)
		code    fault.Code
		says    string
	}{
		"the session of the snapshot is ended": {func(w *world) {
			w.inMidCopy(func() {
				terminate(t, own, ours+"state = 'idle in transaction' AND (query LIKE '%pg_export_snapshot%' OR query = 'SELECT 1')")
				time.Sleep(3 * time.Second)
			})
		}, fault.Unavailable, "holds the snapshot"},
		"a stream is ended": {func(w *world) {
			// Long enough to be met in the middle of its rows.
			own.Exec(t, "several", "INSERT INTO t1 SELECT g.i, t1.a FROM t1, generate_series(1, 7) AS g(i)")
			w.inMidCopy(func() { terminate(t, own, ours+"query LIKE 'COPY public.t1%'") })
		}, fault.Unavailable, "stream"},
		"the server is stopped": {func(w *world) {
			stopped.Add(1)
			w.inMidCopy(func() { defer stopped.Done(); own.Stop(t) })
		}, fault.Unavailable, ""},
		"the store refuses parts of one stream": {func(w *world) {
			w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
				if op == s3server.OpUploadPart && strings.Contains(path, "rows-02") {
					return &s3server.Fault{Kind: s3server.Answer, Status: http.StatusForbidden, Code: "AccessDenied"}
				}
				return nil
			})
		}, fault.NotPermitted, ""},
		"the store has not completed the last one": {func(w *world) {
			w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
				if op == s3server.OpCompleteMultipart && strings.Contains(path, "rows-03") {
					return &s3server.Fault{Kind: s3server.Answer, Status: http.StatusForbidden, Code: "AccessDenied"}
				}
				return nil
			})
		}, fault.NotPermitted, ""},
		"a stream lacks a table": {func(w *world) {
			w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": `case "$*" in
*--table=*t2*) exec ` + w.pg.BinDir + `/pg_dump "$@" --exclude-table-data=public.t2;; *) exec ` + w.pg.BinDir + `/pg_dump "$@";; esac`})
		}, fault.Failed, "lacks the rows of table public.t2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, own, "several")
			w.job.Streams = 4
			bin := w.job.Postgres.BinDir
			c.provoke(w)
			err := w.failed(t, t.Context(), c.code)
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
			stopped.Wait()
			if own.TryExec("postgres", "SELECT 1") != nil {
				own.Run(t)
			}
			w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
			w.job.Postgres.BinDir = bin
			w.noBackends(t)
			if m := w.run(t).Manifest; len(m.Streams) != 3 {
				t.Errorf("the next run has %d further streams", len(m.Streams))
			}
		})
	}
}

// A migration that waits for a table when the snapshot has been taken and not every stream has its lock would hold them
// up, and they it.
func TestStreamsBeginAgainWhenSomebodyWaitsForATableInBetween(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamBig)
	w.job.Streams = 4
	var once atomic.Bool
	var migration sync.WaitGroup
	defer migration.Wait()
	// pg_dump begins with its own version, and then waits here for the migration to wait.
	gate := t.TempDir() + "/waits"
	w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": `case "$*" in *--table=*) while ! [ -e ` + gate + ` ]; do sleep 0.05; done;; esac
exec ` + w.pg.BinDir + `/pg_dump "$@"`})
	w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
		if op == s3server.OpCreateMultipart && strings.Contains(path, "rows-03") && once.CompareAndSwap(false, true) {
			migration.Go(func() {
				if err := w.pg.TryExec(w.job.Database, "ALTER TABLE t1 ADD COLUMN later int; ALTER TABLE t2 ADD COLUMN later int; ALTER TABLE t3 ADD COLUMN later int; ALTER TABLE t4 ADD COLUMN later int"); err != nil {
					t.Error(err)
				}
			})
			migration.Go(func() {
				for range 500 {
					if w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = $1)", w.job.Database) > 0 {
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
				if err := os.WriteFile(gate, nil, 0o600); err != nil {
					t.Error(err)
				}
			})
		}
		return nil
	})
	m := w.run(t).Manifest
	if len(m.Streams) != 3 || !strings.Contains(w.log.text(), "the streams begin again") || !strings.Contains(w.log.text(), "which waits for it") {
		t.Errorf("%d further streams", len(m.Streams))
	}
	if w.openUploads(t) != 0 {
		t.Error("uploads of the first try are left")
	}
}

func TestALockedTableEndsSeveralStreamsWithWhoHasIt(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamBig)
	w.job.Streams, w.job.LockWait = 3, 300*time.Millisecond
	held := make(chan error, 1)
	go func() {
		held <- w.pg.TryExec(w.job.Database, "SET application_name = 'migration'; BEGIN; LOCK TABLE t2; SELECT pg_sleep(600)")
	}()
	defer func() {
		_ = w.pg.TryExec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+w.job.Database+"'")
		<-held
	}()
	for w.pg.QueryInt(t, w.job.Database, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 't2'::regclass") == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if err := w.failed(t, t.Context(), fault.Temporary); !strings.Contains(err.Error(), `application "migration"`) {
		t.Error(err)
	}
}

// under writes to the database until it is stopped. Each transaction changes all tables alike and notes in a ledger what
// each has then, so that any state of the database says whether it is one.
func under(ctx context.Context, t *testing.T, w *world, seed uint64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var writers sync.WaitGroup
	each := func(statement string) string {
		var all strings.Builder
		for k := 1; k <= 5; k++ {
			fmt.Fprintf(&all, statement+";", k)
		}
		return all.String()
	}
	for writer := range 2 {
		random := rand.New(rand.NewPCG(seed, uint64(writer)))
		writers.Go(func() {
			for ctx.Err() == nil {
				from, n := random.IntN(1_000_000), random.IntN(400)
				change := each(fmt.Sprintf("INSERT INTO l%%d (i, a) SELECT i, md5(i::text) FROM generate_series(%d, %d) AS i", from, from+n))
				switch random.IntN(8) {
				case 0, 1, 2:
					change = each(fmt.Sprintf("DELETE FROM l%%d WHERE i %% 17 = %d", random.IntN(17)))
					change = strings.ReplaceAll(change, "%!", "%")
				case 3:
					change = each("TRUNCATE l%d") + change
				case 4:
					change = each("ALTER TABLE l%d ALTER COLUMN a TYPE varchar(" + strconv.Itoa(40+random.IntN(400)) + ")")
				}
				// The ledger's lock makes it one transaction after the other.
				_ = w.pg.TryExec(w.job.Database, "BEGIN; SET LOCAL lock_timeout = '300ms'; LOCK TABLE ledger IN EXCLUSIVE MODE;"+change+`
					INSERT INTO ledger (rows, sum) SELECT count(*), coalesce(sum(i), 0) FROM l1; COMMIT`)
			}
		})
	}
	return func() { cancel(); writers.Wait() }
}

func TestADatabaseThatIsWrittenToIsBackedUpInSeveralStreamsAsOneState(t *testing.T) {
	const seeds = 3 // `make chaos` has 20
	w := newWorld(t)
	w.job.Streams = 4
	w.job.LockWait = 3 * time.Second
	var schema strings.Builder
	for k := 1; k <= 5; k++ {
		fmt.Fprintf(&schema, "CREATE TABLE l%d (i bigint, a text); INSERT INTO l%d SELECT i, md5(i::text) FROM generate_series(1, 6000) AS i;", k, k)
	}
	w.pg.Exec(t, w.job.Database, schema.String()+`CREATE TABLE ledger (n serial, rows bigint, sum bigint);
		INSERT INTO ledger (rows, sum) SELECT count(*), sum(i) FROM l1`)
	w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
		if op == s3server.OpUploadPart {
			time.Sleep(20 * time.Millisecond) // so that something happens meanwhile
		}
		return nil
	})
	for seed := range seeds {
		stop := under(t.Context(), t, w, uint64(seed))
		result, err := w.try(t.Context())
		for range 3 {
			if fault.CodeOf(err) == fault.Temporary { // the locks of three tries were not to be had
				result, err = w.try(t.Context())
			}
		}
		stop()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(result.Manifest.Streams) == 0 {
			t.Fatalf("seed %d: one stream", seed)
		}
		to := w.job.Database + "_seed"
		if _, err := restore.Run(t.Context(), w.job, w.env, w.find(t, result.Manifest.ID), restore.Request{To: to}, nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := w.pg.QueryString(t, to, "SELECT rows || ' ' || sum FROM ledger ORDER BY n DESC LIMIT 1")
		for k := 1; k <= 5; k++ {
			if got := w.pg.QueryString(t, to, fmt.Sprintf("SELECT count(*) || ' ' || coalesce(sum(i), 0) FROM l%d", k)); got != want {
				t.Errorf("seed %d: table %d has %s, the ledger of its state %s", seed, k, got, want)
			}
		}
		w.pg.DropDatabase(t, to)
	}
	if n := w.pg.QueryInt(t, w.job.Database, "SELECT max(n) FROM ledger"); n < 10*seeds {
		t.Errorf("only %d transactions", n)
	}
}
