// The pages of tier 3: in reverse colours throughout, so that nobody takes one for another. Something has
// to be typed; then systemd is asked, once, and the run that was started takes the page's place.

package ui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// typedGate is what these pages have in common. The page says when what is typed is right.
type typedGate struct {
	*shared
	under screen // a page that ends with this one; nil for none
	input line
	busy  bool
	err   error
	start asker
	ctx   context.Context
}

func (g *typedGate) typing() bool                       { return !g.busy }
func (g *typedGate) typed(k tea.KeyMsg) (tea.Cmd, bool) { return nil, g.typing() && g.input.key(k) }
func (g *typedGate) copyText() string                   { return "" }

// waits is why no key does anything, or "".
func (g *typedGate) waits() string {
	if g.busy {
		return "systemd is being asked"
	}
	return ""
}

// leaving is the key that leaves a page without doing anything.
func (g *typedGate) leaving(page screen, untouched string) binding {
	return binding{
		keys: []string{"esc"}, short: "leave", help: "leave; " + untouched, off: g.waits(),
		run: func() tea.Cmd { return g.post(popMsg{page}) },
	}
}

// asked takes in what systemd answered to a page: after a refusal it has to be typed again.
func (g *typedGate) asked(page screen, m startedMsg) tea.Cmd {
	g.busy = false
	if g.err = m.err; m.err != nil {
		g.input.set("")
		return nil
	}
	cmds := []tea.Cmd{g.post(popMsg{page})}
	if g.under != nil {
		cmds = append(cmds, g.post(popMsg{g.under}))
	}
	return tea.Batch(append(cmds, afterStart(g.shared, m.started))...)
}

// foot is the prompt, with what went wrong before above it; while systemd is asked that is said instead.
func (g *typedGate) foot(w int, prompt ...string) (lines []string) {
	if g.err != nil {
		lines = g.trouble(g.err, w)
	}
	if g.busy {
		prompt = []string{"  ▶ asking systemd …"}
	}
	return append(append(lines, ""), prompt...)
}

// dangerPage has its title on top, lines that scroll, and what is typed at its foot.
type dangerPage struct {
	title string
	lines []string
	foot  []string
}

func (p dangerPage) view(t theme, scroll *pager, w, h int) string {
	head := []string{"", "  " + p.title, ""}
	if h < 16 {
		head = head[1:2]
	}
	room := max(3, h-len(head)-len(p.foot))
	lines := scroll.view(t, p.lines, w, room)
	for len(lines) < room {
		lines = append(lines, "")
	}
	out := make([]string, 0, h)
	for _, l := range head {
		out = append(out, t.alarm.Render(fit(ansi.Strip(l), w)))
	}
	for _, l := range append(lines, p.foot...) {
		out = append(out, t.reverse.Render(fit(ansi.Strip(l), w)))
	}
	return strings.Join(out, "\n")
}
