// Rows: a list with a selection, a filter and a window, drawn as a table. Screens embed it.

package ui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// rows is the selection over n rows. The owner says n before it draws.
type rows struct {
	at, top, n int
	height     int // of the last window
	filter     string
}

func (l *rows) filterText() string    { return l.filter }
func (l *rows) jump(by int)           { l.move(by) }
func (l *rows) move(by int)           { l.at = max(0, min(l.n-1, l.at+by)) }
func (l *rows) matches(s string) bool { return matches(s, l.filter) }
func (l *rows) setFilter(s string) {
	l.filter = s
	l.at = 0
	l.top = 0
}

func (l *rows) moving(by int) func() tea.Cmd {
	return func() tea.Cmd { l.move(by); return nil }
}

// rowAt is the row under the cursor, if there is one.
func rowAt[T any](all []T, at int) (row T, ok bool) {
	if at < 0 || at >= len(all) {
		return row, false
	}
	return all[at], true
}

func matches(s, filter string) bool {
	return filter == "" || strings.Contains(strings.ToLower(s), strings.ToLower(filter))
}

// window says which rows fit into h lines so that the selection is among them.
func (l *rows) window(n, h int) (from, to int) {
	l.n, l.height = n, max(1, h)
	l.move(0)
	l.top = min(l.top, l.at)
	l.top = max(0, min(max(l.top, l.at-l.height+1), n-1))
	if n <= l.height {
		l.top = 0
	}
	return l.top, min(n, l.top+l.height)
}

// moves are the keys of every list.
func (l *rows) moves() []binding {
	return []binding{
		{
			keys: []string{"j", "down"}, label: "j k ↑ ↓", help: "move; pgup pgdn by pages, g G to the ends",
			run: l.moving(1),
		},
		{keys: []string{"k", "up"}, run: l.moving(-1)},
		{keys: []string{"pgdown", "ctrl+f"}, run: func() tea.Cmd { l.move(l.height); return nil }},
		{keys: []string{"pgup", "ctrl+b"}, run: func() tea.Cmd { l.move(-l.height); return nil }},
		{keys: []string{"g", "home"}, run: func() tea.Cmd { l.at = 0; return nil }},
		{keys: []string{"G", "end"}, run: func() tea.Cmd { l.at = max(0, l.n-1); return nil }},
	}
}

// column is one column of a table; the one with width 0 takes what is left.
type column struct {
	head  string
	width int
	right bool
}

// widths gives each column its cells within w, one blank between two.
func widths(cols []column, w int) []int {
	out := make([]int, len(cols))
	rest := w - 1 - (len(cols) - 1)
	for i, c := range cols {
		out[i] = c.width
		rest -= c.width
	}
	for i, c := range cols {
		if c.width == 0 {
			out[i] = max(4, rest)
		}
	}
	return out
}

// tableLine draws one row of cells.
func tableLine(cols []column, ws []int, cells []string) string {
	var b strings.Builder
	b.WriteByte(' ')
	for i, c := range cols {
		if i > 0 {
			b.WriteByte(' ')
		}
		if c.right {
			b.WriteString(fitRight(cells[i], ws[i]))
		} else {
			b.WriteString(fit(cells[i], ws[i]))
		}
	}
	return b.String()
}

// table draws head and rows; selected < 0 for none. Stale rows are dimmed.
type table struct {
	cols     []column
	cells    [][]string
	selected int
	dim      bool
}

func (t table) lines(th theme, w int) []string {
	ws := widths(t.cols, w)
	heads := make([]string, len(t.cols))
	for i, c := range t.cols {
		heads[i] = th.head.Render(c.head)
	}
	out := []string{fit(tableLine(t.cols, ws, heads), w)}
	for i, cells := range t.cells {
		l := fit(tableLine(t.cols, ws, cells), w)
		switch {
		case i == t.selected:
			l = th.reverse.Render(ansi.Strip(l))
		case t.dim:
			l = th.faint.Render(ansi.Strip(l))
		}
		out = append(out, l)
	}
	return out
}

// section is a head in a page.
func (t theme) section(title, note string, w int) string {
	return fit(" "+t.head.Render(title)+"  "+note, w)
}

// sideBySide joins two columns of lines.
func (t theme) sideBySide(left, right []string, lw, rw, h int) []string {
	var out []string
	for i := range h {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		out = append(out, fit(l, lw)+t.faint.Render("│")+fit(r, rw))
	}
	return out
}
