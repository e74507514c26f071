// Command lines as a person would type them: what each dialog shows and Y copies.

package ui

import (
	"fmt"
	"strings"
)

// quote makes s one word of a POSIX shell. Controls are written as $'…' escapes, so that the
// line can be shown and pasted safely.
func quote(s string) string {
	plain, control := s != "", false
	for _, r := range s {
		safe := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%_+=:,./-", r)
		plain = plain && safe
		control = control || clean(string(r)) != string(r)
	}
	switch {
	case plain:
		return s
	case !control:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(rune(c)))
		case c >= ' ' && c <= '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String() + "'"
}
