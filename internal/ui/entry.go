// One journal entry: as a line, and as a box with all its fields.

package ui

import (
	"context"
	"maps"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// priorityMark is a syslog priority as glyph, word and tone.
func priorityMark(p int) mark {
	switch {
	case p <= 3:
		return mark{glyph: "✗", word: "ERR", rank: 2, tone: toneBad}
	case p == 4:
		return mark{glyph: "!", word: "WARN", rank: 1, tone: toneWarn}
	case p == 5:
		return mark{glyph: "•", word: "NOTE", rank: 0, tone: tonePlain}
	case p == 6:
		return mark{glyph: " ", word: "info", rank: 0, tone: tonePlain}
	}
	return mark{glyph: " ", word: "debug", rank: 0, tone: toneFaint}
}

// entryLine is time, priority, unit from 100 columns, message.
func entryLine(sh *shared, e Entry, w int, selected bool) string {
	m := priorityMark(e.Priority)
	stamp := e.Time.In(sh.Zone).Format("02 Jan 15:04:05")
	if e.Time.IsZero() {
		stamp = "?"
	}
	unit := ""
	if w >= 100 {
		unit = fit(strings.TrimSuffix(clean(e.Unit), ".service"), 24) + " "
	}
	text := " " + sh.faint.Render(fit(stamp, 15)) + " " + sh.style(m.tone).Render(fit(m.glyph+" "+m.word, 7)) + " " +
		sh.faint.Render(unit) + sh.style(m.tone).Render(clean(e.Message))
	text = fit(text, w)
	if selected {
		return sh.reverse.Render(ansi.Strip(text))
	}
	return text
}

// entryBox shows all fields.
type entryBox struct {
	*shared
	entry Entry
	pager pager
}

func newEntryBox(sh *shared, e Entry) *entryBox { return &entryBox{shared: sh, entry: e} }

func (b *entryBox) name() string                  { return "Entry" }
func (b *entryBox) enter(context.Context) tea.Cmd { return nil }
func (b *entryBox) update(tea.Msg) tea.Cmd        { return nil }
func (b *entryBox) copyText() string              { return b.entry.Message }
func (b *entryBox) cliLine() string {
	return "journalctl --output=verbose --cursor=" + printable.ShellWord(b.entry.Cursor) + " -n 1"
}

func (b *entryBox) keys() []binding {
	return append([]binding{
		{
			keys: []string{"esc", "enter"}, label: "esc", short: "close", help: "close",
			run: func() tea.Cmd { return b.post(popMsg{b}) },
		},
	}, b.pager.moves()...)
}

func (b *entryBox) view(w, h int) string {
	iw := min(w-8, 100)
	lines := []string{b.bold.Render(whenFull(b.Zone, b.entry.Time)) + "  " + clean(b.entry.Unit), ""}
	for _, l := range printable.Lines(b.entry.Message) {
		lines = append(lines, wrap(l, iw)...)
	}
	lines = append(lines, "")
	for _, k := range slices.Sorted(maps.Keys(b.entry.Fields)) {
		lines = append(lines, b.faint.Render(clean(k)))
		for _, l := range wrap(clean(b.entry.Fields[k]), iw-2) {
			lines = append(lines, "  "+l)
		}
	}
	return b.boxed("Journal entry", b.pager.view(b.theme, lines, iw, min(len(lines), h-4)), iw, tonePlain)
}
