// The page before a live database is changed: replaced by a backup or by one that was kept, or given rows.
// Tier 3. In reverse colours, so that nobody takes it for another; the database's own name has to be typed, and until
// the preflight is green the button is dead. Ending connections is a choice of its own.

package ui

import (
	"cmp"
	"context"

	tea "github.com/charmbracelet/bubbletea"
)

type gate struct {
	typedGate
	request   RestoreRequest
	preflight preflight
}

func newGate(sh *shared, r RestoreRequest, under screen) *gate {
	return &gate{typedGate: typedGate{shared: sh, under: under}, request: r}
}

// askUndo is the page that puts back what was live before. It takes the place of the page under it,
// which tells of a state that is over then.
func askUndo(sh *shared, r RestoreRequest, under screen) tea.Cmd {
	if why := sh.denied(); why != "" {
		return say(toneWarn, "undo: ", why)
	}
	return sh.post(pushMsg{newGate(sh, r, under)})
}

func (g *gate) name() string { return g.verb() }

func (g *gate) verb() string {
	switch {
	case g.request.Swap != "":
		return "Put back"
	case g.request.DataOnly:
		return "Put rows in"
	}
	return "Replace"
}

func (g *gate) enter(ctx context.Context) tea.Cmd {
	g.ctx = ctx
	return g.check()
}

func (g *gate) check() tea.Cmd {
	return g.preflight.ask(g.ctx, g.shared, g.request, g.update)
}

func (g *gate) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case planMsg:
		g.preflight.got(msg)
	case startedMsg:
		return g.asked(g, msg)
	}
	return nil
}

// dead is why the button does nothing, or "".
func (g *gate) dead() string {
	switch why := cmp.Or(g.denied(), g.preflight.dead()); {
	case why != "":
		return why
	case g.preflight.plan.Left:
		return "the checks could not be made from here"
	case g.input.text() == "":
		return "type its name"
	case g.input.text() != g.request.live():
		return "that is not its name"
	}
	return ""
}

func (g *gate) keys() []binding {
	busy := g.waits()
	ends := "end connections"
	if g.request.Terminate {
		ends = "leave connections"
	}
	keys := []binding{
		{
			keys: []string{"enter"}, short: g.verb(), help: "do it, once the name is typed and every check has passed",
			off: cmp.Or(busy, g.dead()), run: g.press,
		},
		g.leaving(g, "nothing was changed"),
	}
	if !g.request.DataOnly {
		keys = append(keys,
			binding{
				keys: []string{"tab"}, short: ends, help: "whether connections are ended; the checks are made again", off: busy,
				run: g.toggle,
			})
	}
	return append(append(
		keys,
		binding{keys: []string{"ctrl+r"}, short: "check again", help: "check again", off: busy, run: g.check},
	), g.preflight.pager.moves()...)
}

func (g *gate) toggle() tea.Cmd {
	g.request.Terminate = !g.request.Terminate
	return g.check()
}

func (g *gate) press() tea.Cmd {
	g.busy, g.err = true, nil
	r := g.request
	r.Confirm = g.input.text()
	return startRestore(g.ctx, g.shared, &g.start, r, g.update)
}

func (g *gate) cliLine() string { return restoreLine(g.shared, g.request) }
