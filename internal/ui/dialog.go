// The tier 1 and tier 2 dialogs. The focus starts on Cancel; a tier 2 dialog wants y before enter.
// The dialog starts the unit and then shows the run: it does not wait for its end.

package ui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
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
	reason line
	yes    bool // focus is on the verb
	busy   bool
	err    error
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
		return tea.Batch(d.post(popMsg{d}), say(toneGood, d.title, ": asked systemd"))
	}
	return afterStart(d.shared, m.started)
}

// afterStart shows the run that was started.
func afterStart(sh *shared, s Started) tea.Cmd {
	sh.asked[s.Unit] = true
	text, n := "started "+clean(s.Unit)+"; leaving the console does not stop it", toneGood
	if s.AlreadyRunning {
		text, n = clean(s.Unit)+" was already running: this is that run", toneWarn
	}
	return tea.Batch(sh.post(replaceMsg{newRunView(sh, s.Unit)}), say(n, text))
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
	enter := strings.ToLower(d.safe())
	if d.yes {
		enter = strings.ToLower(d.verb)
	}
	return []binding{
		arm,
		{keys: []string{"enter"}, short: enter, help: "press the button", off: busy, run: d.press},
		{keys: []string{"esc"}, short: "cancel", help: "close, change nothing", off: busy, run: func() tea.Cmd { return d.post(popMsg{d}) }},
	}
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
		lines = append(lines, d.faint.Render(fit("Reason", 11))+" "+d.reason.view(d.theme)+d.faint.Render(" optional, kept in the journal"))
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

func (d *dialog) safe() string { return first(d.no, "Cancel") }

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

// askBackup is the dialog for b.
func askBackup(sh *shared, j Job) tea.Cmd {
	if why := sh.denied(); why != "" {
		return say(toneWarn, "back up: ", why)
	}
	expect, length := "?  no backup to compare with", "?"
	for i := range sh.sets.value {
		s := &sh.sets.value[i]
		if s.Database == j.Database && sh.ours(s) && s.Good() && s.Manifest != nil {
			expect = size(rawSize(s)) + " read, " + size(s.StoredSize) + " stored, like the last one"
			length = "about " + took(s.Manifest.FinishedAt.Sub(s.Manifest.StartedAt))
			break
		}
	}
	act := sh.Write.Actions
	return sh.post(boxMsg{&dialog{
		shared: sh, title: "Back up " + clean(j.Database), verb: "Back up", cli: j.CLI,
		facts: [][2]string{
			{"Starts", clean(j.Unit)},
			{"To", orUnknown(sh.Identity.Place)},
			{"Expected", expect},
			{"Time", length},
			{"", "The database stays in use; nothing is deleted but by retention."},
		},
		do: func(ctx context.Context) (Started, error) { return act.BackUp(ctx, j) },
	}})
}

// askVerify is the dialog for v.
func askVerify(sh *shared, s backup.Set) tea.Cmd {
	if why := sh.denied(); why != "" {
		return say(toneWarn, "verify: ", why)
	}
	length := "?"
	for _, p := range s.Proofs { // newest first
		if p.Kind == "verify" && p.OK {
			length = "last time " + took(p.FinishedAt.Sub(p.StartedAt))
			break
		}
	}
	facts := [][2]string{
		{"Starts", "postgres-verify@….service"},
		{"Backup", clean(s.ID)},
		{"Reads", size(s.StoredSize) + " from the bucket, which may cost money"},
		{"Time", length},
		{"Shows", "every byte is there, decrypts, and pg_restore can decode it"},
	}
	act := sh.Write.Actions
	return sh.post(boxMsg{&dialog{
		shared: sh, title: "Verify a backup of " + orUnknown(s.Database), verb: "Verify", facts: facts,
		cli: "pgbtui verify " + quote(s.ID),
		do:  func(ctx context.Context) (Started, error) { return act.Verify(ctx, s) },
	}})
}

// askCancel is the tier 2 dialog for X.
func askCancel(sh *shared, r UnitRun) tea.Cmd {
	consequence := map[string]string{
		"backup":  "The upload is aborted; no backup comes of this run. Older backups stay.",
		"verify":  "The verification stops; the backup stays as it is, without new proof.",
		"restore": "The restore stops; the half-filled new database stays until you drop it.",
	}[r.Action]
	d := &dialog{
		shared: sh, title: "Cancel the " + runTitle(r), no: "Let it run", verb: "Stop the run", strict: true,
		cli:   "systemctl stop " + quote(r.Unit),
		facts: [][2]string{{"Stops", clean(r.Unit)}, {"Then", first(consequence, "The unit is stopped.")}},
	}
	d.do = func(ctx context.Context) (Started, error) {
		return Started{Unit: r.Unit}, sh.Write.Cancel.Cancel(ctx, r.Unit, d.reason.text)
	}
	return sh.post(boxMsg{d})
}
