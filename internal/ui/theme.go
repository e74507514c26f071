// The theme: the 16 palette colours, bold, faint, reverse, and nothing else, so that it is the
// operator's own palette that shows. Without colour, bold, faint and reverse stay.

package ui

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
)

type theme struct {
	whole                       bool // no word is broken, whatever the width: for the accessible console
	plain, bold, faint, reverse lipgloss.Style
	good, warn, bad, busy       lipgloss.Style
	head                        lipgloss.Style // column and section heads
	key                         lipgloss.Style // keys in footer and help
	tab                         lipgloss.Style // the current tab
	alarm                       lipgloss.Style // reverse red: production, danger
}

func newTheme(noColor bool) theme {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	r.SetHasDarkBackground(true)
	// Inline keeps lipgloss from padding, wrapping and expanding anything.
	style := r.NewStyle().Inline(true)
	colour := func(s lipgloss.Style, c string) lipgloss.Style {
		if noColor {
			return s
		}
		return s.Foreground(lipgloss.Color(c))
	}
	bold := style.Bold(true)
	return theme{
		plain: style, bold: bold, faint: style.Faint(true), reverse: style.Reverse(true),
		good: colour(style, "2"), warn: colour(bold, "3"), bad: colour(bold, "1"), busy: colour(bold, "6"),
		head: colour(bold, "4"), key: colour(bold, "6"),
		tab: style.Bold(true).Reverse(true), alarm: colour(style.Bold(true).Reverse(true), "1"),
	}
}

// mark is a state: a glyph and a word, never one without the other where there is room.
type mark struct {
	glyph, word string
	rank        int // how bad; the worst of several is shown
	tone        tone
}

type tone int

const (
	tonePlain tone = iota
	toneGood
	toneWarn
	toneBad
	toneBusy
	toneFaint
)

var (
	markOK      = mark{glyph: "✓", word: "OK", rank: 0, tone: toneGood}
	markOff     = mark{glyph: "–", word: "OFF", rank: 1, tone: toneFaint}
	markUnknown = mark{glyph: "?", word: "?", rank: 2, tone: toneWarn}
	markRun     = mark{glyph: "▶", word: "RUN", rank: 1, tone: toneBusy}
	markWarn    = mark{glyph: "!", word: "WARN", rank: 3, tone: toneWarn}
	markLate    = mark{glyph: "◷", word: "LATE", rank: 4, tone: toneWarn}
	markFail    = mark{glyph: "✗", word: "FAIL", rank: 5, tone: toneBad}
)

func (t theme) style(n tone) lipgloss.Style {
	return [...]lipgloss.Style{t.plain, t.good, t.warn, t.bad, t.busy, t.faint}[n]
}

func (m mark) text() string {
	if m.glyph == m.word {
		return m.glyph
	}
	return m.glyph + " " + m.word
}

func (t theme) mark(m mark) string { return t.style(m.tone).Render(m.text()) }

// runMark is a run's state as a glyph and its own word.
func runMark(s RunState) mark {
	base := markUnknown
	switch s {
	case RunQueued, RunPreflight, RunRunning, RunFinishing:
		base = markRun
	case RunOK:
		base = markOK
	case RunWarn:
		base = markWarn
	case RunFailed, RunLost, RunSkipped:
		base = markFail
	case RunCancelled:
		base = markOff
	case RunUnknown:
	}
	if base.glyph != base.word {
		base.word = strings.ToUpper(string(s))
	}
	return base
}

// bar draws percent (-1: unknown) as w cells.
func (t theme) bar(percent, w int) string {
	if w <= 0 {
		return ""
	}
	if percent < 0 {
		return t.faint.Render(strings.Repeat("░", w))
	}
	full := min(w, w*percent/100)
	return t.busy.Render(strings.Repeat("█", full)) + t.faint.Render(strings.Repeat("░", w-full))
}

// fit cuts or pads styled text to exactly w cells.
func fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if n := ansi.StringWidth(s); n <= w {
		return s + strings.Repeat(" ", w-n)
	}
	s = ansi.Truncate(s, w, "…")
	return s + strings.Repeat(" ", max(0, w-ansi.StringWidth(s)))
}

// fitRight is fit with the text at the right edge.
func fitRight(s string, w int) string {
	if n := ansi.StringWidth(s); n < w {
		return strings.Repeat(" ", w-n) + s
	}
	return fit(s, w)
}

// cells is the width of styled text.
func cells(s string) int { return ansi.StringWidth(s) }
