// Package printable is the one way for text from outside to reach a screen: journal messages,
// database names, object keys and metadata, errors of other programs.
//
// Rules: what a terminal would act on (controls, escapes, bytes that are no UTF-8), what would
// reorder or hide text (bidirectional controls, zero-width and other invisible characters) and
// what no terminal agrees upon (private use, unassigned) becomes visible ASCII. Letters,
// accents, ideographs, symbols and spaces of every script stay as they are.
// The result is for eyes: a backslash is left alone, so it cannot be turned back, and
// applying a function twice gives what applying it once gave.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// marksPerBase is how many combining marks one character may carry. Scripts in use need up to
// four; piles of them paint over the neighbouring lines.
const marksPerBase = 4

// Text is s as one line that is safe to write to a terminal: a newline becomes `\n`, an escape
// `\x1b`, a bidirectional override `\u202e`, a byte that is no UTF-8 `\xff`.
func Text(s string) string {
	if plainASCII(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	// Text may be written behind anything, so a mark that leads it has nothing of its own to sit on.
	marks := marksPerBase
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
			marks = marksPerBase
		case !visible(r) || unicode.Is(unicode.M, r) && marks >= marksPerBase:
			b.WriteString(escape(r))
			marks = marksPerBase
		case unicode.Is(unicode.M, r):
			b.WriteRune(r)
			marks++
		default:
			b.WriteRune(r)
			marks = 0
		}
		i += size
	}
	return b.String()
}

// Lines splits s at newlines, one at the end not counted, and makes each line safe by Text.
// There is always at least one line.
func Lines(s string) []string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = Text(line)
	}
	return lines
}

// OneLine replaces what would begin a new line, or act on what reads the text, by blanks: for messages and protocols
// whose lines have a meaning. For a terminal, Text is the one.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// visible reports whether a reader sees r where it stands, and only there. The format
// characters (Cf: bidirectional, zero width, tags, byte order mark), line and paragraph
// separators, surrogates, private use and unassigned code points are not graphic.
func visible(r rune) bool {
	return unicode.IsGraphic(r) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) &&
		!unicode.Is(unicode.Variation_Selector, r) &&
		r != brailleBlank
}

// brailleBlank is a symbol by category, but paints nothing.
const brailleBlank = '\u2800'

func escape(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
