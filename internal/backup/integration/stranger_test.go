package integration

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// stranger logs in as a role with no rights but the right to connect, and calls itself what our own
// sessions do.
func stranger(t *testing.T, pg *pgtest.Server, database string) *pgx.Conn {
	t.Helper()
	role := "stranger_" + backup.NewID(time.Now())[17:]
	pg.Exec(t, "postgres", "CREATE ROLE "+role+" LOGIN")
	config, err := pgx.ParseConfig(pg.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.Database, config.User, config.RuntimeParams["application_name"] = database, role, "pgbtui"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(context.WithoutCancel(t.Context()))
		pg.Exec(t, "postgres", "DROP ROLE "+role)
	})
	return conn
}

// holdAs takes the lock of a key as our own sessions do, and all that it shows.
func holdAs(t *testing.T, conn *pgx.Conn, key string) {
	t.Helper()
	ours := pgtest.Shared(t)
	s, err := postgres.Connect(t.Context(), postgres.Target{Host: ours.Host, Port: ours.Port, User: ours.User, Database: conn.Config().Database}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.WithoutCancel(t.Context())) }()
	if lock, _, err := s.TryLock(t.Context(), key); lock == nil || err != nil {
		t.Fatal(err)
	}
	// What a run holds is shown to everybody. A stranger can hold the same once it has ended.
	var locks []struct{ Class, Object, Part uint32 }
	rows, err := conn.Query(t.Context(), "SELECT classid::bigint, objid::bigint, objsubid::bigint FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	if err != nil {
		t.Fatal(err)
	}
	if locks, err = pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Class, Object, Part uint32 }]); err != nil || len(locks) < 2 {
		t.Fatal(locks, err)
	}
	_ = s.Close(t.Context())
	for _, l := range locks {
		sql := "SELECT pg_advisory_lock($1::bigint << 32 | $2::bigint)"
		if l.Part == 2 {
			sql = "SELECT pg_advisory_lock($1::bigint::bit(32)::int, $2::bigint::bit(32)::int)"
		}
		if _, err := conn.Exec(t.Context(), sql, int64(l.Class), int64(l.Object)); err != nil {
			t.Fatal(err)
		}
	}
}

// behindAStranger does something while a stranger holds the advisory lock of the job, on either kind of store.
func behindAStranger(t *testing.T, do func(t *testing.T, w *world, conn *pgx.Conn, lease bool)) {
	for name, lease := range map[string]bool{"with a lease": true, "on a store without conditional writes": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pg.Exec(t, w.job.Database, "CREATE TABLE t (a int)")
			if !lease {
				w.refuseConditions()
			}
			conn := stranger(t, w.pg, w.job.Database)
			holdAs(t, conn, w.job.Instance+"/"+w.job.Database)
			do(t, w, conn, lease)
		})
	}
}

func TestAStrangerWhoHoldsTheAdvisoryLockKeepsNoBackupFromItsWorkAndIsNamed(t *testing.T) {
	behindAStranger(t, func(t *testing.T, w *world, conn *pgx.Conn, lease bool) {
		for range 2 { // the second finds the lease of the first
			result := w.run(t)
			if lease && len(result.Warnings) > 0 {
				t.Errorf("a stranger makes every night end with 3: %q", result.Warnings)
			}
		}
		var pid, role string
		if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid()::text, session_user::text").Scan(&pid, &role); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"pid " + pid, role, "pg_terminate_backend(" + pid + ")"} {
			if !strings.Contains(w.log.text(), part) {
				t.Errorf("the journal lacks %q", part)
			}
		}
	})
}

func TestBehindAStrangersLockRealRunsStillExcludeEachOther(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t (a int)")
	holdAs(t, stranger(t, w.pg, w.job.Database), w.job.Instance+"/"+w.job.Database)
	won, most := w.race(t, 20)
	if won == 0 || most != 1 || len(w.goodSets(t)) != won {
		t.Errorf("%d won, at most %d at once, sets %q", won, most, w.goodSets(t))
	}
}

