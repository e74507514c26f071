package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/proc"
)

// Way is how a run is ended from outside.
type Way string

// The ways. OutOfMemory is the kernel's own killer in a memory cgroup; where there is none to be
// had, SIGKILL to the program and to everything that it started stands for it, and is said.
const (
	Kill        Way = "SIGKILL"
	Terminate   Way = "SIGTERM"
	OutOfMemory Way = "OOM kill"
	// KillChild ends what the program has started, pg_dump mostly, and not the program. It is no
	// way of the grid: the run must notice, and end by itself.
	KillChild Way = "SIGKILL to its child"
)

// Ways are all of them, in the order of the tables.
func Ways() []Way { return []Way{Kill, Terminate, OutOfMemory} }

// endsWithin is how long a run may take to end after it was told to.
const endsWithin = 30 * time.Second

// wholeRun bounds a run that nothing disturbs, on a loaded machine.
const wholeRun = 10 * time.Minute

// ender ends one run in one way.
type ender struct {
	way   Way
	group *memoryGroup // nil but for OutOfMemory
	real  bool         // the kernel's killer did it
}

func newEnder(way Way) *ender {
	e := &ender{way: way}
	if way == OutOfMemory {
		e.group, _ = newMemoryGroup() // without one, see strike
	}
	return e
}

// begin is called right after the program has started.
func (e *ender) begin(p *process) error {
	if e.group == nil {
		return nil
	}
	return e.group.take(p.cmd.Process.Pid)
}

// strike ends the program and says how it did not end as it should, or "".
func (e *ender) strike(ctx context.Context, p *process) (violation string, err error) {
	switch {
	case e.way == Terminate:
		err = p.cmd.Process.Signal(syscall.SIGTERM)
	case e.group != nil:
		return e.starve(ctx, p)
	case e.way == KillChild:
		for _, pid := range proc.Children(p.cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
		}
	default:
		err = p.cmd.Process.Kill()
	}
	if err != nil {
		return "", err
	}
	limit := endsWithin
	if e.way == KillChild { // there may have been none: then the run just goes on
		limit = wholeRun
	}
	if !p.within(limit) {
		return fmt.Sprintf("still running %s after %s", limit, e.way), p.kill()
	}
	return "", nil
}

// tooLate reports whether a strike failed because nobody was there any more to be struck: a signal
// to a process that has been waited for, a file of one that has left /proc.
func tooLate(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) || errors.Is(err, fs.ErrNotExist)
}

// wantsKilled: the program itself must have been killed. The kernel may as well have chosen its
// child, at a random moment: then the run notices.
func (e *ender) wantsKilled() bool { return e.way == Kill || (e.way == OutOfMemory && !e.real) }

func (e *ender) starve(ctx context.Context, p *process) (violation string, err error) {
	eater, err := e.group.eat(ctx, p.cmd.Process.Pid)
	if err != nil {
		return "", err
	}
	if !p.within(endsWithin) {
		violation = "the kernel killed nobody, or not the program"
		err = p.kill()
	}
	_ = eater.Process.Kill() // the kernel may have been faster
	_ = eater.Wait()
	e.real = e.group.kills() > 0
	return violation, err
}

// end gives the cgroup back.
func (e *ender) end() error {
	if e.group == nil {
		return nil
	}
	return e.group.remove()
}
