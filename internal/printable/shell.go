package printable

import (
	"fmt"
	"strings"
)

// ShellWord makes s one word of a shell, exactly, for command lines that people read and paste. Control characters and
// what else Text would write otherwise become $'…' escapes, so that the line can be shown safely. bash, zsh and ksh
// know these, dash does not.
func ShellWord(s string) string {
	switch {
	case plainWord(s):
		return s
	case Text(s) == s:
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

// plainWord reports whether s means the same without quotes. A leading = is expanded by zsh.
func plainWord(s string) bool {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-"
	return s != "" && s[0] != '=' && strings.Trim(s, safe) == ""
}
