// The restore wizard: what comes back and where to, options, plan with preflight, then the run's own
// page. Source and target stay on screen. Nothing is written before the last enter, and the unit checks
// everything again. What changes a live database ends on a page of its own (gate.go).

package ui

import (
	"cmp"
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// Steps of the wizard.
const (
	stepWay = iota
	stepTarget
	stepOptions
	stepPlan
)

type wizard struct {
	*shared
	set    backup.Set
	step   int
	way    int
	picked picked
	target line

	names    []string // databases on the target server
	namesOK  bool
	nameErr  error
	namesAsk asker

	option    int
	roles     line
	want      RestoreRequest // what the options say
	preflight preflight
	yes       bool
	busy      bool
	err       error
	start     asker
	ctx       context.Context
}

type namesMsg struct {
	names []string
	err   error
}

func askRestore(sh *shared, s backup.Set) tea.Cmd { return sh.post(pushMsg{newWizard(sh, s)}) }

func newWizard(sh *shared, s backup.Set) *wizard {
	w := &wizard{shared: sh, set: s, want: RestoreRequest{From: s.At}}
	w.setWay(0)
	return w
}

// way is one kind of restore.
type way struct {
	title, about string
	parts        bool // tables and schemas are picked
	existing     bool // rows into a database that is there
	live         bool // in the place of one
}

var ways = []way{
	{title: "everything, into a new database", about: "What exists is not touched"},
	{title: "some tables or schemas, into a new database", about: "They come with what they need to exist", parts: true},
	{
		title: "rows of some tables, into an existing database", about: "Its tables of these names must be empty",
		parts: true, existing: true,
	},
	{title: "everything, in the place of a live database", about: "That one is kept under another name", live: true},
}

func (w *wizard) setWay(n int) {
	w.way = n
	w.target.set(suggested(w.set.Database, w.now))
	if ways[n].existing || ways[n].live {
		w.target.set(w.set.Database)
	}
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
		w.names = msg.names
		w.nameErr = msg.err
		w.namesOK = msg.err == nil
	case planMsg:
		w.preflight.got(msg)
	case startedMsg:
		w.busy = false
		if w.err = msg.err; msg.err != nil {
			w.yes = false
			return nil
		}
		return tea.Batch(w.post(popMsg{w}), afterStart(w.shared, msg.started))
	}
	return nil
}

// request is what is asked for, of which only that counts which goes with the way.
func (w *wizard) request() RestoreRequest {
	r, by := w.want, ways[w.way]
	r.Set = w.set
	if by.parts {
		r.Tables = w.picked.tables()
		r.Schemas = w.picked.schemas()
		r.Jobs = 0
	}
	switch {
	case by.live:
		r.Replace, r.SchemaOnly = w.target.text(), false
	case by.existing:
		r = RestoreRequest{Set: w.set, From: r.From, Request: restore.Request{
			To: w.target.text(), Tables: r.Tables, Schemas: r.Schemas, DataOnly: true,
		}}
	default:
		r.To, r.Terminate = w.target.text(), false
	}
	if r.SchemaOnly {
		r.Jobs = 0
	}
	if !by.existing {
		r.Roles, _ = parseRoles(w.roles.text())
	}
	return r
}

func (w *wizard) ask() tea.Cmd {
	w.yes = false
	return w.preflight.ask(w.ctx, w.shared, w.request(), w.update)
}

// dead is why the button does nothing, or "".
func (w *wizard) dead() string { return cmp.Or(w.denied(), w.preflight.dead()) }

func (w *wizard) press() tea.Cmd {
	if !w.yes {
		return w.post(popMsg{w})
	}
	if why := w.dead(); why != "" {
		return say(toneWarn, "restore: ", why)
	}
	w.busy, w.err = true, nil
	return startRestore(w.ctx, w.shared, &w.start, w.request(), w.update)
}

// startRestore hands a request to its unit. It outlives the page: closing that must not leave a start
// half asked for.
func startRestore(ctx context.Context, sh *shared, a *asker, r RestoreRequest, to func(tea.Msg) tea.Cmd) tea.Cmd {
	act := sh.Write.Actions
	return a.ask(context.WithoutCancel(ctx), to, func(ctx context.Context) tea.Msg {
		s, err := act.Restore(ctx, r)
		return startedMsg{s, err}
	})
}

// back undoes one step, until the restore has been started.
func (w *wizard) back() bool {
	switch {
	case w.busy:
		return true
	case w.step == stepWay:
		return false
	default:
		w.step--
	}
	w.preflight.asker.stop()
	return true
}

func (w *wizard) copyText() string {
	if w.step <= stepTarget {
		return ""
	}
	return w.target.text()
}

func (w *wizard) cliLine() string { return restoreLine(w.shared, w.request()) }

func (w *wizard) hasGlobals() bool { return w.set.Manifest != nil && w.set.Manifest.Globals != nil }

func (w *wizard) exists(name string) bool { return slices.Contains(w.names, name) }
