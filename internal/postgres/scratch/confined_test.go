package scratch

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// serveOnce is the process that a unit runs, in systemd's place.
func serveOnce(dir string) int {
	conn, err := net.FileConn(os.Stdin)
	if err == nil {
		err = Serve(context.Background(), conn, dir, filepath.Join(dir, "run"))
	}
	if err != nil && !Gone(err) {
		return 1
	}
	return 0
}

// unit listens as the socket's unit does: each connection starts a process that has it as standard input.
type unit struct {
	socket, data string
	process      chan *exec.Cmd
}

// newUnit needs another user than root to run servers as, which PostgreSQL asks for too.
func newUnit(t *testing.T) *unit {
	t.Helper()
	need.Root(t)
	as, err := credential("nobody")
	if err != nil {
		t.Fatal(err)
	}
	dir := openFolder(t)
	u := &unit{socket: filepath.Join(dir, "control"), data: dir, process: make(chan *exec.Cmd, 1)}
	for _, step := range []error{
		os.Mkdir(filepath.Join(dir, "run"), 0o700), os.Chown(filepath.Join(dir, "run"), int(as.Uid), int(as.Gid)),
		os.Chown(dir, 0, int(as.Gid)), os.Chmod(dir, 0o770),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	listener, err := net.Listen("unix", u.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	self := filepath.Join(openFolder(t), "server")
	if text, err := os.ReadFile(os.Args[0]); err != nil || os.WriteFile(self, text, 0o755) != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			in, _ := conn.(*net.UnixConn).File()
			cmd := exec.Command(self)
			cmd.Stdin, cmd.Dir = in, dir
			cmd.Env = []string{"SCRATCH_TEST_UNIT=" + dir, "PATH=" + os.Getenv("PATH")}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
			_ = cmd.Start()
			_ = in.Close()
			_ = conn.Close()
			u.process <- cmd
		}
	}()
	return u
}

// start is a server that answers, and the process that has it.
func (u *unit) start(t *testing.T) (*Confined, *exec.Cmd) {
	t.Helper()
	return u.startWith(t, Needs{})
}

