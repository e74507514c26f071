// The keys of a restore: `R`, which begins it on every screen that shows a set, and the wizard's, step by step.

package ui

import (
	"cmp"

	tea "github.com/charmbracelet/bubbletea"
)

// restoreKey is how a screen offers the restore of a set.
func restoreKey(help, off string, run func() tea.Cmd) binding {
	return binding{keys: []string{"R"}, short: "restore", help: help, off: off, run: run}
}

// typed takes text while the target's name, or a mapping of roles, is being typed.
func (w *wizard) typed(k tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case !w.typing():
		return nil, false
	case w.step == stepTarget:
		return nil, w.target.key(k)
	}
	return nil, w.roles.key(k)
}

func (w *wizard) typing() bool {
	return w.step == stepTarget || w.step == stepOptions && w.selected().typed
}

func (w *wizard) keys() []binding {
	back := binding{keys: []string{"esc"}, short: "back", help: "one step back", run: w.stepBack}
	switch w.step {
	case stepWay:
		return w.wayKeys()
	case stepTarget:
		return []binding{
			{keys: []string{"enter"}, short: "go on", help: "on to the options", off: w.badTarget(), run: w.afterTarget},
			back,
			{keys: []string{"ctrl+u"}, short: "clear", help: "clear the name", run: func() tea.Cmd { return nil }},
		}
	case stepOptions:
		return append([]binding{
			{keys: []string{"enter"}, short: "plan", help: "on to plan and checks", off: w.badOptions(), run: w.toPlan},
			back,
		}, w.optionKeys()...)
	}
	return w.planKeys(back)
}

func (w *wizard) wayKeys() []binding {
	choose := func(n int) func() tea.Cmd {
		return func() tea.Cmd {
			w.setWay((n + len(ways)) % len(ways))
			return nil
		}
	}
	return []binding{
		{keys: []string{"enter"}, short: "go on", help: "on to the target's name", run: w.afterWay},
		{keys: []string{"esc"}, short: "leave", help: "leave; nothing was changed", run: w.stepBack},
		{keys: []string{"down", "j", "tab"}, label: "↑ ↓", short: "choose", help: "choose", run: choose(w.way + 1)},
		{keys: []string{"up", "k", "shift+tab"}, run: choose(w.way - 1)},
	}
}

// afterWay lets the parts be picked, or goes on to the target.
func (w *wizard) afterWay() tea.Cmd {
	if !ways[w.way].parts {
		w.step = stepTarget
		return nil
	}
	return w.post(pushMsg{newPicker(w.shared, w.set, w.picked, func(p picked) {
		w.picked, w.step = p, stepTarget
	})})
}

func (w *wizard) afterTarget() tea.Cmd {
	if ways[w.way].existing {
		return w.toPlan()
	}
	w.step, w.option = stepOptions, 0
	return nil
}

func (w *wizard) stepBack() tea.Cmd {
	if w.back() {
		return nil
	}
	return w.post(popMsg{w})
}

// toPlan shows the plan; that of a change to a live database is a page of its own.
func (w *wizard) toPlan() tea.Cmd {
	if by := ways[w.way]; by.live || by.existing {
		return w.post(pushMsg{newGate(w.shared, w.request(), w)})
	}
	w.step = stepPlan
	return w.ask()
}

func (w *wizard) planKeys(back binding) []binding {
	busy := ""
	if w.busy {
		busy = "systemd is being asked"
	}
	enter := "leave"
	if w.yes {
		enter = "restore"
	}
	return append([]binding{
		{
			keys: []string{"tab", "left", "right", "h", "l"}, label: "tab", short: "choose", help: "between Cancel and Restore",
			off: cmp.Or(busy, w.dead()),
			run: func() tea.Cmd { w.yes = !w.yes; return nil },
		},
		{keys: []string{"enter"}, short: enter, help: "press the button", off: busy, run: w.press},
		{keys: []string{"e", "r"}, label: "e", short: "check again", help: "check again", off: busy, run: w.ask},
		back,
	}, w.preflight.pager.moves()...)
}
