// A line of typed text, edited by bubbles' textinput: cursor, Home, End, Delete, words.
//
// Rules: nothing that is pasted presses enter, and no key reads a clipboard of this machine; the text is drawn here and
// not by textinput, since what is typed passes clean; no blinking, an idle screen sends nothing.

package ui

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// maxTyped bounds what can be typed or pasted, in bytes.
const maxTyped = 512

// line is empty at first.
type line struct {
	input *textinput.Model // nil until there is a text
	// a text that textinput would change, such as a name with a control character; shown until it is edited
	exact string
}

func newLine(text string) (l line) {
	l.set(text)
	return l
}

func (l *line) text() string {
	switch {
	case l.exact != "":
		return l.exact
	case l.input == nil:
		return ""
	}
	return l.input.Value()
}

// set puts text in the line's place, with the cursor behind it.
func (l *line) set(text string) {
	input := textinput.New()
	input.KeyMap = lineKeys
	input.SetValue(text)
	input.CursorEnd()
	input.Focus()
	l.input, l.exact = &input, ""
	if input.Value() != text {
		l.exact = text
	}
}

// lineKeys are textinput's own without those that page or scroll elsewhere (ctrl+b, ctrl+d, ctrl+f), that complete
// (suggestions are not used) and the one that runs a clipboard program.
var lineKeys = textinput.KeyMap{
	CharacterForward:        key.NewBinding(key.WithKeys("right")),
	CharacterBackward:       key.NewBinding(key.WithKeys("left")),
	WordForward:             textinput.DefaultKeyMap.WordForward,
	WordBackward:            textinput.DefaultKeyMap.WordBackward,
	DeleteWordBackward:      textinput.DefaultKeyMap.DeleteWordBackward,
	DeleteWordForward:       textinput.DefaultKeyMap.DeleteWordForward,
	DeleteAfterCursor:       textinput.DefaultKeyMap.DeleteAfterCursor,
	DeleteCharacterBackward: textinput.DefaultKeyMap.DeleteCharacterBackward,
	DeleteCharacterForward:  key.NewBinding(key.WithKeys("delete")),
	LineStart:               textinput.DefaultKeyMap.LineStart,
	LineEnd:                 textinput.DefaultKeyMap.LineEnd,
}

// key edits the text; false means that the key is not for editing.
func (l *line) key(k tea.KeyMsg) bool {
	switch {
	case (k.Type == tea.KeyRunes || k.Type == tea.KeySpace) && !k.Alt:
		l.insert(k)
	case k.Type == tea.KeyCtrlU: // all of it, wherever the cursor is: screens call it "clear"
		l.set("")
	case moves(k) && l.text() == "": // then home and end go on scrolling what is above
		return false
	case moves(k) || deletes(k):
		l.update(k)
	default:
		return false
	}
	return true
}

// insert adds what was typed or pasted at the cursor.
func (l *line) insert(k tea.KeyMsg) {
	// A pasted line ends at its newline: nothing pasted may press enter.
	text, _, _ := strings.Cut(string(k.Runes), "\n")
	text = strings.TrimSuffix(text, "\r")
	if len(l.text())+len(text) > maxTyped {
		return
	}
	// As a paste, since textinput would take the letters "end" that came at once for the key of that name.
	l.update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true})
}

func (l *line) update(k tea.KeyMsg) {
	if l.input == nil {
		l.set("")
	}
	input, _ := l.input.Update(k)
	l.input, l.exact = &input, ""
}

func moves(k tea.KeyMsg) bool {
	return key.Matches(k, lineKeys.CharacterForward, lineKeys.CharacterBackward, lineKeys.WordForward,
		lineKeys.WordBackward,
		lineKeys.LineStart, lineKeys.LineEnd)
}

func deletes(k tea.KeyMsg) bool {
	return key.Matches(k, lineKeys.DeleteWordBackward, lineKeys.DeleteWordForward, lineKeys.DeleteAfterCursor,
		lineKeys.DeleteCharacterBackward, lineKeys.DeleteCharacterForward)
}

// around is the text before the cursor, the character under it and the text behind, safe to draw. At the end there is
// no character under it.
func (l *line) around() (before, under, after string) {
	if l.exact != "" || l.input == nil {
		return clean(l.exact), "", ""
	}
	runes, at := []rune(l.input.Value()), l.input.Position()
	before = clean(string(runes[:at]))
	if at < len(runes) {
		under, after = clean(string(runes[at:at+1])), clean(string(runes[at+1:]))
	}
	return before, under, after
}

// view is the text with its cursor in at most w cells: of a long text, the part around the cursor.
func (l *line) view(t theme, w int) string {
	before, under, after := l.around()
	under = cmp.Or(under, " ")
	// by characters: ansi.TruncateLeft keeps a wide one that it halves
	for before != "" && cells(before)+cells(under) > w {
		_, size := utf8.DecodeRuneInString(before)
		before = before[size:]
	}
	after = ansi.Truncate(after, w-cells(before)-cells(under), "")
	return before + t.reverse.Render(under) + after
}

// plain is the text with a cursor for pages that are drawn in reverse colours.
func (l *line) plain() string {
	before, under, after := l.around()
	if under == "" {
		return before + "_"
	}
	return before + "|" + under + after
}