func (u *unit) startWith(t *testing.T, needs Needs) (*Confined, *exec.Cmd) {
	t.Helper()
	tools, err := postgres.FindServer(t.Context(), "", 0)
	if err != nil {
		need.Program(t, "initdb")
	}
	c, err := Dial(t.Context(), u.socket)
	if err == nil {
		err = c.Start(t.Context(), tools, needs)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, <-u.process
}

func (u *unit) nothingLeft(t *testing.T) {
	t.Helper()
	for _, dir := range []string{u.data, filepath.Join(u.data, "run")} {
		if left, _ := filepath.Glob(dir + "/" + prefix + "*"); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	if pids := standingIn(u.data); len(pids) > 0 {
		t.Errorf("processes left: %v", pids)
	}
}

func TestAConfinedServerLivesAsLongAsItsConnection(t *testing.T) {
	u := newUnit(t)
	c, process := u.start(t)
	if free, size := c.Room(); free <= 0 || size < free || c.Dir != u.data {
		t.Errorf("%d of %d bytes free in %s", free, size, c.Dir)
	}
	session, err := postgres.Connect(t.Context(), postgres.Target{Host: c.Host, Port: c.Port, User: c.User, Database: "postgres", NoSecrets: true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = session.Close(t.Context())
	if c.Err() != nil {
		t.Error(c.Err())
	}
	c.Close()
	if err := process.Wait(); err != nil {
		t.Errorf("the unit failed: %v", err)
	}
	u.nothingLeft(t)
}

func TestAUnitsServerLoadsWhatTheDrillOrders(t *testing.T) {
	u := newUnit(t)
	c, _ := u.startWith(t, Needs{Libraries: []string{"auto_explain", "not_here", "/tmp/evil.so", strings.Repeat("x", 70)}, Extensions: []string{"../../etc/passwd"}})
	defer u.nothingLeft(t)
	defer c.Close()
	session, err := postgres.Connect(t.Context(), postgres.Target{Host: c.Host, Port: c.Port, User: c.User, Database: "postgres", NoSecrets: true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close(t.Context()) }()
	got, err := session.Ask(t.Context(), "SELECT current_setting('shared_preload_libraries') || ' ' || current_setting('max_worker_processes')", time.Minute)
	if err != nil || got != "auto_explain 0" {
		t.Errorf("%q, %v", got, err)
	}
	if len(c.Lacks) != 1 || !strings.Contains(c.Lacks[0], "library not_here") {
		t.Errorf("%q", c.Lacks)
	}
}

func TestAConfinedServerThatEndsByItselfIsTold(t *testing.T) {
	u := newUnit(t)
	c, process := u.start(t)
	text, err := os.ReadFile(firstOf(t, u.data+"/"+prefix+"*/data/postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	kill(t, strings.SplitN(string(text), "\n", 2)[0])
	<-c.Ended()
	if err := c.Err(); fault.CodeOf(err) != fault.Failed || !strings.Contains(err.Error(), "the private server") || !strings.Contains(fault.Remedy(err), "MemoryMax=") {
		t.Errorf("%v; remedy %q", err, fault.Remedy(err))
	}
	c.Close()
	_ = process.Wait()
	u.nothingLeft(t)
}

func TestAUnitThatIsKilledIsToldAsSuch(t *testing.T) {
	u := newUnit(t)
	c, process := u.start(t)
	_ = process.Process.Kill()
	<-c.Ended()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "without a word") || !strings.Contains(fault.Remedy(err), ServerUnit) {
		t.Errorf("%v; remedy %q", err, fault.Remedy(err))
	}
	c.Close()
	_ = process.Wait()
	killStragglers(u.data) // systemd ends what is left of a unit
}

func TestProgramsThatTheUnitDoesNotSeeAreNamed(t *testing.T) {
	u := newUnit(t)
	c, err := Dial(t.Context(), u.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Start(t.Context(), postgres.Tools{Dir: "/nowhere/bin"}, Needs{})
	if fault.CodeOf(err) != fault.Refused || !strings.Contains(fault.Remedy(err), "BindReadOnlyPaths=/nowhere/bin") {
		t.Errorf("%v; remedy %q", err, fault.Remedy(err))
	}
}

func TestAServersFolderThatOthersMayPassIsNotUsed(t *testing.T) {
	dir := openFolder(t)
	if _, err := Dial(t.Context(), filepath.Join(dir, "control")); fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "open to every user") {
		t.Error(err)
	}
}

// What the unit says after the first row may come from whoever wrote the set.
func TestAUnitThatLiesDecidesNothing(t *testing.T) {
	long := strings.Repeat("x", 2*maxLine)
	for name, says := range map[string]string{
		"another server": `{"ready":{"host":"/run/postgresql","port":"5432","user":"postgres"}}`,
		"a way up":       `{"ready":{"host":"DIR/../postgresql","port":"5432","user":"pgbtui_private_0123456789ab"}}`,
		"another port":   `{"ready":{"host":"DIR/s","port":"5432 host=evil","user":"pgbtui_private_0123456789ab"}}`,
		"several hosts":  `{"ready":{"host":"DIR/s,evil.example","port":"5432","user":"pgbtui_private_0123456789ab"}}`,
		"a long line":    `{"dir":"` + long + `"}`,
		"no JSON":        "\x1b]52;c;aGk=\x07",
		"a success":      `{"ended":{"code":0,"error":"all is well"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			listener, err := net.Listen("unix", filepath.Join(dir, "control"))
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err == nil {
					_, _ = conn.Write([]byte(`{"dir":"/var/tmp","free":1,"size":2}` + "\n" + strings.ReplaceAll(says, "DIR", dir) + "\n"))
					_ = conn.(*net.UnixConn).CloseWrite()
				}
			}()
			c, err := Dial(t.Context(), filepath.Join(dir, "control"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Start(t.Context(), postgres.Tools{Dir: "/usr/bin"}, Needs{}); err == nil || fault.CodeOf(err) == fault.OK || c.Host != "" {
				t.Errorf("went to %q, %v", c.Host, err)
			}
		})
	}
}

func firstOf(t *testing.T, pattern string) string {
	t.Helper()
	found, _ := filepath.Glob(pattern)
	if len(found) != 1 {
		t.Fatalf("%s: %q", pattern, found)
	}
	return found[0]
}

func kill(t *testing.T, pid string) {
	t.Helper()
	if out, err := exec.Command("kill", "-KILL", pid).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestACancelledDialLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	_ = os.Chmod(dir, 0o700)
	listener, err := net.Listen("unix", filepath.Join(dir, "control"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // that never answers
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { time.Sleep(10 * time.Millisecond); cancel(stopped) }()
	if _, err := Dial(ctx, filepath.Join(dir, "control")); !errors.Is(err, stopped) {
		t.Error(err)
	}
}
