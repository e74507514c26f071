package integration

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// start runs a backup in a process of its own.
func (w *world) startChild(t *testing.T) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	return w.startOrder(t, childOrder{})
}

// startOrder is startChild with another order.
func (w *world) startOrder(t *testing.T, o childOrder) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	o.Job, o.Store = w.job, w.options(t, w.store.AccessKey, w.store.SecretKey)
	order, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "BACKUP_TEST_CHILD="+string(order))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// killedAt runs a child that is killed when its first request of op comes in, or, without an op,
// when it has said its first word.
func (w *world) killedAt(t *testing.T, op s3server.Op, key string) {
	t.Helper()
	reached := make(chan struct{})
	w.atFirst(op, key, func() *s3server.Fault {
		close(reached)
		return &s3server.Fault{Kind: s3server.Stall}
	})
	cmd, lines := w.startChild(t)
	ended := make(chan struct{})
	spoke := make(chan struct{})
	go func() {
		defer close(ended)
		for first := true; lines.Scan(); first = false {
			if first {
				close(spoke)
			}
		}
	}()
	if op == "" {
		reached = spoke
	}
	select {
	case <-reached:
	case <-ended:
		t.Error("the child ended before it was killed")
	}
	_ = cmd.Process.Kill()
	<-ended
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	w.noBackends(t) // its pg_dump died with it, and its lock with its session
}

func TestARunAfterAKilledOneSucceedsAloneAndClearsUp(t *testing.T) {
	_, big := bigDatabase(t)
	for _, m := range append([]struct {
		name string
		op   s3server.Op
		key  string
	}{{name: "at its start"}, {"after a part", s3server.OpUploadPart, ""}}, moments...) {
		t.Run(m.name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			if m.name == "after a part" {
				w.job.Database = big
			}
			w.killedAt(t, m.op, m.key)
			if n := len(w.goodSets(t)); n != 0 {
				t.Fatalf("a killed run made %d sets", n)
			}
			w.env.Host = "testhost" // the same host and source: no waiting for the lease
			result := w.run(t)
			if n := w.openUploads(t); n != 0 {
				t.Errorf("%d uploads are open", n)
			}
			if err := w.removeOld(t, 25*time.Hour); err != nil {
				t.Fatal(err)
			}
			sets := w.sets(t)
			if len(sets) != 1 || sets[0].ID != result.Manifest.ID {
				t.Errorf("sets: %q", w.keys(t))
			}
		})
	}
}

// removeOld applies retention as of later.
func (w *world) removeOld(t *testing.T, later time.Duration) error {
	t.Helper()
	env, keep := w.env, w.job.Keep
	defer func() { w.env, w.job.Keep = env, keep; w.storeAhead.Store(0) }()
	w.pass(later)
	w.job.Keep.Days = 30
	_, err := w.prune(t)
	return err
}

func TestTheLeaseOfARunKilledOnAnotherHostEndsWithItsTerm(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.killedAt(t, s3server.OpCreateMultipart, "")
	w.env.Host = "anotherhost"
	_, err := w.try(t.Context())
	wantCode(t, err, fault.Temporary)
	if !strings.Contains(err.Error(), "on host testhost") {
		t.Error(err)
	}
	w.storeAhead.Store(int64(lease.Term + time.Second))
	w.run(t)
}

func TestObjectsOfARunThatGoesOnAreNoLitterHoweverOldTheyAre(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	var pruned error
	w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		pruned = w.removeOld(t, 50*time.Hour)
		return nil
	})
	result := w.run(t)
	if pruned != nil {
		t.Fatal(pruned)
	}
	if set := w.find(t, result.Manifest.ID); !set.Good() {
		t.Error(set.Problem)
	}
}

func TestAnObjectThatVanishesDuringTheRunIsNoticedBeforeTheCommit(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		for _, key := range w.keys(t) {
			_, _ = w.env.Bucket.Delete(t.Context(), []string{key})
		}
		return nil
	})
	err := w.failed(t, t.Context(), fault.Failed)
	if !strings.Contains(err.Error(), backup.GlobalsName+" is missing") {
		t.Error(err)
	}
}
