package ui

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// What the outside tests may use of the inside.
var (
	Frame       = frame
	GoesOn      = goesOn
	Clipboard   = clipboard
	StateText   = stateText
	RunMarkText = func(s RunState) string { return runMark(s).text() }
	Watched     = func(f *os.File, gone func()) io.Reader { return &watched{f, gone} }
)

// Driver drives a root by messages, without a terminal.
type Driver struct {
	t    testing.TB
	root *root
	msgs chan tea.Msg
	stop context.CancelFunc
	Quit bool
}

// Drive starts a console of w x h cells.
func Drive(t testing.TB, o Options, w, h int) *Driver {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	d := &Driver{t: t, root: newRoot(ctx, o), msgs: make(chan tea.Msg, 64), stop: cancel}
	d.run(d.root.Init())
	d.apply(tea.WindowSizeMsg{Width: w, Height: h})
	return d
}

func (d *Driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for _, c := range batch {
				d.run(c)
			}
			return
		}
		if msg != nil {
			d.msgs <- msg
		}
	}()
}

func (d *Driver) apply(msg tea.Msg) {
	if _, quit := msg.(tea.QuitMsg); quit {
		d.Quit = true
	}
	_, cmd := d.root.Update(msg)
	d.run(cmd)
}

// Resize tells a new size.
func (d *Driver) Resize(w, h int) { d.apply(tea.WindowSizeMsg{Width: w, Height: h}) }

// Press presses keys one after the other: "enter", "esc", "tab", or runes.
func (d *Driver) Press(keys ...string) *Driver {
	for _, k := range keys {
		d.apply(press(k))
	}
	return d
}

func press(name string) tea.KeyMsg {
	named := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "ctrl+c": tea.KeyCtrlC,
		"backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd, "ctrl+left": tea.KeyCtrlLeft, "ctrl+right": tea.KeyCtrlRight,
		"ctrl+k": tea.KeyCtrlK, "ctrl+u": tea.KeyCtrlU, "ctrl+v": tea.KeyCtrlV, "ctrl+w": tea.KeyCtrlW,
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "ctrl+r": tea.KeyCtrlR,
	}
	switch t, ok := named[name]; {
	case ok:
		return tea.KeyMsg{Type: t}
	case name == " ":
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(" ")}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// Line is a line that is typed into.
type Line struct{ line }

// NewLine is one that holds text.
func NewLine(text string) *Line { return &Line{newLine(text)} }

// Key gives it one message.
func (l *Line) Key(k tea.KeyMsg) bool { return l.key(k) }

// Press presses keys, and reports whether the line took the last one.
func (l *Line) Press(keys ...string) (taken bool) {
	for _, k := range keys {
		taken = l.key(press(k))
	}
	return taken
}

// Text is what it holds.
func (l *Line) Text() string { return l.text() }

// View is how it is drawn in w cells, without colours.
func (l *Line) View(w int) string { return ansi.Strip(l.view(theme{}, w)) }

// Plain is how the pages in reverse colours draw it.
func (l *Line) Plain() string { return l.plain() }

// Type types text at once, as a slow link delivers it.
func (d *Driver) Type(text string) *Driver {
	d.apply(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text)})
	return d
}

// Send hands over one message.
func (d *Driver) Send(msg tea.Msg) { d.apply(msg) }

// Worked are the lists that were worked out of the feeds last: the same until a feed is read again.
func (d *Driver) Worked() [2]any {
	return [2]any{&d.root.tabs[1].(*backups).shown()[0], &assess(d.root.shared)[0]}
}

// JournalKept is how many lines the journal's tab keeps.
func (d *Driver) JournalKept() int { return len(d.root.tabs[4].(*journalScreen).entries) }

// Until takes messages until the screen shows text, and fails after a long time.
func (d *Driver) Until(text string) *Driver {
	d.t.Helper()
	return d.UntilIs("shows "+text, func(view string) bool { return strings.Contains(view, text) })
}

// UntilIs takes messages until ok.
func (d *Driver) UntilIs(what string, ok func(view string) bool) *Driver {
	d.t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok(d.root.View()) {
		select {
		case msg := <-d.msgs:
			d.apply(msg)
		case <-deadline:
			d.t.Fatalf("never: %s\n%s", what, d.root.View())
		}
	}
	return d
}

// PageRead waits for the page of the history that is on its way.
func (d *Driver) PageRead() *Driver {
	d.t.Helper()
	return d.UntilIs("a page of the history was read", func(string) bool { return !d.root.tabs[2].(*runsScreen).past.asked })
}

// BucketRead waits for what the bucket screen has asked for.
func (d *Driver) BucketRead() *Driver {
	d.t.Helper()
	return d.UntilIs("the bucket's answers are there", func(string) bool {
		s := d.root.tabs[5].(*bucketScreen)
		return s.ctx == nil || !s.buckets.unread() && !s.projects.unread()
	})
}

// View is the frame.
func (d *Driver) View() string { return d.root.View() }

// Keys are all key tables: those of the screen in front and of the shell.
func (d *Driver) Keys() (own, all []string) {
	for _, b := range d.root.top().keys() {
		own = append(own, b.keys...)
	}
	for _, b := range d.root.globals() {
		all = append(all, b.keys...)
	}
	return own, all
}

// Tick lets the clock that is under way strike.
func (d *Driver) Tick() { d.apply(tickMsg{d.root.ticks.id}) }

// Fed waits until every source has answered or failed.
func (d *Driver) Fed() *Driver {
	d.t.Helper()
	return d.UntilIs("every source answered", func(string) bool {
		r := d.root
		return (r.sets.err != nil || r.sets.have) && (r.runs.err != nil || r.runs.have) && (r.timers.err != nil || r.timers.have)
	})
}

// NextTick is how far away the next tick would be.
func (d *Driver) NextTick() time.Duration {
	now := d.root.Now()
	return d.root.nextTick(now).Sub(now)
}
