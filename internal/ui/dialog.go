// The tier 1 and tier 2 dialogs. The focus starts on Cancel; a tier 2 dialog wants y before enter.
// The dialog starts the unit and then shows the run: it does not wait for its end.

package ui

import (
	"cmp"
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// dialog asks once and acts once.
type dialog struct {
	*shared
	title  string
	facts  [][2]string
	cli    string
	no     string // on the safe button; "" = Cancel
	verb   string // on the other
	strict bool   // tier 2: y arms the button, a reason may be typed
	why    string // what becomes of the reason; default: it is optional
	reason line
	yes    bool // focus is on the verb
	busy   bool
	err    error
	turn   func(d *dialog, by int) // what left and right choose between, before the button is armed; nil: nothing
	done   string                  // what a strict one says in the end; "" = that systemd was asked
	do     func(ctx context.Context) (Started, error)
	asker  asker
	ctx    context.Context
}

type startedMsg struct {
	started Started
	err     error
}

func (d *dialog) name() string { return d.title }

func (d *dialog) enter(ctx context.Context) tea.Cmd {
	d.ctx = ctx
	return nil
}

func (d *dialog) update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(startedMsg)
	if !ok {
		return nil
	}
	d.busy = false
	if d.err = m.err; m.err != nil {
		d.yes = false
		return nil
	}
	if d.strict {
		return tea.Batch(d.post(popMsg{d}), d.post(rereadMsg{}), say(toneGood, cmp.Or(d.done, d.title+": asked systemd")))
	}
	return afterStart(d.shared, m.started)
}

// rereadMsg asks the shell to read the bucket again, which was changed from here.
type rereadMsg struct{}

// afterStart shows the run that was started.
func afterStart(sh *shared, s Started) tea.Cmd {
	sh.asked[s.Unit] = true
	text, n := "started; leaving the console does not stop it", toneGood
	if s.AlreadyRunning {
		text, n = "it was already running: this is that run", toneWarn
	}
	return tea.Batch(sh.post(replaceMsg{newRunView(sh, s.Unit)}), sh.post(toastMsg{text, n}))
}

func (d *dialog) keys() []binding {
	busy := ""
	if d.busy {
		busy = "systemd is being asked"
	}
	arm := binding{
		keys: []string{"tab", "left", "right", "h", "l", "shift+tab"}, label: "tab", short: "choose",
		help: "between " + d.safe() + " and " + d.verb, off: busy, run: func() tea.Cmd { d.yes = !d.yes; return nil },
	}
	if d.strict {
		arm = binding{
			keys: []string{"y"}, short: "arm", help: "y, then enter: " + d.verb, off: busy,
			run: func() tea.Cmd { d.yes = true; return nil },
		}
	}
	all := []binding{arm}
	if d.turn != nil {
		step := func(by int) func() tea.Cmd { return func() tea.Cmd { d.turn(d, by); return nil } }
		all = append(all,
			binding{
				keys: []string{"right", "l", "down"}, label: "right", short: "other", help: "the next choice", off: busy,
				run: step(1),
			},
			binding{keys: []string{"left", "h", "up"}, label: "left", help: "the choice before", off: busy, run: step(-1)})
	}
	enter := strings.ToLower(d.safe())
	if d.yes {
		enter = strings.ToLower(d.verb)
	}
	return append(all, []binding{
		{keys: []string{"enter"}, short: enter, help: "press the button", off: busy, run: d.press},
		{
			keys: []string{"esc"}, short: "cancel", help: "close, change nothing", off: busy,
			run: func() tea.Cmd { return d.post(popMsg{d}) },
		},
	}...)
}

// typed takes the reason of a tier 2 dialog, once it is armed.
func (d *dialog) typed(k tea.KeyMsg) (tea.Cmd, bool) {
	return nil, d.typing() && d.reason.key(k)
}

func (d *dialog) typing() bool { return d.strict && d.yes && !d.busy }

func (d *dialog) press() tea.Cmd {
	if !d.yes {
		return d.post(popMsg{d})
	}
	d.busy, d.err = true, nil
	do := d.do
	// The request outlives the dialog: closing it must not leave a start half asked for.
	ctx := context.WithoutCancel(d.ctx)
	return d.asker.ask(ctx, d.update, func(ctx context.Context) tea.Msg {
		s, err := do(ctx)
		return startedMsg{s, err}
	})
}

func (d *dialog) copyText() string { return d.cli }
func (d *dialog) cliLine() string  { return d.cli }

func (d *dialog) view(w, h int) string {
	iw := min(72, w-6)
	var lines []string
	for _, f := range d.facts {
		for i, l := range wrap(f[1], iw-12) {
			label := f[0]
			if i > 0 {
				label = ""
			}
			lines = append(lines, d.faint.Render(fit(label, 11))+" "+l)
		}
	}
	for i, l := range wrap(d.cli, iw-12) {
		label := ""
		if i == 0 {
			label = "Same as"
		}
		lines = append(lines, d.faint.Render(fit(label, 11))+" "+d.bold.Render(l))
	}
	if d.strict && d.yes {
		lines = append(lines,
			d.faint.Render(fit("Reason", 11))+" "+d.reason.view(d.theme, iw-12)+
				d.faint.Render(" "+cmp.Or(d.why, "optional, kept in the journal")))
	}
	if d.err != nil {
		lines = append(lines, "")
		for _, l := range wrap("✗ "+errorLine(d.err), iw) {
			lines = append(lines, d.bad.Render(l))
		}
	}
	lines = append(lines, "", d.buttons())
	return d.boxed(d.title, lines, iw, tonePlain)
}

func (d *dialog) buttons() string {
	if d.busy {
		return d.theme.busy.Render("▶ asking systemd …")
	}
	return d.theme.buttons(d.safe(), d.verb, d.yes) + d.hint()
}

func (d *dialog) safe() string { return cmp.Or(d.no, "Cancel") }

func (d *dialog) hint() string {
	if d.strict && !d.yes {
		return d.faint.Render("   y, then enter")
	}
	return ""
}

// buttons draws the safe one and a verb; the one in focus is reversed and bracketed.
func (t theme) buttons(safe, verb string, yes bool) string {
	if yes {
		return "  " + safe + "     " + t.reverse.Render("[ "+verb+" ]")
	}
	return t.reverse.Render("[ "+safe+" ]") + "     " + verb + "  "
}
