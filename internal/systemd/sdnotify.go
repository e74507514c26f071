package systemd

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// What the unit files and Allow agree on: how long a run may be silent before systemd acts, and
// how much more the program's own stall check gets to speak first.
const (
	watchdogMargin = 5 * time.Minute
	extendBy       = 20 * time.Minute
	aliveEvery     = time.Second
)

// Notifier talks to the service manager by the sd_notify protocol (sd_notify(3)). Without
// NOTIFY_SOCKET every method does nothing; so does a nil Notifier. Safe for concurrent use.
//
// Errors are dropped on purpose: a run must not fail because its supervisor did not listen.
type Notifier struct {
	addr     *net.UnixAddr
	watchdog time.Duration

	mu     sync.Mutex
	extend time.Duration
	last   time.Time // of the last Alive that was sent
	now    func() time.Time
}

// NotifierFrom reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID by getenv (os.Getenv). Children get an
// environment without these variables from whoever starts them, or they could speak for the run.
func NotifierFrom(getenv func(string) string, pid int) *Notifier {
	n := &Notifier{extend: extendBy, now: time.Now}
	if path := getenv("NOTIFY_SOCKET"); strings.HasPrefix(path, "/") || strings.HasPrefix(path, "@") {
		n.addr = &net.UnixAddr{Name: path, Net: "unixgram"}
	}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	forUs := getenv("WATCHDOG_PID") == "" || getenv("WATCHDOG_PID") == strconv.Itoa(pid)
	if err == nil && usec > 0 && usec < int64(1<<62)/1000 && forUs {
		n.watchdog = time.Duration(usec) * time.Microsecond
	}
	return n
}

// Under reports whether a service manager listens.
func (n *Notifier) Under() bool { return n != nil && n.addr != nil }

// Allow tells systemd how long this run may go without a byte (the job's StallAfter). The
// watchdog and the time-out extension are set a few minutes above it, so that the run's own
// clear error comes first and systemd's signal only when the program itself hangs.
func (n *Notifier) Allow(stallAfter time.Duration) {
	if !n.Under() || stallAfter <= 0 {
		return
	}
	n.mu.Lock()
	n.extend = max(extendBy, stallAfter+2*watchdogMargin)
	n.mu.Unlock()
	if n.watchdog > 0 {
		n.send(fmt.Sprintf("WATCHDOG_USEC=%d", (stallAfter + watchdogMargin).Microseconds()))
	}
}

// Alive says that bytes moved: it shows status, extends the start time-out and pings the
// watchdog, at most once a second; calls in between are dropped. Call it only when something
// really moved: a ping from a run that stands still would keep it standing for ever.
func (n *Notifier) Alive(status string) {
	if !n.Under() {
		return
	}
	n.mu.Lock()
	now := n.now()
	due := n.last.IsZero() || now.Sub(n.last) >= aliveEvery
	if due {
		n.last = now
	}
	extend := n.extend
	n.mu.Unlock()
	if due {
		n.send(fmt.Sprintf("STATUS=%s\nEXTEND_TIMEOUT_USEC=%d\nWATCHDOG=1", printable.OneLine(status), extend.Microseconds()))
	}
}

// Status shows text in `systemctl status` and over D-Bus, and says nothing about life.
func (n *Notifier) Status(text string) { n.send("STATUS=" + printable.OneLine(text)) }

// Stopping says that the end has begun.
func (n *Notifier) Stopping() { n.send("STOPPING=1") }

func (n *Notifier) send(state string) {
	if !n.Under() {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, n.addr)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // PID 1 busy: better silent than stuck
	_, _ = conn.Write([]byte(state))
}
