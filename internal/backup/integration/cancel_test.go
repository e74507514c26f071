package integration

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// terminated is what the command line makes of SIGTERM.
var terminated = fault.New(fault.Terminated, "terminated", "", nil)

// moments are the points of a run where something can happen, by the request that is next.
var moments = []struct {
	name string
	op   s3server.Op
	key  string
}{
	{"taking the lease", s3server.OpPutObject, backup.LeaseName},
	{"sweeping", s3server.OpListMultipartUploads, ""},
	{"storing globals", s3server.OpPutObject, backup.GlobalsName},
	{"creating the upload", s3server.OpCreateMultipart, ""},
	{"a part", s3server.OpUploadPart, ""},
	{"completing", s3server.OpCompleteMultipart, ""},
	{"reading back", s3server.OpHeadObject, backup.DumpName},
	{"storing contents", s3server.OpPutObject, backup.ContentsName},
	{"the manifest", s3server.OpPutObject, backup.ManifestName},
}

func TestATerminatedRunLeavesNothingAtAnyMoment(t *testing.T) {
	pg, small := smallDatabase(t)
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			w := newWorldOn(t, pg, small)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			w.atFirst(m.op, m.key, func() *s3server.Fault {
				cancel(terminated)
				return &s3server.Fault{Kind: s3server.Stall}
			})
			w.failed(t, ctx, fault.Terminated)
			if m.key != backup.LeaseName && !w.leaseNow(t).Release {
				t.Error("the lease is still held")
			}
			if !strings.Contains(w.log.text(), "event=backup-cancelled") {
				t.Error("no event tells of the cancellation")
			}
			w.run(t) // and nothing is in its successor's way
		})
	}
}

func TestAnUploadWhoseCreationWasNeverAnsweredGoesWithItsRun(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var group sync.WaitGroup
	w.atFirst(s3server.OpCreateMultipart, "", func() *s3server.Fault {
		group.Go(func() {
			for w.openUploads(t) == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			cancel(terminated)
		})
		return &s3server.Fault{Kind: s3server.StallBody} // done, and never answered
	})
	w.failed(t, ctx, fault.Terminated)
	group.Wait()
}

func TestARunTerminatedInMidCopyLeavesNoBackend(t *testing.T) {
	pg, big := bigDatabase(t)
	w := newWorldOn(t, pg, big)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault { cancel(terminated); return nil })
	w.failed(t, ctx, fault.Terminated)
	w.noBackends(t)
}

func TestATerminatedRunWaitsForNoServer(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.job.Postgres.Host, w.job.ConnectWait = t.TempDir(), time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(terminated) })
	w.failed(t, ctx, fault.Terminated)
}

func TestABackupThatIsCommittedWhenItIsTerminatedIsASuccess(t *testing.T) {
	pg, small := smallDatabase(t)
	manifestPut := func(op s3server.Op, path string) bool {
		return op == s3server.OpPutObject && strings.HasSuffix(path, backup.ManifestName)
	}
	for name, end := range map[string]func(op s3server.Op, path string) bool{
		"the manifest's answer was lost": manifestPut, // and it is put again
		"retention has begun":            func(op s3server.Op, _ string) bool { return op == s3server.OpListObjectsV2 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pg, small)
			w.job.Keep.Days = 1
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var mu sync.Mutex
			committed, ended := false, false
			w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case committed && !ended && end(op, path):
					ended = true
					cancel(terminated)
					return &s3server.Fault{Kind: s3server.Stall}
				case !committed && manifestPut(op, path):
					committed = true
					return &s3server.Fault{Kind: s3server.LoseAnswer}
				}
				return nil
			})
			result, err := w.try(ctx)
			if err != nil || !ended {
				t.Fatalf("terminated %v: %v", ended, err)
			}
			if set := w.find(t, result.Manifest.ID); !set.Good() {
				t.Error(set.Problem)
			}
		})
	}
}

func TestAStallEndsTheRunAndCleansUp(t *testing.T) {
	pg, big := bigDatabase(t)
	stall := &s3server.Fault{Kind: s3server.Stall}
	t.Run("of the store", func(t *testing.T) {
		t.Parallel()
		w := newWorldOn(t, pg, big)
		w.job.StallAfter = time.Second
		// For a part, every attempt: one alone is given up with its connection.
		w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
			if op == s3server.OpUploadPart {
				return stall
			}
			return nil
		})
		err := w.failed(t, t.Context(), fault.Unavailable)
		if !strings.Contains(err.Error(), "no byte moved for 1s in stage dump") || fault.Remedy(err) == "" {
			t.Error(err)
		}
		w.noBackends(t)
	})
	t.Run("of the dump", func(t *testing.T) {
		t.Parallel()
		w := newWorldOn(t, pgOf(t), "small")
		w.job.StallAfter = time.Second
		w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": `if [ "$1" = --version ]; then exec ` + w.pg.BinDir + `/pg_dump --version; fi
exec sleep 600`})
		err := w.failed(t, t.Context(), fault.Unavailable)
		if !strings.Contains(w.log.text(), "event=stall") {
			t.Error(err)
		}
	})
	t.Run("of a verification", func(t *testing.T) {
		t.Parallel()
		w, set := smallSet.world(t)
		w.job.StallAfter = time.Second
		w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: backup.DumpName, Fault: *stall})
		_, err := verify.Whole(t.Context(), w.job, w.env, set, nil)
		wantCode(t, err, fault.Unavailable)
		if len(w.find(t, set.ID).Proofs) != 0 {
			t.Error("a stall was recorded as evidence against the set")
		}
	})
}

func TestRunsLeaveNoGoroutine(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.run(t)
	w.env.Bucket.Close()
	before := goleak.IgnoreCurrent()
	w.run(t)
	w.store.Inject(s3server.Rule{Op: s3server.OpUploadPart, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	if _, err := w.try(t.Context()); err == nil {
		t.Error("the run should fail")
	}
	w.env.Bucket.Close()
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead"),
		goleak.IgnoreAnyFunction("net/http.(*conn).serve")) // the test's own S3 server
}
