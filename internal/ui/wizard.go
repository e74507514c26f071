// The restore wizard: source and target, options, plan with preflight, confirm, run. The target is
// always a new database; source and target stay on screen to the end. Nothing is written before
// the last enter, and the unit checks everything again.

package ui

import (
	"context"
	"fmt"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Steps of the wizard.
const (
	stepTarget = iota
	stepOptions
	stepPlan
	stepRun
)

// maxName is PostgreSQL's NAMEDATALEN less its zero byte.
const maxName = 63

// maxJobs bounds pg_restore's parallel jobs as far as this dialog goes.
const maxJobs = 16

type wizard struct {
	*shared
	set      backup.Set
	step     int
	target   line
	names    []string // databases on the target server
	namesOK  bool
	nameErr  error
	globals  bool
	jobs     int
	option   int
	checks   []Check
	checked  bool
	planErr  error
	yes      bool
	busy     bool
	err      error
	unit     string
	namesAsk asker
	plan     asker
	start    asker
	ctx      context.Context
	pager    pager
}

type (
	namesMsg struct {
		names []string
		err   error
	}
	planMsg struct {
		checks []Check
		err    error
	}
)

func askRestore(sh *shared, s backup.Set) tea.Cmd { return sh.post(pushMsg{newWizard(sh, s)}) }

func newWizard(sh *shared, s backup.Set) *wizard {
	w := &wizard{shared: sh, set: s, jobs: 1}
	w.target.text = suggested(s.Database, sh.now)
	return w
}

// suggested is a name for the new database: the source's, cut to fit, and the day.
func suggested(database string, now time.Time) string {
	tail := "_restored_" + now.UTC().Format("20060102")
	name := []rune(database)
	for len(string(name))+len(tail) > maxName {
		name = name[:len(name)-1]
	}
	return string(name) + tail
}

func (w *wizard) name() string { return "Restore" }

func (w *wizard) enter(ctx context.Context) tea.Cmd {
	w.ctx = ctx
	p := w.Sources.Planner
	if p == nil {
		w.nameErr = w.missing("planner")
		return nil
	}
	return w.namesAsk.ask(ctx, w.update, func(ctx context.Context) tea.Msg {
		names, err := p.Databases(ctx)
		return namesMsg{names, err}
	})
}

func (w *wizard) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case namesMsg:
		w.names, w.nameErr, w.namesOK = msg.names, msg.err, msg.err == nil
	case planMsg:
		w.checks, w.planErr, w.checked = msg.checks, msg.err, msg.err == nil
	case startedMsg:
		w.busy = false
		if w.err = msg.err; msg.err != nil {
			w.yes = false
			return nil
		}
		w.step, w.unit = stepRun, msg.started.Unit
		w.asked[w.unit] = true
		if msg.started.AlreadyRunning {
			return say(toneWarn, clean(w.unit)+" was already running: this is that run")
		}
	}
	return nil
}

// badTarget is why the name cannot be used, or "".
func (w *wizard) badTarget() string {
	name := w.target.text
	switch {
	case name == "":
		return "type the new database's name"
	case len(name) > maxName:
		return fmt.Sprintf("%d bytes; PostgreSQL cuts names at %d", len(name), maxName)
	case name == w.set.Database:
		return "that is the source; this restore makes a new database beside it"
	case slices.Contains(w.names, name):
		return "a database of this name exists"
	case slices.Contains([]string{"postgres", "template0", "template1"}, name):
		return "that name is PostgreSQL's own"
	case clean(name) != name:
		return "it holds characters that cannot be seen"
	}
	return ""
}

func (w *wizard) request() RestoreRequest {
	return RestoreRequest{Set: w.set, Target: w.target.text, Globals: w.globals, Jobs: w.jobs}
}

func (w *wizard) preflight() tea.Cmd {
	w.checks, w.checked, w.planErr, w.yes = nil, false, nil, false
	p, req := w.Sources.Planner, w.request()
	if p == nil {
		w.planErr = w.missing("planner")
		return nil
	}
	return w.plan.ask(w.ctx, w.update, func(ctx context.Context) tea.Msg {
		checks, err := p.Preflight(ctx, req)
		return planMsg{checks, err}
	})
}

// green reports whether the plan may be run.
func (w *wizard) green() bool {
	return w.checked && !slices.ContainsFunc(w.checks, func(c Check) bool { return !c.OK })
}

// dead is why the button does nothing, or "".
func (w *wizard) dead() string {
	switch {
	case w.denied() != "":
		return w.denied()
	case w.planErr != nil:
		return "the checks could not be made"
	case !w.checked:
		return "the checks go on"
	case !w.green():
		return "a check failed"
	}
	return ""
}

func (w *wizard) press() tea.Cmd {
	if !w.yes {
		return w.post(popMsg{w})
	}
	if why := w.dead(); why != "" {
		return say(toneWarn, "restore: ", why)
	}
	w.busy, w.err = true, nil
	act, req := w.Write.Actions, w.request()
	ctx := context.WithoutCancel(w.ctx)
	return w.start.ask(ctx, w.update, func(ctx context.Context) tea.Msg {
		s, err := act.Restore(ctx, req)
		return startedMsg{s, err}
	})
}

func (w *wizard) lively() bool {
	r, ok := w.runOf(w.unit)
	return ok && r.State.Live()
}

// back undoes one step, until the restore has been started.
func (w *wizard) back() bool {
	if w.busy {
		return true
	}
	if w.step == stepTarget || w.step == stepRun {
		return false
	}
	w.step--
	w.plan.stop()
	return true
}

func (w *wizard) copyText() string {
	if w.step == stepTarget {
		return ""
	}
	return w.target.text
}

func (w *wizard) cliLine() string {
	if w.step == stepRun {
		return "systemctl status " + quote(w.unit)
	}
	return restoreLine(w.request())
}
