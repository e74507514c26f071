// A line of typed text: plain, without a blinking cursor.

package ui

import (
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
)

// maxTyped bounds what can be typed or pasted.
const maxTyped = 512

type line struct{ text string }

// key edits the text; false means that the key is not for editing.
func (l *line) key(k tea.KeyMsg) bool {
	switch {
	case k.Type == tea.KeyRunes || k.Type == tea.KeySpace:
		if k.Alt {
			return false
		}
		// A pasted line ends at its newline: nothing pasted may press enter.
		text, _, _ := strings.Cut(string(k.Runes), "\n")
		if len(l.text)+len(text) <= maxTyped {
			l.text += strings.TrimSuffix(text, "\r")
		}
	case k.Type == tea.KeyBackspace:
		_, n := utf8.DecodeLastRuneInString(l.text)
		l.text = l.text[:len(l.text)-n]
	case k.Type == tea.KeyCtrlU:
		l.text = ""
	case k.Type == tea.KeyCtrlW:
		t := strings.TrimRight(l.text, " ")
		l.text = t[:strings.LastIndexByte(t, ' ')+1]
	default:
		return false
	}
	return true
}

// view is the text with a cursor behind it.
func (l *line) view(t theme) string { return clean(l.text) + t.reverse.Render(" ") }
