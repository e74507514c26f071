// How the pages of tier 3 look: in reverse colours throughout, so that nobody takes one for another.

package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

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
