package integration

import (
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/proc"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What is killed, or stops for good, in the middle of several streams or of parallel sessions. Nothing half-done is
// listed, and the next run needs nobody.

// nextInStreams makes the next set, after which nothing is left of the run before.
func (w *world) nextInStreams(t *testing.T) {
	t.Helper()
	if n := len(w.goodSets(t)); n != 0 {
		t.Fatalf("there are %d sets already", n)
	}
	m := w.run(t).Manifest
	if len(m.Streams) != 3 {
		t.Errorf("the next run has %d further streams", len(m.Streams))
	}
	if n := w.openUploads(t); n != 0 {
		t.Errorf("%d uploads are open", n)
	}
	if err := w.removeOld(t, 25*time.Hour); err != nil {
		t.Fatal(err)
	}
	if sets := w.sets(t); len(sets) != 1 || sets[0].ID != m.ID {
		t.Errorf("sets: %q", w.keys(t))
	}
}

func TestARunOfSeveralStreamsThatIsKilledLeavesNothingListedAndTheNextOneSucceeds(t *testing.T) {
	pg := pgtest.Shared(t)
	database := pg.CreateDatabase(t)
	pg.Exec(t, database, streamBig)
	for _, at := range []struct {
		name string
		op   s3server.Op
		key  string
	}{
		{"when one stream has an upload and the next asks for one", s3server.OpCreateMultipart, "rows-01"},
		{"amid the rows", s3server.OpUploadPart, "rows-02"},
		{"when one stream is an object and the next is not", s3server.OpCompleteMultipart, "rows-01"},
		{"when all are", s3server.OpPutObject, backup.ContentsName},
	} {
		t.Run(at.name, func(t *testing.T) {
			w := newWorldOn(t, pg, database)
			w.job.Streams = 4
			w.killedAt(t, at.op, at.key)
			w.nextInStreams(t)
		})
	}
}

func TestAProgramOfOneStreamThatIsKilledEndsTheRun(t *testing.T) {
	pg := pgtest.Shared(t)
	database := pg.CreateDatabase(t)
	pg.Exec(t, database, streamBig)
	for name, its := range map[string]string{"the lead's": "--exclude-table-data=", "another's": "--data-only"} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pg, database)
			w.job.Streams = 4
			w.inMidCopy(func() {
				for _, pid := range proc.Children(os.Getpid()) {
					argv := proc.Strings(pid, "cmdline")
					if slices.ContainsFunc(argv, func(arg string) bool { return strings.HasPrefix(arg, its) }) {
						_ = syscall.Kill(pid, syscall.SIGKILL)
						break
					}
				}
			})
			if err := w.failed(t, t.Context(), fault.Failed); err != nil && !strings.Contains(err.Error(), "killed") {
				t.Error(err)
			}
			w.noBackends(t)
			w.nextInStreams(t)
		})
	}
}

func TestAStoreThatIsGoneUnderSeveralStreamsEndsTheRun(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamBig)
	w.job.Streams = 4
	var gone sync.Once
	w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
		if op == s3server.OpUploadPart {
			gone.Do(func() {
				w.onRequest(func(s3server.Op, string) *s3server.Fault { return &s3server.Fault{Kind: s3server.Reset} })
			})
			return &s3server.Fault{Kind: s3server.Reset}
		}
		return nil
	})
	_, err := w.try(t.Context())
	wantCode(t, err, fault.Unavailable)
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	w.noBackends(t)
	w.nextInStreams(t)
}

func TestAServerThatStopsAmidParallelRowsLeavesTheNamedDatabaseAndTheNextRestoreSucceeds(t *testing.T) {
	w, set := bigSet.world(t)
	own := pgtest.Start(t)
	w.pg = own
	w.job.Postgres.Host = own.Host
	w.job.Postgres.Port = own.Port
	w.job.Postgres.User = own.User
	var once sync.Once
	var stopped sync.WaitGroup
	stopped.Add(1)
	w.amidRows(func() *s3server.Fault {
		once.Do(func() { defer stopped.Done(); own.Stop(t) })
		return nil
	})
	to := w.job.Instance + "_unfinished"
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 3}, nil)
	wantCode(t, err, fault.Unavailable)
	if err != nil && (!strings.Contains(err.Error(), to) || !strings.Contains(fault.Remedy(err), "dropdb")) {
		t.Errorf("%v; %s", err, fault.Remedy(err))
	}
	stopped.Wait()
	own.Run(t)
	w.noSpool(t)
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	if !w.exists(t, to) {
		t.Error("the unfinished database is gone")
	}
	_, err = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 3}, nil)
	wantCode(t, err, fault.Refused)
	w.pg.DropDatabase(t, to)
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 3}, nil)
	if err != nil || !restored.Compared {
		t.Errorf("the next restore: %+v, %v", restored, err)
	}
}
