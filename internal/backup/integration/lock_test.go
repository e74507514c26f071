package integration

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestOfTwentyRacingRunsNoTwoWriteAtOnce(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	won, most := w.race(t, 20)
	if won == 0 || most != 1 || len(w.goodSets(t)) != won {
		t.Errorf("%d won, at most %d at once, sets %q", won, most, w.goodSets(t))
	}
	w.noLitter(t, w.keys(t))
}

func TestTwoServersNeverWriteOneFolderAtOnce(t *testing.T) {
	pg, small := smallDatabase(t)
	other := pgtest.Start(t)
	other.Exec(t, "postgres", "CREATE DATABASE "+small)
	w := newWorldOn(t, pg, small)
	var second error
	w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		job, env := w.job, w.env
		job.Postgres.Host, job.Postgres.Port = other.Host, other.Port
		env.Host = "otherhost"
		_, second = dump.Run(t.Context(), job, env, dump.RunOptions{ID: backup.NewID(time.Now())})
		return nil
	})
	w.run(t)
	wantCode(t, second, fault.Temporary)
	if !errors.Is(second, lease.ErrHeld) {
		t.Error(second)
	}
}

func TestAHolderPausedBeyondItsLeaseDoesNotCommit(t *testing.T) {
	pg, small := smallDatabase(t)
	other := pgtest.Start(t)
	other.Exec(t, "postgres", "CREATE DATABASE "+small)
	w := newWorldOn(t, pg, small)
	// While the first waits at its last part, one on another host and server finds the lease
	// expired, and is done before the first goes on.
	var second *dump.Result
	w.atFirst(s3server.OpCompleteMultipart, "", func() *s3server.Fault {
		job, env := w.job, w.env
		job.Postgres.Host, job.Postgres.Port = other.Host, other.Port
		env.Host = "otherhost"
		w.storeAhead.Store(int64(2 * lease.Term))
		var err error
		if second, err = dump.Run(t.Context(), job, env, dump.RunOptions{ID: backup.NewID(time.Now())}); err != nil {
			t.Error(err)
		}
		return nil
	})
	_, err := w.try(t.Context())
	// Its upload was swept by the second, or it noticed that it lost the lease: never a success.
	if err == nil {
		t.Fatal("a run that had lost its lease committed")
	}
	if good := w.goodSets(t); len(good) != 1 || second == nil || good[0] != second.Manifest.ID {
		t.Errorf("good sets %q", good)
	}
	if w.leaseNow(t).Run != second.Manifest.ID {
		t.Error("the loser took the lease back")
	}
}

func TestALeaseEndsByTheStoresClockAndNotByThisHosts(t *testing.T) {
	for name, off := range map[string]time.Duration{"store behind": -10 * time.Minute, "store ahead": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small", s3server.With(func(o *s3server.Options) { o.Habits.ClockOff = off }))
			w.take(t, "run1", "a")
			if _, err := lease.Take(t.Context(), w.testLease("run2", "b")); !errors.Is(err, lease.ErrHeld) {
				t.Errorf("a living holder's lease was taken: %v", err)
			}
			w.storeAhead.Store(int64(off + lease.Term + 2*time.Second))
			w.take(t, "run3", "c")
		})
	}
	t.Run("a store that does not tell this role its time", func(t *testing.T) {
		w := newWorldOn(t, pgOf(t), "small")
		denied := s3server.Fault{Kind: s3server.Answer, Status: http.StatusForbidden, Code: "AccessDenied"}
		w.store.Inject(s3server.Rule{Op: s3server.OpHeadBucket, Fault: denied})
		w.take(t, "run1", "a")
		if _, err := lease.Take(t.Context(), w.testLease("run2", "b")); !errors.Is(err, lease.ErrHeld) {
			t.Errorf("a living holder's lease was taken: %v", err)
		}
		w.env.Now = func() time.Time { return time.Now().Add(lease.Term + time.Second) }
		w.take(t, "run3", "c")
	})
}

// testLease is a lease of the world's job, before it is taken.
func (w *world) testLease(run, host string) *lease.Lease {
	alone := func(context.Context) (bool, error) { return true, nil }
	mine := lease.Record{Run: run, Host: host, Source: printable.Name("server-" + host)}
	return &lease.Lease{
		Bucket: w.env.Bucket, Key: backup.LeaseKey(w.job), Now: w.env.Now, Term: lease.Term, Alone: alone, Mine: mine,
	}
}

