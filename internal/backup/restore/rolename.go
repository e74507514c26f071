package restore

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// How a person writes a mapping of roles: OLD=NEW. A name with an equals sign in it stands in double
// quotes, as in SQL.

// ParseRole reads one mapping, as --role takes it.
func ParseRole(text string) (old, renamed string, err error) {
	old, rest, ok := cutName(text)
	if ok && strings.HasPrefix(rest, "=") {
		if renamed, rest, ok = cutName(rest[1:]); ok && rest == "" {
			return old, renamed, nil
		}
	}
	return "", "", fault.New(fault.Usage, fmt.Sprintf("--role %q is not OLD=NEW", text), "Read `pgbtui restore --help`.",
		nil)
}

// cutName takes a name off, plain up to an equals sign, or in double quotes.
func cutName(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text, '=')
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], end > 0
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
		case i+1 < len(text) && text[i+1] == '"':
			i++
		default:
			name = strings.ReplaceAll(text[1:i], `""`, `"`)
			return name, text[i+1:], name != ""
		}
	}
	return "", "", false
}
