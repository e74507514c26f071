package ui_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

func TestALineIsEditedWhereItsCursorIs(t *testing.T) {
	for _, c := range []struct {
		name, start string
		keys        []string
		want        string
	}{
		{name: "typed at the beginning", start: "rders", keys: []string{"home", "o"}, want: "orders"},
		{name: "back to the end", start: "rders", keys: []string{"home", "o", "end", "2"}, want: "orders2"},
		{name: "typed in the middle", start: "orrs", keys: []string{"left", "left", "de"}, want: "orders"},
		{name: "delete takes what is under the cursor", start: "xorders", keys: []string{"home", "delete"}, want: "orders"},
		{name: "backspace takes what is before it", start: "oxrders", keys: []string{"home", "right", "right", "backspace"}, want: "orders"},
		{name: "words", start: "it is late", keys: []string{"ctrl+left", "ctrl+left", "ctrl+w", "X"}, want: "Xis late"},
		{name: "to the end", start: "it is late", keys: []string{"ctrl+left", "ctrl+k"}, want: "it is "},
		{name: "all of it", start: "orders", keys: []string{"left", "ctrl+u", "x"}, want: "x"},
		{name: "characters of several bytes", start: "数据库", keys: []string{"left", "backspace", "é"}, want: "数é库"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := ui.NewLine(c.start)
			if !l.Press(c.keys...) || l.Text() != c.want {
				t.Errorf("got %q, want %q", l.Text(), c.want)
			}
		})
	}
}

func TestALineLeavesOtherKeysToItsScreen(t *testing.T) {
	for _, key := range []string{"enter", "esc", "tab", "up", "down", "pgup", "pgdown", "ctrl+c", "ctrl+r", "ctrl+v"} {
		if l := ui.NewLine("orders"); l.Press(key) || l.Text() != "orders" {
			t.Errorf("%s was taken: %q", key, l.Text())
		}
	}
	for _, key := range []string{"home", "end", "left", "right"} {
		if ui.NewLine("").Press(key) {
			t.Errorf("%s was taken by an empty line", key)
		}
	}
}

func TestLettersThatComeAtOnceAreNoKeyOfThatName(t *testing.T) {
	for _, name := range []string{"end", "home", "left", "delete", "ctrl+k"} {
		l := ui.NewLine("x")
		l.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)})
		if l.Text() != "x"+name {
			t.Errorf("%q became %q", name, l.Text())
		}
	}
}

func TestAPasteIsOneLineAndBounded(t *testing.T) {
	paste := func(l *ui.Line, text string) {
		l.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true})
	}
	l := ui.NewLine("ac")
	l.Press("left")
	paste(l, "b\r\nrm")
	if l.Text() != "abc" {
		t.Errorf("got %q", l.Text())
	}
	paste(l, strings.Repeat("é", 400))
	if l.Text() != "abc" {
		t.Errorf("800 bytes were taken, of 512: %q", l.Text())
	}
	paste(l, "\x1b[2J\u202e")
	if strings.ContainsAny(l.View(80)+l.Plain(), "\x1b\u202e") {
		t.Errorf("drawn as %q", l.View(80))
	}
}

func TestANameWithControlCharactersStaysThatName(t *testing.T) {
	for _, name := range []string{"a\tb", "a\nb", "\x1b[2J", "a\xffb", "a\x00"} {
		l := ui.NewLine(name)
		if l.Text() != name {
			t.Errorf("%q became %q", name, l.Text())
		}
		if drawn := l.View(80) + l.Plain(); strings.ContainsAny(drawn, "\t\n\x1b\x00") || strings.Contains(drawn, "\xff") {
			t.Errorf("%q is drawn as %q", name, l.View(80))
		}
	}
}

func TestALongLineShowsThePartAroundItsCursor(t *testing.T) {
	text := strings.Repeat("数0123456789", 6)
	l := ui.NewLine(text)
	if got := l.View(13); !strings.HasSuffix(got, "数0123456789 ") || ansi.StringWidth(got) > 13 {
		t.Errorf("at the end: %q", got)
	}
	if got := l.View(12); got != "0123456789 " {
		t.Errorf("at the end, where half a character would fit: %q", got)
	}
	l.Press("home")
	if got := l.View(12); !strings.HasPrefix(got, "数0123") || ansi.StringWidth(got) > 12 {
		t.Errorf("at the beginning: %q", got)
	}
	if got := l.Plain(); !strings.HasPrefix(got, "|数0123") {
		t.Errorf("in reverse colours: %q", got)
	}
}

func TestTheNameOfADatabaseIsEditedInTheWizard(t *testing.T) {
	d, _ := wizard(t, nil)
	d.Press("enter")
	shows(d, "free")
	d.Press("ctrl+u", "xale", "home", "delete", "s", "end", "s")
	shows(d, "that is the source")
}
