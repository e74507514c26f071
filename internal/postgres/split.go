package postgres

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// A small lexer for the SQL that pg_dumpall writes, after the server's scan.l. It assumes
// standard_conforming_strings = on, which pg_dumpall sets and our sessions too. It knows quoted
// strings ('…', E'…', U&'…'), quoted identifiers, dollar quotes, both comments (nested), and
// skips psql's backslash lines (\restrict) between statements.

// maxStatement bounds one statement: a globals script of thousands of roles has short ones.
const maxStatement = 1 << 20

// token is one word of a statement. Text is what it means: identifiers as the catalogue has
// them, strings without quotes. At and End are its place in the statement.
type token struct {
	kind    tokenKind
	text    string
	at, end int
}

type tokenKind int

const (
	tokenWord   tokenKind = iota // unquoted identifier or keyword, lower case
	tokenQuoted                  // "identifier"
	tokenString                  // any string
	tokenOther                   // one character, or a number
)

// name is the identifier, quoted or not; ok is false for other tokens.
func (t token) name() (string, bool) {
	return t.text, t.kind == tokenWord || t.kind == tokenQuoted
}

// statement is one SQL statement without its semicolon.
type statement struct {
	sql    string
	tokens []token
}

// splitSQL calls yield for each statement of r, in order, and stops at its first error.
func splitSQL(r io.Reader, yield func(statement) error) error {
	all, err := readBounded(r)
	if err != nil {
		return err
	}
	l := lexer{src: all}
	for {
		st, more, err := l.statement()
		if err != nil {
			return err
		}
		if len(st.tokens) > 0 {
			if err := yield(st); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// maxScript bounds a whole script: 100,000 roles take some 30 MB.
const maxScript = 256 << 20

func readBounded(r io.Reader) (string, error) {
	var b bytes.Buffer
	_, err := io.Copy(&b, bounded.Reader(bufio.NewReader(r), maxScript))
	if err != nil {
		return "", fmt.Errorf("read script: %w", err)
	}
	return b.String(), nil
}

type lexer struct {
	src string
	pos int
}

// statement reads up to the next semicolon outside quotes. more is false at the end.
func (l *lexer) statement() (st statement, more bool, err error) {
	start := -1
	for l.pos < len(l.src) {
		if skipped, err := l.skip(start < 0); err != nil {
			return st, false, err
		} else if skipped {
			continue
		}
		at := l.pos
		if l.src[at] == ';' {
			l.pos++
			if start < 0 {
				return st, true, nil
			}
			st.sql = l.src[start:at]
			return st, true, nil
		}
		if start < 0 {
			start = at
		}
		t, err := l.token()
		if err != nil {
			return st, false, err
		}
		if l.pos-start > maxStatement {
			return st, false, l.fail(start, "statement is longer than 1 MiB")
		}
		t.at, t.end = at-start, l.pos-start
		st.tokens = append(st.tokens, t)
	}
	if start >= 0 {
		return st, false, l.fail(start, "script ends within a statement")
	}
	return st, false, nil
}

// skip passes white space, comments, and between statements psql's backslash lines.
func (l *lexer) skip(between bool) (bool, error) {
	rest := l.src[l.pos:]
	switch {
	case strings.IndexByte(" \t\n\r\f\v", rest[0]) >= 0:
		l.pos++
		return true, nil
	case strings.HasPrefix(rest, "--"), between && rest[0] == '\\':
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			l.pos += end
		} else {
			l.pos = len(l.src)
		}
		return true, nil
	case strings.HasPrefix(rest, "/*"):
		return true, l.blockComment()
	}
	return false, nil
}

func (l *lexer) blockComment() error {
	start, depth := l.pos, 0
	for l.pos < len(l.src) {
		switch rest := l.src[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			l.pos++
		}
	}
	return l.fail(start, "comment does not end")
}

func (l *lexer) token() (token, error) {
	rest := l.src[l.pos:]
	switch c := rest[0]; {
	case c == '"':
		text, err := l.quoted(1, '"', false)
		return token{kind: tokenQuoted, text: text}, err
	case c == '\'':
		text, err := l.quoted(1, '\'', false)
		return token{kind: tokenString, text: text}, err
	case len(rest) > 1 && rest[1] == '\'' && strings.IndexByte("eE", c) >= 0:
		text, err := l.quoted(2, '\'', true)
		return token{kind: tokenString, text: text}, err
	case len(rest) > 1 && rest[1] == '\'' && strings.IndexByte("bBxXnN", c) >= 0:
		text, err := l.quoted(2, '\'', false)
		return token{kind: tokenString, text: text}, err
	case len(rest) > 2 && rest[1] == '&' && (c == 'u' || c == 'U') && (rest[2] == '\'' || rest[2] == '"'):
		text, err := l.quoted(3, rest[2], false)
		return token{kind: tokenString, text: text}, err // a U&"name" is not decoded: no name of ours
	case c == '$':
		return l.dollar()
	case identStart(c):
		return l.word(), nil
	}
	l.pos++
	return token{kind: tokenOther, text: rest[:1]}, nil
}

// quoted reads a quoted text whose opening is `open` bytes long; a doubled quote is one quote.
// With escapes, a backslash takes the next byte along; what it means is not needed.
func (l *lexer) quoted(open int, quote byte, escapes bool) (string, error) {
	start := l.pos
	var b strings.Builder
	for l.pos += open; l.pos < len(l.src); l.pos++ {
		c := l.src[l.pos]
		switch {
		case escapes && c == '\\' && l.pos+1 < len(l.src):
			l.pos++
			b.WriteByte(l.src[l.pos])
		case c == quote && l.pos+1 < len(l.src) && l.src[l.pos+1] == quote:
			l.pos++
			b.WriteByte(quote)
		case c == quote:
			l.pos++
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", l.fail(start, "quoted text does not end")
}

// dollar reads $tag$…$tag$, or just the sign, as in the parameter $1.
func (l *lexer) dollar() (token, error) {
	start, rest := l.pos, l.src[l.pos:]
	end := 1
	for end < len(rest) && (identStart(rest[end]) || (end > 1 && rest[end] >= '0' && rest[end] <= '9')) {
		end++
	}
	if end == len(rest) || rest[end] != '$' {
		l.pos++
		return token{kind: tokenOther, text: "$"}, nil
	}
	tag := rest[:end+1]
	body := rest[len(tag):]
	length := strings.Index(body, tag)
	if length < 0 {
		return token{}, l.fail(start, "dollar-quoted text does not end")
	}
	l.pos += 2*len(tag) + length
	return token{kind: tokenString, text: body[:length]}, nil
}

func (l *lexer) word() token {
	start := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if !identStart(c) && c != '$' && (c < '0' || c > '9') {
			break
		}
		l.pos++
	}
	return token{kind: tokenWord, text: lowerASCII(l.src[start:l.pos])}
}

// identStart: letters, underscore and every byte of a non-ASCII character.
func identStart(c byte) bool {
	return c == '_' || c >= 0x80 || (c|0x20 >= 'a' && c|0x20 <= 'z')
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func (l *lexer) fail(at int, what string) error {
	return fmt.Errorf("line %d: %s", 1+strings.Count(l.src[:at], "\n"), what)
}
