package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/proc"
)

// watcher looks at the program and at everything below it while it runs: how much memory it has
// resident, which programs it started, and with what.
type watcher struct {
	mu       sync.Mutex
	children map[child]string // what each was started with
	argv     map[string]bool  // of the program itself
}

type child struct {
	pid     int
	started string
}

const lookEvery = 20 * time.Millisecond

func newWatcher() *watcher { return &watcher{children: map[child]string{}, argv: map[string]bool{}} }

// follow looks until stop, and returns the program's peak.
func (w *watcher) follow(pid int, stop <-chan struct{}) (peak int64) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		peak = max(peak, proc.PeakRSS(pid))
		w.look(pid)
		select {
		case <-stop:
			return peak
		case <-tick.C:
		}
	}
}

func (w *watcher) look(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := proc.Strings(pid, "cmdline")
	w.argv[strings.Join(own, " ")] = true
	for _, p := range proc.Children(pid) {
		c := child{p, proc.Started(p)}
		argv := proc.Strings(p, "cmdline")
		if c.started == "" || len(argv) == 0 || slices.Equal(argv, own) {
			continue // gone, or before its exec still a copy of the program
		}
		w.children[c] = fmt.Sprintf("argv %q env %q", argv, proc.Strings(p, "environ"))
	}
}

// alive are the programs that were started and still run.
func (w *watcher) alive() (left []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c, with := range w.children {
		if proc.Started(c.pid) == c.started && len(proc.Strings(c.pid, "cmdline")) > 0 {
			left = append(left, with)
		}
	}
	return left
}

// startedWith is everything that was seen of the arguments and environments, less the one secret
// that libpq's programs need.
func (w *watcher) startedWith() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "argv %v\n", w.argv)
	for _, with := range w.children {
		b.WriteString(strings.ReplaceAll(with, `"PGPASSWORD=`+secretPassword+`"`, "") + "\n")
	}
	return b.String()
}