func TestARunThatBeganBehindAStrangersLockHoldsOffOneThatFindsItFree(t *testing.T) {
	behindAStranger(t, func(t *testing.T, w *world, conn *pgx.Conn, _ bool) {
		var second error
		w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
			if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock_all()"); err != nil {
				t.Error(err)
			}
			_, second = w.try(t.Context())
			return nil
		})
		w.run(t)
		wantCode(t, second, fault.Temporary)
		if !errors.Is(second, lease.ErrHeld) || !strings.Contains(second.Error(), "pid ") {
			t.Error(second)
		}
	})
}

// Behind a stranger's lock a run may have looked for others before another one took its ticket. It finds that
// one's lease, and must not take it for a dead run's.
func TestBehindAStrangersLockNoRunTakesTheLeaseOfALivingOne(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t (a int)")
	holdAs(t, stranger(t, w.pg, w.job.Database), w.job.Instance+"/"+w.job.Database)
	var leased, writing atomic.Bool
	var quicker error
	begun, goOn := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
		switch {
		case op == s3server.OpPutObject && strings.HasSuffix(path, backup.LeaseName) && leased.CompareAndSwap(false, true):
			go func() {
				defer close(done)
				_, quicker = w.try(t.Context())
			}()
			select {
			case <-begun:
			case <-done: // it failed, which is told below
			}
		case op == s3server.OpCreateMultipart && writing.CompareAndSwap(false, true):
			close(begun)
			<-goOn
		}
		return nil
	})
	_, err := w.try(t.Context())
	close(goOn)
	<-done
	wantCode(t, err, fault.Temporary)
	if quicker != nil || !errors.Is(err, lease.ErrHeld) || len(w.goodSets(t)) != 1 {
		t.Errorf("the quicker one: %v, the other: %v", quicker, err)
	}
}

func TestRunsOfTwoRolesExcludeEachOtherByTheLease(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t (a int)")
	w.pg.Exec(t, "postgres", "CREATE ROLE weekly_backup LOGIN; GRANT pg_read_all_data TO weekly_backup; GRANT EXECUTE ON FUNCTION pg_control_system() TO weekly_backup")
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP OWNED BY weekly_backup; DROP ROLE weekly_backup") })
	for _, order := range [][2]string{{"postgres", "weekly_backup"}, {"weekly_backup", "postgres"}} {
		var second error
		w.job.Postgres.User = order[0]
		w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
			job := w.job
			job.Postgres.User = order[1]
			_, second = dump.Run(t.Context(), job, w.env, dump.RunOptions{ID: backup.NewID(time.Now())})
			return nil
		})
		w.run(t)
		wantCode(t, second, fault.Temporary)
		if !errors.Is(second, lease.ErrHeld) {
			t.Error(second)
		}
	}
}

// race starts runs at once, and counts who won and how many wrote at a time.
func (w *world) race(t *testing.T, runs int) (won, most int) {
	t.Helper()
	// Between creating its upload and its manifest a run must be alone.
	var mu sync.Mutex
	inside := 0
	w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case op == s3server.OpCreateMultipart:
			inside++
			most = max(most, inside)
		case op == s3server.OpPutObject && strings.HasSuffix(path, backup.ManifestName):
			inside--
		}
		return nil
	})
	var group sync.WaitGroup
	errs := make([]error, runs)
	for i := range errs {
		group.Go(func() {
			mine := w.env
			mine.Host = []string{"host-a", "host-b"}[i%2]
			_, errs[i] = dump.Run(t.Context(), w.job, mine, dump.RunOptions{ID: backup.NewID(time.Now())})
		})
	}
	group.Wait()
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, lease.ErrHeld) || fault.CodeOf(err) != fault.Temporary:
			t.Errorf("a loser ended with %d: %v", fault.CodeOf(err), err)
		}
	}
	return won, most
}

func TestABackupThroughAPoolerThatSharesSessionsEndsBeforeAnythingIsStored(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	pooler := pg.Pooler(t, "transaction")
	w.job.Postgres.Host, w.job.Postgres.Port = pooler.Host, pooler.Port
	err := w.failed(t, t.Context(), fault.Config)
	if !strings.Contains(err.Error(), "pooler") || len(w.keys(t)) > 0 {
		t.Errorf("%v, left %q", err, w.keys(t))
	}
	pooler = pg.Pooler(t, "session")
	w.job.Postgres.Host, w.job.Postgres.Port = pooler.Host, pooler.Port
	w.run(t)
}
