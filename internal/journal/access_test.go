package journal

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// asNobody runs f with the file access of uid and gid 65534 and no other groups, on a thread of
// its own that is thrown away.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	need.Root(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
			t.Error(errno)
			return
		}
		if err := errors.Join(unix.Setfsgid(65534), unix.Setfsuid(65534)); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

func place(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("LPKSHHRH"), mode); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayNotReadTheJournalIsToldHow(t *testing.T) {
	dir := openToAll(t)
	place(t, filepath.Join(dir, "mid", "system.journal"), 0o600)
	place(t, filepath.Join(dir, "mid", "user-65534.journal"), 0o644)
	asNobody(t, func() {
		err := access([]string{"/nowhere", dir}, "system")
		if fault.CodeOf(err) != fault.NotPermitted || !strings.Contains(fault.Remedy(err), "usermod -aG systemd-journal ") {
			t.Errorf("got %v, remedy %q", err, fault.Remedy(err))
		}
	})
	if err := os.Chmod(filepath.Join(dir, "mid"), 0o700); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if err := access([]string{dir, "/nowhere"}, "system"); fault.CodeOf(err) != fault.NotPermitted {
			t.Errorf("a closed folder: %v", err)
		}
	})
}

func TestOneReadableSystemJournalIsEnough(t *testing.T) {
	dir := openToAll(t)
	place(t, filepath.Join(dir, "mid", "system.journal"), 0o600)
	place(t, filepath.Join(dir, "mid", "system@1-2-3.journal"), 0o644)
	asNobody(t, func() {
		if err := access([]string{dir}, "system"); err != nil {
			t.Error(err)
		}
	})
}

func TestNoJournalAtAllIsSaid(t *testing.T) {
	dir := t.TempDir()
	place(t, filepath.Join(dir, "mid", "user-1000.journal"), 0o644)
	for _, dirs := range [][]string{{"/nowhere"}, {dir}} {
		err := access(dirs, "system")
		if fault.CodeOf(err) != fault.Unavailable || fault.Remedy(err) == "" {
			t.Errorf("%v: got %v, remedy %q", dirs, err, fault.Remedy(err))
		}
	}
	if _, err := Open(t.Context(), Options{Dir: t.TempDir()}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("an empty folder: %v", err)
	}
}

// openToAll is a temporary folder that everybody may reach: those above t.TempDir are private.
func openToAll(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "journal-access-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
