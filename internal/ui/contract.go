// The contract between the shell and its screens. A screen is a plain struct behind a pointer; it
// is updated and drawn only by the shell, on one goroutine. A new screen is one file and one line
// in newRoot.

package ui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// screen is a tab, a page above a tab, or a box above both.
type screen interface {
	name() string
	// keys is the one table that feeds matching, the footer and the ? overlay. The first five
	// with a short word that are on make the footer.
	keys() []binding
	// enter is called when the screen is shown; ctx ends when it is left.
	enter(ctx context.Context) tea.Cmd
	update(msg tea.Msg) tea.Cmd
	// view draws at most w x h cells.
	view(w, h int) string
}

// Optional parts of a screen.
type (
	// typist gets every key first, while it returns true.
	typist interface {
		typing() bool
		typed(k tea.KeyMsg) (tea.Cmd, bool)
	}
	// filterable screens have / n N.
	filterable interface {
		filterText() string
		setFilter(string)
		jump(by int)
	}
	// copier screens have y and Y.
	copier interface {
		copyText() string // what y takes: the id or text of what is selected
		cliLine() string  // what Y takes: the line that shows or does the same
	}
	// lively screens show seconds.
	lively interface{ lively() bool }
	// steppers undo a step of their own before esc closes them.
	stepper interface {
		back() bool // true: a step was undone inside
	}
)

// binding is one row of a key table.
type binding struct {
	keys  []string // as Bubble Tea names them
	label string   // as people read them; "" = the first key
	short string   // footer word; "" = not in the footer
	help  string
	run   func() tea.Cmd
	off   string // why it cannot be used now; "" = it can
}

func (b binding) name() string {
	if b.label != "" {
		return b.label
	}
	return b.keys[0]
}

// match finds the row for a key.
func match(table []binding, key string) *binding {
	for i := range table {
		for _, k := range table[i].keys {
			if k == key {
				return &table[i]
			}
		}
	}
	return nil
}

// Messages that screens send to the shell.
type (
	gotoMsg   int    // show tab n
	filterMsg string // filter the list that is shown
	pushMsg   struct{ screen screen }
	popMsg    struct{ of screen } // leave the topmost box or page, if it is still this one
	fedMsg    struct{}            // the feeds changed
	boxMsg    struct{ screen screen }
	toastMsg  struct {
		text string
		tone tone
	}
	replaceMsg struct{ screen screen } // close boxes, then push
)

// post hands a message to the shell, which takes it before the next key: typing ahead works.
func (sh *shared) post(m tea.Msg) tea.Cmd {
	sh.posted = append(sh.posted, m)
	return nil
}

func say(n tone, parts ...string) tea.Cmd {
	text := strings.Join(parts, "")
	return func() tea.Msg { return toastMsg{text, n} }
}

// asker numbers a screen's requests: only the newest one's answer counts, and a new one, or
// leaving the screen, cancels the old.
type asker struct {
	id     int
	cancel context.CancelFunc
}

// answer is what a request came to; the shell hands it to its screen unless it is stale.
type answer struct {
	from *asker
	id   int
	to   func(tea.Msg) tea.Cmd
	msg  tea.Msg
	live bool // held back while the screen is frozen
}

// ask runs fn off the loop and brings its message to the screen.
func (a *asker) ask(ctx context.Context, to func(tea.Msg) tea.Cmd, fn func(context.Context) tea.Msg) tea.Cmd {
	if a.cancel != nil {
		a.cancel()
	}
	ctx, a.cancel = context.WithCancel(ctx)
	a.id++
	id := a.id
	return func() tea.Msg { return answer{from: a, id: id, to: to, msg: fn(ctx)} }
}

// more goes on reading for the request that is under way, as live updates.
func (a *asker) more(to func(tea.Msg) tea.Cmd, fn func() tea.Msg) tea.Cmd {
	id := a.id
	return func() tea.Msg { return answer{from: a, id: id, to: to, msg: fn(), live: true} }
}

// stop cancels what is under way; its answer will be stale.
func (a *asker) stop() {
	if a.cancel != nil {
		a.cancel()
	}
	a.id++
}
