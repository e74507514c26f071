package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Parallel sessions that read their tables from the store.

// amidRows does something when a dump is asked for again: then its head was read, and the database is there.
func (w *world) amidRows(do func() *s3server.Fault) {
	var asked atomic.Int64
	w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.Contains(path, backup.DumpName) && asked.Add(1) > 1 {
			return do()
		}
		return nil
	})
}

func TestParallelSessionsThatLoseTheStoreOrAreEndedNameTheUnfinishedDatabase(t *testing.T) {
	w, set := bigSet.world(t)
	for name, c := range map[string]struct {
		fault *s3server.Fault
		ends  error // the run is ended, if it is
		want  fault.Code
	}{
		"the store refuses": {&s3server.Fault{Kind: s3server.Answer, Status: 403, Code: "AccessDenied"}, nil, fault.NotPermitted},
		"the store is gone": {&s3server.Fault{Kind: s3server.Reset}, nil, fault.Unavailable},
		"it is stopped":     {&s3server.Fault{Kind: s3server.StallBody, After: 10_000}, terminated, fault.Terminated},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			w.amidRows(func() *s3server.Fault {
				if c.ends != nil {
					cancel(c.ends)
				}
				return c.fault
			})
			to := w.job.Instance + "_unfinished"
			_, err := restore.Run(ctx, w.job, w.env, set, restore.Request{To: to, Jobs: 3}, nil)
			wantCode(t, err, c.want)
			if !w.exists(t, to) || !strings.Contains(err.Error(), to) || !strings.Contains(fault.Remedy(err), "dropdb") {
				t.Errorf("database left: %v; %v; %s", w.exists(t, to), err, fault.Remedy(err))
			}
			w.noBackendsIn(t, to)
			w.noSpool(t)
			w.pg.DropDatabase(t, to)
		})
	}
}

// The spool has no room for the dump, nor for a tenth of it.
func TestParallelSessionsNeedNoDiskAndRefuseRowsThatWereChanged(t *testing.T) {
	w, set := bigSet.world(t)
	w.job.SpoolDir = t.TempDir()
	var largest atomic.Int64
	w.amidRows(func() *s3server.Fault {
		files, _ := filepath.Glob(filepath.Join(w.job.SpoolDir, "*", "*"))
		for _, file := range files {
			if info, err := os.Stat(file); err == nil {
				largest.Store(max(largest.Load(), info.Size()))
			}
		}
		return nil
	})
	to := w.job.Instance + "_copy"
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 2}, nil)
	if err != nil || !restored.Compared {
		t.Fatalf("%+v, %v", restored, err)
	}
	if n := largest.Load(); n == 0 || n > set.Manifest.Dump.RawBytes/10 {
		t.Errorf("a file of %d bytes for a dump of %d", n, set.Manifest.Dump.RawBytes)
	}
	w.pg.DropDatabase(t, to)

	w.change(t, set.Dir+set.DumpKey(), flip(int(set.Manifest.Dump.SizeBytes*3/4)))
	_, err = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 2}, nil)
	wantCode(t, err, fault.Integrity)
	if !w.exists(t, to) || !strings.Contains(err.Error(), to) {
		t.Errorf("database left: %v; %v", w.exists(t, to), err)
	}
	w.pg.DropDatabase(t, to)
	w.noSpool(t)
}

func TestTheNumberOfSessionsIsToldInThePlan(t *testing.T) {
	w, set := smallSet.world(t)
	for jobs, want := range map[int]string{0: "one: for", 1: "one, as asked for", 3: "3, as asked for", 5000: "more now"} {
		c := w.check(t, set, restore.Request{To: w.job.Instance + "_copy", Jobs: jobs}, "sessions")
		if !c.OK || c.Warn != (jobs == 5000) || !strings.Contains(c.Detail, want) {
			t.Errorf("%d: %+v", jobs, c)
		}
	}
}

func TestADrillInSeveralSessionsComparesEqualAndLeavesNothing(t *testing.T) {
	w, set := bigSet.world(t)
	w.env.Disks = func(string) (room.Disk, error) { return room.Disk{Free: 1 << 40, Size: 1 << 40}, nil }
	dir := drillFolder(t)
	drilled, err := restore.Drill(t.Context(), w.job, w.env, set,
		restore.DrillRequest{Dir: dir, SocketDir: dir, Unconfined: true, Jobs: 2}, nil)
	if err != nil || !drilled.Proof.OK || drilled.Proof.Level != backup.LevelRestored.String() {
		t.Fatalf("%+v, %v", drilled, err)
	}
	if !strings.Contains(w.log.text(), "2 parallel sessions") {
		t.Error("nothing says how many sessions there were")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