func (w *world) take(t *testing.T, run, host string) *lease.Lease {
	t.Helper()
	l, err := lease.Take(t.Context(), w.testLease(run, host))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestALeaseIsHeldByOneAndKnowsWhenItIsLost(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	first := w.take(t, "run1", "a")
	if err := first.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := lease.Take(t.Context(), w.testLease("run2", "b")); !errors.Is(err, lease.ErrHeld) {
		t.Errorf("a second holder: %v", err)
	}
	again := w.take(t, "run3", "a") // same host and source: the first is dead, its advisory lock is ours
	for range 2 {
		if err := first.Hold(t.Context()); !errors.Is(err, lease.ErrHeld) || fault.CodeOf(err) != fault.Temporary {
			t.Errorf("the first still holds: %v", err)
		}
	}
	if err := first.Release(t.Context()); err != nil || w.leaseNow(t).Run != "run3" {
		t.Errorf("a lost lease was released over its new holder: %v", err)
	}
	if err := again.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.take(t, "run4", "b") // at once: it was given up
}

func TestARenewalWhoseAnswerWasLostIsNotTakenForAnotherHolder(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	l := w.take(t, "run1", "a")
	w.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{Kind: s3server.LoseAnswer}})
	w.store.Inject(s3server.Rule{Op: s3server.OpHeadObject, Fault: s3server.Fault{Kind: s3server.Reset}})
	if err := l.Hold(t.Context()); err == nil || errors.Is(err, lease.ErrHeld) {
		t.Errorf("unknown is neither held nor lost: %v", err)
	}
	w.store.ClearFaults()
	if err := l.Hold(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.Release(t.Context()); err != nil || !w.leaseNow(t).Release {
		t.Error(err)
	}
}

func TestAPutThatAProxyRepeatsIsOursAndNobodyElseIsBlamed(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	repeat := s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{Kind: s3server.Repeat}}
	w.store.Inject(repeat)
	for _, run := range []string{"run1", "run2", "run3"} { // of different hosts: each takes what the one before gave up
		l := w.take(t, run, run)
		if err := l.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := w.leaseNow(t); now.Run != run || !now.Release {
			t.Errorf("the lease is %+v", now)
		}
	}
}

func TestALeaseThatChangesHandsMeanwhileIsLookedAtAgain(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	if err := w.take(t, "run1", "a").Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	// While the third takes what run1 gave up, run2 takes it, and is done before it is looked for.
	w.onRequest(between(s3server.OpPutObject, 2, func() {
		if err := w.take(t, "run2", "b").Release(t.Context()); err != nil {
			t.Error(err)
		}
	}))
	w.take(t, "run3", "c")
	// And one that stays is named, not the one before it.
	other := newWorldOn(t, pgOf(t), "small")
	if err := other.take(t, "run1", "a").Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.onRequest(between(s3server.OpPutObject, 2, func() { other.take(t, "run2", "b") }))
	_, err := lease.Take(t.Context(), other.testLease("run3", "c"))
	if !errors.Is(err, lease.ErrHeld) || !strings.Contains(err.Error(), "run2") {
		t.Errorf("run2 holds it: %v", err)
	}
}

// between does something right before the n-th request of an operation is served.
func between(op s3server.Op, n int64, do func()) hook {
	var seen atomic.Int64
	return func(got s3server.Op, _ string) *s3server.Fault {
		if got == op && seen.Add(1) == n {
			do()
		}
		return nil
	}
}

func TestAnUnreadableOrAncientLeaseBlocksNobody(t *testing.T) {
	pg, small := smallDatabase(t)
	for name, body := range map[string]string{
		"no JSON": "{", "empty": "", "too large": strings.Repeat(" ", backup.MaxLease+2), "other types": `{"until": 7}`,
		"released": `{"run":"x","host":"h","until":"2999-01-01T00:00:00Z","released":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pg, small)
			w.put(t, backup.LeaseKey(w.job), []byte(body))
			w.run(t)
		})
	}
	t.Run("archived", func(t *testing.T) {
		w := newWorldOn(t, pg, small)
		if _, err := w.env.Bucket.Put(t.Context(), backup.LeaseKey(w.job), []byte("{}"), s3.PutOptions{Class: "GLACIER"}); err != nil {
			t.Fatal(err)
		}
		w.run(t)
	})
	t.Run("written by a clock ten years ahead", func(t *testing.T) {
		w := newWorldOn(t, pg, small)
		w.put(t, backup.LeaseKey(w.job), []byte(`{"run":"x","host":"h","source":"s","until":"2999-01-01T00:00:00Z"}`))
		_, err := w.try(t.Context())
		wantCode(t, err, fault.Temporary)
		w.pass(lease.Term + time.Second)
		w.run(t)
	})
}

func TestWithoutLeasesOnlyOldUploadsAreTakenForDeadOnes(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.refuseConditions()
	folder := backup.Folder("postgresql", w.job.Instance, small)
	if _, err := w.env.Bucket.Upload(t.Context(), folder+backup.NewID(time.Now())+"/"+backup.DumpName, s3.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	if n := w.openUploads(t); n != 1 {
		t.Errorf("%d uploads are open: another host's may be alive", n)
	}
	w.env.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	w.run(t)
	if n := w.openUploads(t); n != 0 {
		t.Errorf("%d uploads are open after a day", n)
	}
}

func TestARunNeverWritesIntoASetThatExists(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	id := w.run(t).Manifest.ID
	_, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: id})
	wantCode(t, err, fault.Refused)
	for _, id := range []string{"", "../x", "20261122T020000Z-1A2B3C"} {
		_, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: id})
		wantCode(t, err, fault.Failed)
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, w.find(t, id), nil); err != nil {
		t.Error(err)
	}
}
