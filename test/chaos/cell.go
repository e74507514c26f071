package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Cell is what came of one run that was ended, and of the run after it.
type Cell struct {
	Name       string
	Violations []string
	Sets       int           // read back and found whole
	Next       bool          // the next run succeeded by itself
	Ending     time.Duration // from the strike to the end of the process
	PeakRSS    int64         // bytes, the larger of the two runs
	RealOOM    bool
	Missed     bool // the run had ended before it was struck; only at random moments
	Leaks      int  // places where a secret was found
}

func (c *Cell) violated(format string, args ...any) {
	c.Violations = append(c.Violations, fmt.Sprintf(format, args...))
}

const (
	exitOK, exitWarnings, exitTerminated = 0, 3, 143
	day                                  = 24 * time.Hour
	keptDays                             = 30
)

// Crash ends a run at a moment, in one way, and then lets the next one run. sealed encrypts.
func (l *Lab) Crash(ctx context.Context, m Moment, way Way, sealed bool) (cell *Cell, err error) {
	cell = &Cell{Name: m.Name + ", " + string(way)}
	w, err := l.newWorld(ctx, worldOptions{
		large: m.large, sealed: sealed, streams: m.streams, lastingDays: keptDays,
	})
	if err != nil {
		return cell, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	before, goes, err := w.history(ctx, m.retention)
	if err != nil {
		return cell, err
	}
	if err := m.hold(w); err != nil {
		return cell, err
	}
	e := newEnder(way)
	p, err := w.start(ctx)
	if err != nil {
		return cell, err
	}
	if err := errors.Join(w.endAt(ctx, cell, m, e, p), e.end()); err != nil {
		return cell, err
	}
	w.release()
	cell.RealOOM = e.real
	ended := w.look(ctx, cell)
	w.afterEnd(cell, m, e, p, before, goes, ended)
	return cell, w.nextRun(ctx, cell, ended, goes)
}

// history plants what was there before: two sets that stay, and perhaps one that is due to go.
func (w *World) history(ctx context.Context, due bool) (before []string, goes string, err error) {
	ages := []time.Duration{3 * day, 2 * day}
	if due {
		ages = append([]time.Duration{(keptDays + 10) * day}, ages...)
	}
	for _, age := range ages {
		id, err := w.plant(ctx, age)
		if err != nil {
			return nil, "", err
		}
		before = append(before, id)
	}
	if due {
		goes = before[0]
	}
	return before, goes, nil
}

// endAt waits for the moment and strikes.
func (w *World) endAt(ctx context.Context, cell *Cell, m Moment, e *ender, p *process) error {
	if err := e.begin(p); err != nil {
		return errors.Join(err, p.kill())
	}
	if !m.await(ctx, w, p) {
		if cell.Missed = m.random && p.over(); cell.Missed {
			return nil
		}
		cell.violated("the run did not come to this moment: %s", p.said())
		return errors.Join(p.kill(), ctx.Err())
	}
	struck := time.Now()
	w.hook.Store(nil) // what waits goes on waiting; what comes now is served
	violation, err := e.strike(ctx, p)
	cell.Ending = time.Since(struck)
	late := tooLate(err) && p.within(endsWithin)
	if m.random && p.over() && (late || e.wantsKilled() && !p.killed()) {
		cell.Missed, err = true, nil // it was faster
	}
	if violation != "" && !cell.Missed {
		cell.violated("%s", violation)
	}
	return err
}

// afterEnd holds the end itself against the invariants.
func (w *World) afterEnd(cell *Cell, m Moment, e *ender, p *process, before []string, goes string, left state) {
	cell.PeakRSS = max(cell.PeakRSS, p.peak)
	fresh := len(without(left.committed, goes)) - len(without(before, goes))
	if fresh < 0 || fresh > 1 || (!m.random && fresh != one(m.committed)) {
		cell.violated("%d sets more than before", fresh)
	}
	if !m.random && e.way == OutOfMemory && !p.killed() {
		cell.violated("the kernel's killer did not end it: %d", p.code())
	}
	success := p.code() == exitOK || p.code() == exitWarnings
	switch {
	case p.killed():
		if e.way == Terminate {
			cell.violated("SIGTERM did not end it, SIGKILL had to")
		}
	case success != (fresh == 1):
		cell.violated("FALSE GREEN or red: exit code %d, %d sets more: %s", p.code(), fresh, p.said())
	case cell.Missed, !e.wantsKilled() && e.way != Terminate: // it ended by itself, as it should
	case e.way != Terminate:
		cell.violated("ended by itself with %d: %s", p.code(), p.said())
	case !success && p.code() != exitTerminated:
		cell.violated("exit code %d after SIGTERM: %s", p.code(), p.said())
	}
	lost(cell, before, left.committed, goes)
	// A deletion that breaks off leaves what a later run clears; the set that was to go is no loss.
	if unfinished := without(left.unfinished, goes); !p.killed() && (left.uploads > 0 || len(unfinished) > 0 || left.leaseHeld) {
		cell.violated("it could clear up, and left %d uploads, unfinished sets %q, lease held %t", left.uploads, unfinished, left.leaseHeld)
	}
}

// lost: what was restorable must still be, unless retention listed it.
func lost(cell *Cell, before, after []string, goes string) {
	for _, id := range before {
		if id != goes && !slices.Contains(after, id) {
			cell.violated("LOST: set %s is gone", id)
		}
	}
}

// nextRun needs nobody: it succeeds and clears up.
func (w *World) nextRun(ctx context.Context, cell *Cell, ended state, goes string) error {
	began, requests := time.Now(), len(w.store.Requests())
	p, err := w.start(ctx)
	if err != nil {
		return err
	}
	if !p.within(wholeRun) {
		cell.violated("the next run does not end: %s", p.said())
		return p.kill()
	}
	w.lab.learn(extent{time.Since(began), len(w.store.Requests()) - requests})
	cell.PeakRSS = max(cell.PeakRSS, p.peak)
	cell.Next = p.code() == exitOK
	if !cell.Next {
		cell.violated("the next run: exit code %d: %s", p.code(), p.said())
	}
	after := w.look(ctx, cell)
	if fresh := len(after.committed) - len(without(ended.committed, goes)); cell.Next && fresh != 1 {
		cell.violated("FALSE GREEN: exit 0, and %d sets more", fresh)
	}
	lost(cell, ended.committed, after.committed, goes)
	if goes != "" && slices.Contains(after.committed, goes) {
		cell.violated("retention did not go on where it was ended: %s is there: %s", goes, p.said())
	}
	if after.uploads > 0 || after.leaseHeld {
		cell.violated("after the next run: %d uploads, lease held %t", after.uploads, after.leaseHeld)
	}
	if len(after.unfinished) > len(ended.unfinished) {
		cell.violated("the next run left unfinished sets: %q", after.unfinished)
	}
	return nil
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == id })
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
