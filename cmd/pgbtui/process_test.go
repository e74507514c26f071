package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// process is the program under way. Its output may be read at any time.
type process struct {
	cmd      *exec.Cmd
	out, err lockedBuffer
	done     chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *world) start(t testing.TB, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "pgbtui", args...)
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.Env = w.env()
	cmd.Dir = w.dir
	cmd.Stdout = &p.out
	cmd.Stderr = &p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the status is asked for in code
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // ended already, in most tests
		<-p.done
		if t.Failed() {
			t.Logf("pgbtui %q\nstdout: %s\nstderr: %s", args, p.out.String(), p.err.String())
		}
	})
	return p
}

// code waits for the end, at most as long as a run may take to end after a signal.
func (p *process) code(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("still running after 30 s: %s", p.err.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (w *world) run(t testing.TB, want int, args ...string) *process {
	t.Helper()
	p := w.start(t, args...)
	if got := p.code(t); got != want {
		t.Fatalf("pgbtui %q: exit %d, want %d", args, got, want)
	}
	return p
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// moments are the points of a run at which a test can hold it, without any timing.
var moments = map[string]struct {
	hold    func(testing.TB, *world)
	reached func(testing.TB, *world) bool
}{
	"waiting for a table's lock": {
		func(t testing.TB, w *world) { w.holdLock(t) },
		func(t testing.TB, w *world) bool {
			return w.pg.QueryInt(t, "postgres",
				"SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'", w.db) > 0
		},
	},
	"with a part on its way": {
		func(_ testing.TB, w *world) {
			w.ours.Inject(s3server.Rule{Op: s3server.OpUploadPart, Fault: s3server.Fault{Kind: s3server.Stall}})
		},
		func(_ testing.TB, w *world) bool { return len(w.ours.Requests(s3server.OpUploadPart)) > 0 },
	},
	"before the manifest is answered": {
		func(_ testing.TB, w *world) {
			w.ours.Inject(s3server.Rule{
				Op: s3server.OpPutObject, Key: "manifest.json", Fault: s3server.Fault{Kind: s3server.Stall},
			})
		},
		func(_ testing.TB, w *world) bool {
			for _, r := range w.ours.Requests(s3server.OpPutObject) {
				if strings.HasSuffix(r.Key, "manifest.json") {
					return true
				}
			}
			return false
		},
	},
}

// holdLock keeps pg_dump from reading a table until the end of the test or free is called.
func (w *world) holdLock(t testing.TB) (free func()) {
	t.Helper()
	cmd := exec.Command("psql", "-XAtqd", "")
	cmd.Env = w.pg.Env(w.db)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE;\n")); err != nil {
		t.Fatal(err)
	}
	free = sync.OnceFunc(func() { _ = in.Close(); _ = cmd.Wait() })
	t.Cleanup(free)
	eventually(t, "the lock is held", func() bool {
		return w.pg.QueryInt(t, w.db, "SELECT count(*) FROM pg_locks "+
			"WHERE mode = 'AccessExclusiveLock' AND relation = 'customers'::regclass") > 0
	})
	return free
}

func TestASignalledRunEndsWithItsCodeAndLeavesNothing(t *testing.T) {
	for name, moment := range moments {
		for signal, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
			t.Run(signal.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.pg.Exec(t, w.db, sample)
				moment.hold(t, w)
				p := w.start(t, "--headless")
				eventually(t, name, func() bool { return moment.reached(t, w) })
				if err := p.cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				if got := p.code(t); got != want {
					t.Errorf("exit %d, want %d", got, want)
				}
				if said := p.err.String(); !strings.Contains(said, "stopped by "+signal.String()) {
					t.Errorf("it does not say why it ended: %s", said)
				}
				w.ours.ClearFaults()
				w.nothingLeft(t)
			})
		}
	}
}

// nothingLeft asserts that a run without success is over: no object but the lease, which is given
// up, no unfinished upload, no session.
func (w *world) nothingLeft(t testing.TB) {
	t.Helper()
	s := w.store(t)
	keys, err := s.keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if filepath.Base(key) != "lease.json" {
			t.Errorf("left: %s", key)
			continue
		}
		if body, err := s.get(key); err != nil || !strings.Contains(string(body), `"released":true`) {
			t.Errorf("the lease is not given up: %s, %v", body, err)
		}
	}
	if n, err := s.uploads(); n != 0 || err != nil {
		t.Errorf("%d unfinished uploads, %v", n, err)
	}
	eventually(t, "no session is left", func() bool {
		return w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_stat_activity "+
			"WHERE datname = $1 AND application_name IN ('pgbtui', 'pg_dump')", w.db) == 0
	})
}

func TestAKilledRunIsNoBackupAndTheNextOneNeedsNobody(t *testing.T) {
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.pg.Exec(t, w.db, sample)
			moment.hold(t, w)
			p := w.start(t, "--headless")
			eventually(t, name, func() bool { return moment.reached(t, w) })
			if err := p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-p.done
			w.ours.ClearFaults()
			w.run(t, 3, "status") // the killed one is not taken for a backup
			w.pg.Exec(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "+
				"WHERE datname = '"+w.db+"' AND pid <> pg_backend_pid()")
			w.run(t, 0, "--headless")
			w.run(t, 0, "verify", "latest")
			if n, err := w.store(t).uploads(); n != 0 || err != nil {
				t.Errorf("%d unfinished uploads after the next run, %v", n, err)
			}
		})
	}
}

func TestOfTwoRunsAtOnceOneGivesWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pg.Exec(t, w.db, sample)
	free := w.holdLock(t)
	first := w.start(t, "--headless")
	eventually(t, "the first run waits", func() bool { return moments["waiting for a table's lock"].reached(t, w) })
	second := w.run(t, 75, "--headless")
	said := second.err.String()
	if !strings.Contains(said, "another run is backing up") || !strings.Contains(said, "remedy=") {
		t.Errorf("the second says %s", said)
	}
	free()
	if got := first.code(t); got != 0 {
		t.Errorf("the first exits with %d", got)
	}
}

func TestASignalledRestoreNamesWhatIsUnfinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pg.Exec(t, w.db, sample)
	w.run(t, 0, "--headless")
	to := w.db + "_copy"
	w.ours.Inject(s3server.Rule{
		Op: s3server.OpGetObject, Key: "dump.pgc", Fault: s3server.Fault{Kind: s3server.StallBody, After: 100},
	})
	p := w.start(t, "restore", "latest", "--to", to)
	eventually(t, "the copy is there", func() bool {
		return w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = $1", to) == 1
	})
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if got := p.code(t); got != 143 {
		t.Errorf("exit %d", got)
	}
	if said := p.err.String(); !strings.Contains(said, "unfinished database \""+to+"\"") {
		t.Errorf("it does not name the copy: %s", said)
	}
}

func TestARunThatIsStoppedTwiceEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pg.Exec(t, w.db, sample)
	moments["with a part on its way"].hold(t, w)
	w.ours.Inject(s3server.Rule{Op: s3server.OpAbortMultipart, Fault: s3server.Fault{Kind: s3server.Stall}})
	p := w.start(t, "--headless")
	eventually(t, "a part is on its way", func() bool { return moments["with a part on its way"].reached(t, w) })
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	eventually(t, "it tidies up", func() bool { return len(w.ours.Requests(s3server.OpAbortMultipart)) > 0 })
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.done
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("ended by %v, not by the second signal", p.cmd.ProcessState)
	}
}
