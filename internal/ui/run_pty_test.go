package ui_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// console is uitest/show on a real pty.
type console struct {
	t    testing.TB
	cmd  *exec.Cmd
	tty  *os.File
	mu   sync.Mutex
	out  bytes.Buffer
	done chan error
	eof  chan struct{} // closed when the reader has read all; nil without a reader
}

var buildShow = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pgbtui-show")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "show")
	out, err := exec.Command("go", "build", "-o", bin, "./uitest/show").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return bin, nil
})

// Whatever a console asked for is over when it is left. The clock's next tick, which a driven console
// still waits for, ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/charmbracelet/bubbletea.Tick.func1"), goleak.Cleanup(func(code int) {
		if bin, err := buildShow(); err == nil {
			_ = os.RemoveAll(filepath.Dir(bin))
		}
		os.Exit(code)
	}))
}

// startConsole runs show on a pty that never answers what is asked, like a serial line.
func startConsole(t testing.TB, w, h uint16, args ...string) *console {
	t.Helper()
	bin, err := buildShow()
	if err != nil {
		t.Fatal(err, bin)
	}
	c := prepare(t, exec.Command(bin, args...), w, h)
	c.eof = make(chan struct{})
	go c.read()
	return c
}

// prepare starts cmd on a pty from which nobody reads yet.
func prepare(t testing.TB, cmd *exec.Cmd, w, h uint16) *console {
	t.Helper()
	var err error
	c := &console{t: t, cmd: cmd, done: make(chan error, 1)}
	c.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "TMUX=", "NO_COLOR=")
	if c.tty, err = pty.StartWithSize(c.cmd, &pty.Winsize{Cols: w, Rows: h}); err != nil {
		t.Fatal(err)
	}
	c.tty = pollable(t, c.tty)
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.tty.Close() })
	go func() { c.done <- c.cmd.Wait() }()
	return c
}

func (c *console) read() {
	defer close(c.eof)
	buf := make([]byte, 4096)
	for {
		n, err := c.tty.Read(buf)
		c.mu.Lock()
		c.out.Write(buf[:n])
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// pollable lets Close really close while somebody reads.
func pollable(t testing.TB, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	return os.NewFile(uintptr(fd), "ptmx")
}

func (c *console) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

func (c *console) until(what string) {
	c.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(c.text(), what) {
			return
		}
	}
	c.t.Fatalf("never shown: %q\n%q", what, c.text())
}

func (c *console) press(s string) {
	c.t.Helper()
	if _, err := c.tty.WriteString(s); err != nil {
		c.t.Fatal(err)
	}
}

// ends waits for the exit; the bound only keeps the test from hanging.
func (c *console) ends() int {
	c.t.Helper()
	select {
	case <-c.done:
		if c.eof != nil {
			<-c.eof
		}
	case <-time.After(20 * time.Second):
		c.t.Fatalf("does not end\n%q", c.text())
	}
	return c.cmd.ProcessState.ExitCode()
}

// leftAlone checks that the terminal was given back.
func (c *console) leftAlone() string {
	c.t.Helper()
	_, after, back := strings.Cut(c.text(), "\x1b[?1049l")
	if !back || !strings.Contains(c.text(), "\x1b[?25h") {
		c.t.Errorf("the alternate screen or the cursor was not given back: %q", c.text())
	}
	return after
}

// The one bounded test: 5 s is what it takes when the terminal is asked for its background.
func TestAProgramStartsAtOnceOnATerminalThatNeverAnswers(t *testing.T) {
	if bin, err := buildShow(); err != nil {
		t.Fatal(err, bin)
	}
	begin := time.Now()
	c := startConsole(t, 80, 24, "-version")
	if code := c.ends(); code != 0 {
		t.Fatal(code, c.text())
	}
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
	if strings.Contains(c.text(), "\x1b]11;?") {
		t.Errorf("the terminal was asked for its background: %q", c.text())
	}
}

func TestQLeavesAndGivesTheTerminalBack(t *testing.T) {
	c := startConsole(t, 80, 24)
	c.until("30 backups")
	c.press("q")
	if code := c.ends(); code != 0 {
		t.Error(code)
	}
	if after := c.leftAlone(); strings.Contains(after, "Come back") {
		t.Errorf("nothing goes on, but %q", after)
	}
}

func TestLeavingWithARunGoingSaysSoInTwoPlainLines(t *testing.T) {
	c := startConsole(t, 80, 24, "-running", "-steps=false")
	c.until("backup running")
	c.press("q")
	c.ends()
	after := regexp.MustCompile("\x1b\\[[?0-9;]*[A-Za-z]").ReplaceAllString(c.leftAlone(), "")
	want := "postgres-backup@sales.service: backup of sales continues without the console.\r\nCome back with: pgbtui\r\n"
	if !strings.HasSuffix(after, want) {
		t.Errorf("%q", after)
	}
}

func TestSignalsEndIt(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130, syscall.SIGHUP: 0} {
		c := startConsole(t, 80, 24)
		c.until("30 backups")
		if err := c.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if code := c.ends(); code != want {
			t.Errorf("%v: exit %d, want %d", sig, code, want)
		}
		c.leftAlone()
	}
}

