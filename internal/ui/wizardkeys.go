// The wizard's keys, step by step.

package ui

import tea "github.com/charmbracelet/bubbletea"

// typed takes text while the target's name is being typed.
func (w *wizard) typed(k tea.KeyMsg) (tea.Cmd, bool) {
	return nil, w.typing() && w.target.key(k)
}

func (w *wizard) typing() bool { return w.step == stepTarget }

func (w *wizard) keys() []binding {
	back := binding{keys: []string{"esc"}, short: "back", help: "one step back", run: w.stepBack}
	switch w.step {
	case stepTarget:
		return []binding{
			{keys: []string{"enter"}, short: "options", help: "on to the options", off: w.badTarget(), run: w.to(stepOptions)},
			{keys: []string{"esc"}, short: "leave", help: "leave; nothing was changed", run: w.stepBack},
			{keys: []string{"ctrl+u"}, short: "clear", help: "clear the name", run: func() tea.Cmd { return nil }},
		}
	case stepOptions:
		return append([]binding{
			{keys: []string{"enter"}, short: "plan", help: "on to plan and checks", run: w.toPlan},
			back,
		}, w.optionKeys()...)
	case stepPlan:
		return w.planKeys(back)
	}
	return w.runStepKeys()
}

func (w *wizard) stepBack() tea.Cmd {
	if w.back() {
		return nil
	}
	return w.post(popMsg{w})
}

func (w *wizard) to(step int) func() tea.Cmd {
	return func() tea.Cmd {
		w.step = step
		return nil
	}
}

func (w *wizard) toPlan() tea.Cmd {
	w.step = stepPlan
	return w.preflight()
}

func (w *wizard) optionKeys() []binding {
	change := func(by int) func() tea.Cmd {
		return func() tea.Cmd {
			if w.option == 0 {
				w.globals = !w.globals && w.hasGlobals()
			} else {
				w.jobs = max(1, min(maxJobs, w.jobs+by))
			}
			return nil
		}
	}
	choose := func() tea.Cmd { w.option = 1 - w.option; return nil }
	return []binding{
		{keys: []string{"j", "k", "down", "up", "tab"}, label: "j k", short: "choose", help: "the other option", run: choose},
		{keys: []string{"l", "right", " ", "+"}, label: "→", short: "more", help: "change the option", run: change(1)},
		{keys: []string{"h", "left", "-"}, label: "h", short: "less", help: "change the option back", run: change(-1)},
	}
}

func (w *wizard) hasGlobals() bool { return w.set.Manifest != nil && w.set.Manifest.Globals != nil }

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
			keys: []string{"tab", "left", "right", "h", "l"}, label: "tab", short: "choose", help: "between Cancel and Restore", off: first(busy, w.dead()),
			run: func() tea.Cmd { w.yes = !w.yes; return nil },
		},
		{keys: []string{"enter"}, short: enter, help: "press the button", off: busy, run: w.press},
		{keys: []string{"e", "r"}, label: "e", short: "check again", help: "check again", off: busy, run: w.preflight},
		back,
	}, w.pager.moves()...)
}

func (w *wizard) runStepKeys() []binding {
	return []binding{
		{
			keys: []string{"enter", "o"}, label: "enter", short: "open the run", help: "the run with its last lines",
			run: func() tea.Cmd { return w.post(pushMsg{newRunView(w.shared, w.unit)}) },
		},
		{keys: []string{"esc"}, short: "close, it goes on", help: "close; the restore goes on", run: func() tea.Cmd { return w.post(popMsg{w}) }},
	}
}
