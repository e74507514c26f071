// The ? overlay: every key of the screen in front and of the shell, greyed ones with the reason.

package ui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"
)

type helpBox struct {
	*shared
	title string
	own   []binding
	all   []binding
	pager pager
}

func newHelp(sh *shared, s screen, globals []binding) *helpBox {
	h := &helpBox{shared: sh, title: "Keys of " + clean(s.name()), own: s.keys()}
	for _, g := range globals {
		// What cannot be used because the box is about to lie above is not a fact of the screen.
		if match(h.own, g.keys[0]) == nil {
			h.all = append(h.all, g)
		}
	}
	return h
}

func (b *helpBox) name() string                  { return "Help" }
func (b *helpBox) enter(context.Context) tea.Cmd { return nil }
func (b *helpBox) update(tea.Msg) tea.Cmd        { return nil }

func (b *helpBox) keys() []binding {
	return append([]binding{
		{
			keys: []string{"esc", "?", "enter"}, label: "esc", short: "close", help: "close",
			run: func() tea.Cmd { return b.post(popMsg{b}) },
		},
	}, b.pager.moves()...)
}

func (b *helpBox) view(w, h int) string {
	iw := min(72, w-6)
	lines := []string{b.faint.Render("pgbtui " + clean(b.Identity.Version)), "", b.head.Render("THIS SCREEN")}
	lines = append(lines, b.table(b.own, iw)...)
	lines = append(lines, "", b.head.Render("EVERYWHERE"))
	lines = append(lines, b.table(b.all, iw)...)
	lines = append(lines, "", b.head.Render("SIGNS"))
	for _, m := range []struct {
		mark
		text string
	}{
		{markOK, "recoverable, within its objective"},
		{markWarn, "something to look at"},
		{markLate, "older than the objective"},
		{markFail, "failed, lost, skipped, or cannot be recovered"},
		{markRun, "running"},
		{markOff, "switched off or cancelled"},
		{markUnknown, "not known: never read as good"},
	} {
		lines = append(lines, " "+fit(b.mark(m.mark), 8)+" "+m.text)
	}
	return b.boxed(b.title, b.pager.view(b.theme, lines, iw, min(len(lines), max(3, h-4))), iw, tonePlain)
}

func (b *helpBox) table(table []binding, w int) []string {
	var out []string
	for _, k := range table {
		if k.help == "" {
			continue
		}
		l := " " + fit(b.theme.key.Render(k.name()), 8) + " " + k.help
		if k.off != "" {
			l = b.faint.Render(" " + fit(k.name(), 8) + " " + k.help + " (" + k.off + ")")
		}
		out = append(out, fit(l, w))
	}
	return out
}