// A dead link keeps the terminal open but takes no more bytes.
func TestATerminalThatTakesNoBytesDoesNotKeepItFromEnding(t *testing.T) {
	bin, err := buildShow()
	if err != nil {
		t.Fatal(err, bin)
	}
	c := prepare(t, exec.Command(bin), 200, 60)
	for range 8 { // more frames than the pty holds
		c.press("2")
		time.Sleep(150 * time.Millisecond)
		c.press("1")
		time.Sleep(150 * time.Millisecond)
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.ends(); code != 143 {
		t.Error(code)
	}
}

func TestAVanishedTerminalEndsIt(t *testing.T) {
	c := startConsole(t, 80, 24)
	c.until("30 backups")
	_ = c.tty.Close()
	c.ends()
}

func TestTheEndOfInputIsTold(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	told := false
	in := ui.Watched(r, func() { told = true })
	_, _ = w.WriteString("x")
	if _, err := in.Read(make([]byte, 1)); err != nil || told {
		t.Fatal(err, told)
	}
	_ = w.Close()
	if _, err := in.Read(make([]byte, 1)); err == nil || !told {
		t.Fatal(err, told)
	}
}

func TestAPanicGivesTheTerminalBackAndSaysWhatHappened(t *testing.T) {
	c := startConsole(t, 80, 24, "-panic")
	if code := c.ends(); code != 1 {
		t.Errorf("exit %d", code)
	}
	after := c.leftAlone()
	for _, want := range []string{"the console stopped: planted in the catalogue", "Runs continue", "uitest.Panics.Sets"} {
		if !strings.Contains(after, want) {
			t.Errorf("no %q in %q", want, after)
		}
	}
}

func TestResizingToNothingCountsAs80x24(t *testing.T) {
	c := startConsole(t, 100, 30)
	c.until("30 backups")
	if err := unix.IoctlSetWinsize(int(c.tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{}); err != nil {
		t.Fatal(err)
	}
	c.press("4")
	c.until("Catches up")
	c.press("q")
	if code := c.ends(); code != 0 {
		t.Error(code)
	}
}

func TestSuspendingGivesTheTerminalBackAndFgBringsItBack(t *testing.T) {
	shell := need.Program(t, "bash")
	bin, err := buildShow()
	if err != nil {
		t.Fatal(err, bin)
	}
	c := prepare(t, exec.Command(shell, "--norc", "-i"), 80, 24)
	c.eof = make(chan struct{})
	go c.read()
	c.press(bin + "\n")
	c.until("30 backups")
	c.press("\x1a")
	c.until("Stopped")
	if !strings.Contains(c.text(), "\x1b[?1049l") {
		t.Error("the alternate screen was kept")
	}
	c.forget()
	c.press("fg\n")
	c.until("30 backups")
	c.press("q")
	c.until("\x1b[?1049l")
	c.press("exit\n")
	c.ends()
}

// Without a shell above it nothing could bring it back, and the kernel would not stop it anyway.
func TestCtrlZWithoutAShellDoesNotHang(t *testing.T) {
	c := startConsole(t, 80, 24)
	c.until("30 backups")
	c.press("\x1a")
	c.until("no shell to come back to")
	c.press("q")
	if code := c.ends(); code != 0 {
		t.Error(code)
	}
}

func (c *console) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Reset()
}
