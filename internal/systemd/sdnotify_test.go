package systemd

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listen plays the service manager's side of NOTIFY_SOCKET.
func listen(t *testing.T, watchdogUsec string) (*Notifier, func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": watchdogUsec, "WATCHDOG_PID": "42"}
	n := NotifierFrom(func(k string) string { return env[k] }, 42)
	return n, func() string {
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		buf := make([]byte, 4096)
		k, err := conn.Read(buf)
		if err != nil {
			return ""
		}
		return string(buf[:k])
	}
}

func TestAliveExtendsPingsAndShowsAtMostOnceASecond(t *testing.T) {
	n, heard := listen(t, "900000000")
	now := time.Unix(1000, 0)
	n.now = func() time.Time { return now }
	n.Alive("backup: dump 1%")
	if got, want := heard(), "STATUS=backup: dump 1%\nEXTEND_TIMEOUT_USEC=1200000000\nWATCHDOG=1"; got != want {
		t.Errorf("first Alive sent %q, want %q", got, want)
	}
	now = now.Add(999 * time.Millisecond)
	n.Alive("backup: dump 2%")
	if got := heard(); got != "" {
		t.Errorf("a second Alive within a second sent %q", got)
	}
	now = now.Add(time.Millisecond)
	n.Alive("backup: dump 3%")
	if got := heard(); !strings.HasPrefix(got, "STATUS=backup: dump 3%\n") {
		t.Errorf("after a second Alive sent %q", got)
	}
}

func TestStatusAloneIsNoSignOfLife(t *testing.T) {
	n, heard := listen(t, "900000000")
	n.Status("waiting")
	if got := heard(); got != "STATUS=waiting" {
		t.Errorf("Status sent %q", got)
	}
}

func TestForeignTextCannotAddFields(t *testing.T) {
	n, heard := listen(t, "")
	n.Status("table x\nREADY=1\x00MAINPID=1")
	if got := heard(); strings.ContainsAny(got, "\n\x00") {
		t.Errorf("sent %q", got)
	}
}

func TestAllowLetsTheProgramSpeakBeforeTheWatchdog(t *testing.T) {
	n, heard := listen(t, "900000000")
	n.Allow(time.Hour)
	if got, want := heard(), "WATCHDOG_USEC=3900000000"; got != want {
		t.Errorf("Allow sent %q, want %q", got, want)
	}
	n.Alive("x")
	if got := heard(); !strings.Contains(got, "EXTEND_TIMEOUT_USEC=4200000000") {
		t.Errorf("Alive after Allow(1h) sent %q", got)
	}
}

func TestWatchdogOfAnotherProcessIsNotOurs(t *testing.T) {
	n, _ := listen(t, "900000000")
	if n.watchdog != 15*time.Minute {
		t.Errorf("its interval is %s", n.watchdog)
	}
	env := map[string]string{"WATCHDOG_USEC": "900000000", "WATCHDOG_PID": "1"}
	if d := NotifierFrom(func(k string) string { return env[k] }, 42).watchdog; d != 0 {
		t.Errorf("%s for another process", d)
	}
}

func TestWithoutSystemdNothingHappens(t *testing.T) {
	for _, socket := range []string{"", "relative", "/nonexistent/socket"} {
		n := NotifierFrom(func(k string) string { return map[string]string{"NOTIFY_SOCKET": socket}[k] }, 1)
		n.Alive("x")
		n.Status("x")
		n.Stopping()
		n.Allow(time.Minute)
	}
	var none *Notifier
	none.Alive("x")
	none.Allow(time.Minute)
	none.Stopping()
}
