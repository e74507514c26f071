package scratch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// TestMain lets the test binary be an owner that is killed while its server runs.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SCRATCH_TEST_OWNER"); dir != "" {
		os.Exit(own(dir))
	}
	if dir := os.Getenv("SCRATCH_TEST_UNIT"); dir != "" {
		os.Exit(serveOnce(dir))
	}
	os.Exit(m.Run())
}

// own starts a server, keeps it busy where it does not look around, says so and waits.
func own(dir string) int {
	ctx := context.Background()
	tools, err := postgres.FindServer(ctx, "", 0)
	if err != nil {
		return 1
	}
	s, err := Start(ctx, Options{Tools: tools, Dir: dir, SocketDir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	session, err := postgres.Connect(ctx, s.Target("postgres"), 0)
	if err != nil {
		return 1
	}
	go func() { _, _ = session.Ask(ctx, "SELECT count(*) FROM generate_series(1, 10000000000)", time.Hour) }()
	fmt.Println("ready")
	select {}
}

func options(t *testing.T) Options {
	t.Helper()
	tools, err := postgres.FindServer(t.Context(), "", 0)
	if err != nil {
		need.Program(t, "initdb")
	}
	return Options{Tools: tools, Dir: openFolder(t), SocketDir: openFolder(t)}
}

// openFolder is a short folder that the server's user may pass.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "scratchtest") //nolint:usetesting // a socket's path is short
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func empty(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left in %s: %v", dir, left)
		}
		if pids := standingIn(dir); len(pids) > 0 {
			t.Errorf("processes left: %v", pids)
		}
	}
}

func (s *Server) ask(t *testing.T, sql string) string {
	t.Helper()
	session, err := postgres.Connect(t.Context(), s.Target("postgres"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(t.Context())
	answer, err := session.Ask(t.Context(), sql, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAPrivateServerIsReachedByItsSocketOnlyKnowsNoSecretAndLeavesNothing(t *testing.T) {
	o := options(t)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	t.Setenv("NOTIFY_SOCKET", "/run/canary")
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for setting, want := range map[string]string{"listen_addresses": "", "fsync": "off", "jit": "off", "dynamic_shared_memory_type": "mmap"} {
		if got := s.ask(t, "SHOW "+setting); got != want {
			t.Errorf("%s is %q", setting, got)
		}
	}
	info, err := os.Stat(s.Host)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder: %v, %v", info.Mode(), err)
	}
	pids := standingIn(s.data.Path)
	if len(pids) == 0 {
		t.Error("no process is found where the server runs")
	}
	for _, pid := range pids {
		environment, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if strings.Contains(string(environment), "canary") {
			t.Error("a secret reached the server")
		}
	}
	if s.Err() != nil {
		t.Error(s.Err())
	}
	s.Close()
	empty(t, o.Dir, o.SocketDir)
}

func TestAServerWhoseOwnerIsKilledEndsAndTheNextOneClearsUp(t *testing.T) {
	o := options(t)
	o.SocketDir = o.Dir
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), "SCRATCH_TEST_OWNER="+o.Dir)
	out, err := owner.StdoutPipe()
	if err == nil {
		err = owner.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	left, _ := filepath.Glob(o.Dir + "/" + prefix + "*")
	if len(left) != 2 {
		t.Fatalf("folders: %q", left)
	}
	_ = owner.Process.Kill()
	_ = owner.Wait()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	now, _ := filepath.Glob(o.Dir + "/" + prefix + "*")
	for _, dir := range left {
		if slices.Contains(now, dir) || len(standingIn(dir)) > 0 {
			t.Errorf("%s is left", dir)
		}
	}
	s.Close()
	empty(t, o.Dir)
}

func TestAServerThatDiesSaysSoAndIsClearedAway(t *testing.T) {
	o := options(t)
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, pid := range standingIn(s.data.Path) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.process.Ended()
	if err := s.Err(); fault.CodeOf(err) != fault.Failed || !strings.Contains(fault.Remedy(err), "out-of-memory") {
		t.Errorf("%v, remedy %q", err, fault.Remedy(err))
	}
	s.Close()
	empty(t, o.Dir, o.SocketDir)
}

func TestACancelledStartLeavesNothing(t *testing.T) {
	o := options(t)
	stopped := fault.New(fault.Terminated, "stopped", "", nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	if _, err := Start(ctx, o); !errors.Is(err, stopped) {
		t.Error(err)
	}
	empty(t, o.Dir, o.SocketDir)
}

func TestAFolderThatMayNotBeWrittenIsTold(t *testing.T) {
	o := options(t)
	o.Dir = filepath.Join(o.Dir, "missing")
	if _, err := Start(t.Context(), o); err == nil {
		t.Error("started")
	}
	empty(t, o.SocketDir)
}

func TestRootsServerRunsAsSomebodyWhoOwnsNothingAndReachesNoNetwork(t *testing.T) {
	need.Root(t)
	s, err := Start(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pids := standingIn(s.data.Path)
	if len(pids) == 0 {
		t.Fatal("no process is found where the server runs")
	}
	ours, _ := os.Readlink("/proc/self/ns/net")
	for _, pid := range pids {
		status, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
		if err != nil {
			continue // ended meanwhile
		}
		for _, name := range []string{"root", "postgres", "pgbtui"} {
			if c, err := credential(name); err == nil && status.Sys().(*syscall.Stat_t).Uid == c.Uid {
				t.Errorf("it runs as %s", name)
			}
		}
		if net, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil && net == ours {
			t.Error("it has this host's network")
		}
	}
}
