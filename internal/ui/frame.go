// The frame filter: the last thing before the terminal. Whatever a screen drew, only colours and
// attributes leave here, each line is cut to the width, and in an ASCII locale each glyph has its
// twin of the same width. printable did the work before; this is the net below it.

package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// twins are the ASCII forms of our own glyphs, each one cell wide.
var twins = map[rune]byte{
	'✓': '+', '✗': 'x', '▶': '>', '◷': '@', '–': '-', '…': '~', '·': '.', '→': '>', '█': '#', '░': '.',
	'─': '-', '│': '|', '┌': '+', '┐': '+', '└': '+', '┘': '+', '├': '+', '┤': '+', '▸': '>', '•': '*',
	'↑': '^', '↓': 'v', '≥': '>', '×': 'x', '≈': '~',
}

// frame makes exactly h lines of at most w cells out of s.
func frame(s string, w, h int, ascii bool) string {
	lines := strings.Split(s, "\n")
	if len(lines) > h {
		lines = lines[:h]
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(ansi.Truncate(filterLine(line, ascii), w, ""), " ") // blanks cost bytes
	}
	for len(lines) < h {
		lines = append(lines, "")
	}
	return strings.Join(lines, "\n")
}

func filterLine(line string, ascii bool) string {
	if !strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
		return line
	}
	var b strings.Builder
	b.Grow(len(line))
	for i := 0; i < len(line); {
		if n := sgrLen(line[i:]); n > 0 {
			b.WriteString(line[i : i+n])
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		i += n
		writeRune(&b, r, ascii)
	}
	return b.String()
}

func writeRune(b *strings.Builder, r rune, ascii bool) {
	switch {
	case !unicode.IsGraphic(r) || r == utf8.RuneError:
		b.WriteByte('?')
	case !ascii || r < 0x7f:
		b.WriteRune(r)
	case twins[r] != 0:
		b.WriteByte(twins[r])
	default:
		b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
	}
}

// sgrLen is the length of the colour sequence that s starts with, or 0.
func sgrLen(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case (c < '0' || c > '9') && c != ';':
			return 0
		}
	}
	return 0
}
