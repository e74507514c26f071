// All that is wrong in full, where the overview has no room for it.

package ui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// wrongPage shows what the overview would on a larger terminal.
type wrongPage struct {
	*shared
	of    *overview
	pager pager
}

func (p *wrongPage) name() string                  { return "Wrong now" }
func (p *wrongPage) enter(context.Context) tea.Cmd { return nil }
func (p *wrongPage) update(tea.Msg) tea.Cmd        { return nil }
func (p *wrongPage) keys() []binding               { return p.pager.moves() }
func (p *wrongPage) filterText() string            { return p.pager.find }
func (p *wrongPage) setFilter(s string)            { p.pager.search(s) }
func (p *wrongPage) jump(by int)                   { p.pager.next(by) }
func (p *wrongPage) cliLine() string               { return "pgbtui watch" }

// copyText is all of it, for a message to somebody else.
func (p *wrongPage) copyText() string {
	return strings.TrimSpace(ansi.Strip(strings.Join(p.lines(talkWidth), "\n")))
}

func (p *wrongPage) lines(w int) []string {
	lines := p.of.wrong(p.of.shown(), w)
	if len(lines) == 0 {
		return []string{"", "   nothing is wrong now"}
	}
	return lines[1:]
}

func (p *wrongPage) view(w, h int) string {
	return strings.Join(p.pager.view(p.theme, p.lines(w), w, h), "\n")
}

// nothingWrong is why there is no such page now, or "".
func (o *overview) nothingWrong() string {
	if len(o.wrong(o.shown(), talkWidth)) == 0 {
		return "nothing is wrong"
	}
	return ""
}
