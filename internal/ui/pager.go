// A pager: lines with an offset and a search. Plain struct; the owner makes the lines anew for
// each view, so that ages and proofs in them stay true.

package ui

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

type pager struct {
	top, height, n int
	find           string
	plain          []string // of the last view, for searching
}

func (p *pager) move(by int) { p.top = max(0, min(p.n-p.height, p.top+by)) }

func (p *pager) search(s string) {
	p.find = s
	if s != "" {
		p.seek(p.top, 1)
	}
}

func (p *pager) next(by int) { p.seek(p.top+by, by) }

// seek goes to the next line from i on that has the searched text.
func (p *pager) seek(i, by int) {
	for ; p.find != "" && i >= 0 && i < len(p.plain); i += by {
		if matches(p.plain[i], p.find) {
			p.top = max(0, min(i, p.n-1))
			return
		}
	}
}

func (p *pager) view(t theme, lines []string, w, h int) []string {
	p.n, p.height = len(lines), h
	if p.find == "" {
		p.move(0)
	}
	p.plain = make([]string, len(lines))
	for i, l := range lines {
		p.plain[i] = ansi.Strip(l)
	}
	out := make([]string, 0, h)
	for i := p.top; i < min(len(lines), p.top+h); i++ {
		l := fit(lines[i], w)
		if p.find != "" && matches(p.plain[i], p.find) {
			l = t.warn.Render(fit(p.plain[i], w))
		}
		out = append(out, l)
	}
	if rest := len(lines) - p.top - h; rest > 0 && len(out) > 0 {
		more := fmt.Sprintf(" ↓ %d more lines ", rest)
		out[len(out)-1] = fit(lines[p.top+h-1], w-len(more)+2) + t.faint.Render(more)
	}
	return out
}

func (p *pager) moves() []binding {
	act := func(by func() int) func() tea.Cmd {
		return func() tea.Cmd { p.move(by()); return nil }
	}
	return []binding{
		{
			keys: []string{"j", "down"}, label: "j k ↑ ↓", short: "scroll",
			help: "scroll; pgup pgdn by pages, g G to the ends", run: act(func() int { return 1 }),
		},
		{keys: []string{"k", "up"}, run: act(func() int { return -1 })},
		{keys: []string{"pgdown", "ctrl+f"}, run: act(func() int { return p.height - 1 })},
		{keys: []string{"pgup", "ctrl+b"}, run: act(func() int { return 1 - p.height })},
		{keys: []string{"g", "home"}, run: act(func() int { return -p.n })},
		{keys: []string{"G", "end"}, run: act(func() int { return p.n })},
	}
}

func joinNonEmpty(sep string, parts ...string) string {
	var kept []string
	for _, s := range parts {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, sep)
}
