package journal

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// The tests here talk to a real systemd-journald: one of their own, in a mount namespace with
// an empty /run, so that the machine's journal is neither read nor written.

const ownMounts = "PGBTUI_TEST_OWN_MOUNTS"

// inOwnMounts runs the calling test once more in a mount namespace of its own; only there it reports true.
func inOwnMounts(t *testing.T) bool {
	t.Helper()
	need.Root(t)
	if os.Getenv(ownMounts) != "" {
		return true
	}
	unshare := need.Program(t, "unshare")
	cmd := exec.Command(unshare, "--mount", "--propagation", "private", os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), ownMounts+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func TestAMissingLibsystemdIsNamed(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	files, err := filepath.Glob("/usr/lib*/*/libsystemd.so.0")
	if err != nil || len(files) == 0 {
		t.Fatalf("no libsystemd found to hide: %v", err)
	}
	for _, file := range files {
		if err := unix.Mount("/dev/null", file, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	place(t, filepath.Join(dir, "system.journal"), 0o600)
	_, err = Open(t.Context(), Options{Dir: dir})
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(fault.Remedy(err), "libsystemd0") {
		t.Errorf("got %v, remedy %q", err, fault.Remedy(err))
	}
}

func TestARealJournaldTakesAndGivesBackWhatWasWritten(t *testing.T) {
	need.Program(t, "/lib/systemd/systemd-journald", "logger")
	if !inOwnMounts(t) {
		return
	}
	daemon := startJournald(t)
	unit := joinUnit(t)
	roundTrip(t, daemon, unit)
	t.Run("no rights", func(t *testing.T) {
		asNobody(t, func() {
			if _, err := Open(t.Context(), Options{}); fault.CodeOf(err) != fault.NotPermitted {
				t.Errorf("nobody opened the journal: %v", err)
			}
		})
	})
}

func startJournald(t *testing.T) *os.Process {
	t.Helper()
	for _, dir := range []string{"/run", "/var/log"} {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			t.Fatal(err)
		}
	}
	// Nothing of the machine's own: no kernel messages, no switching on of audit.
	place(t, "/run/systemd/journald.conf.d/test.conf", 0o644)
	config := "[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\nForwardToWall=no\nRateLimitIntervalSec=0\n"
	if err := os.WriteFile("/run/systemd/journald.conf.d/test.conf", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/run/systemd/journal", 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/lib/systemd/systemd-journald")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("systemd-journald: %v", err)
		}
	})
	for !exists(Socket) || checkAccess("") != nil {
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			t.Fatal("systemd-journald ended")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return cmd.Process
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// joinUnit moves this process into the control group of a unit that does not exist, which is
// what journald derives _SYSTEMD_UNIT from.
func joinUnit(t *testing.T) (unit string) {
	t.Helper()
	root := cgroupRoot()
	slice := filepath.Join(root, "system.slice")
	unit = fmt.Sprintf("pgbtui-test@%d.service", os.Getpid())
	group := filepath.Join(slice, unit)
	home := filepath.Join(root, ownGroup(t))
	if err := os.MkdirAll(group, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		enter(t, home)
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
		os.Remove(slice) // only when it is empty
	})
	enter(t, group)
	return unit
}

func cgroupRoot() string {
	if _, err := os.Stat("/sys/fs/cgroup/unified/cgroup.procs"); err == nil {
		return "/sys/fs/cgroup/unified"
	}
	return "/sys/fs/cgroup"
}

func ownGroup(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if group, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSpace(group)
		}
	}
	t.Fatal("no unified control group")
	return ""
}

func enter(t *testing.T, group string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
}

// forge writes, from outside of the unit, an entry that claims everything that can be claimed.
func forge(t *testing.T, unit, run string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", `echo $$ >"$1/cgroup.procs" && exec logger --journald`, "sh", cgroupRoot())
	cmd.Stdin = strings.NewReader(strings.Join([]string{
		"MESSAGE=forged", "PRIORITY=1", "UNIT=" + unit, "PGBTUI_RUN_ID=" + run, "_SYSTEMD_UNIT=" + unit, "_PID=1",
		"MESSAGE_ID=" + event.MessageID(event.BackupCommitted), "SYSLOG_IDENTIFIER=pgbtui", "OBJECT_SYSTEMD_UNIT=" + unit,
	}, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// roundTrip follows a unit's entries while they are written, forged and the journal rotated.
func roundTrip(t *testing.T, daemon *os.Process, unit string) {
	r := openDir(t, "")
	run := strings.ReplaceAll(t.Name(), "/", "-")
	q := Query{Units: []string{"pgbtui-test@*.service"}, RunID: run}
	in, err := r.Follow(t.Context(), q, "")
	if err != nil {
		t.Fatal(err)
	}
	h := NewHandler(HandlerOptions{})
	defer h.Close()
	log := slog.New(h).With("run", run)
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint("entry ", i, "\nsecond line \\x1b")) // made visible on the way
		message := fmt.Sprint("entry ", i, "\nsecond line \x1b")
		if err := h.WithAttrs([]slog.Attr{slog.String("run", run)}).Handle(t.Context(), slog.NewRecord(time.Now(), LevelNotice, message, 0)); err != nil {
			t.Fatal(err)
		}
		if i%25 == 10 {
			forge(t, unit, run)
			if err := daemon.Signal(syscall.SIGUSR2); err != nil { // rotate
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(want, take(t, in, len(want))); diff != "" {
		t.Error(diff)
	}
	large := strings.Repeat("large\n", 1<<20)
	log.Error(large, "event", event.BackupFailed, "set", "s1")
	if got := take(t, in, 1); got[0] != large[:maxMessage] {
		t.Errorf("a large entry came as %d bytes", len(got[0]))
	}
	page, err := r.Page(t.Context(), q, Position{})
	if err != nil || len(page.Entries) != 101 {
		t.Fatalf("%d entries, %v", len(page.Entries), err)
	}
	e := page.Entries[100]
	if e.Unit != unit || e.Event != event.BackupFailed || e.Priority != 3 || e.PID != os.Getpid() || e.RunID != run || e.Fields["PGBTUI_SET"] != "s1" || e.Fields["SYSLOG_IDENTIFIER"] != Identifier {
		e.Message = ""
		t.Errorf("got %+v", e)
	}
}
