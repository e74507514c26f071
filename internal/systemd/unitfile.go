// Reading unit files that somebody else wrote, and environment files.
//
// By hand, and not by go-systemd's package unit: that makes a comment within a continued line part of the value, and
// loses the rest of a file behind a line without "=" or of 2,048 bytes, where systemd goes on.

package systemd

import "strings"

// setting is one assignment of a unit file.
type setting struct {
	section, key, value string
}

// parseUnit reads a unit file as systemd.syntax(7) describes it: sections, comments, lines that
// go on after a backslash, a byte order mark. It never fails; what is no assignment is left out.
func parseUnit(text string) []setting {
	var settings []setting
	var section, joined string
	going := false
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue // also between the lines of a continued assignment
		}
		if going {
			joined += " " + trimmed
		} else {
			joined = trimmed
		}
		if going = strings.HasSuffix(joined, `\`); going {
			joined = strings.TrimSuffix(joined, `\`)
			continue
		}
		if strings.HasPrefix(joined, "[") && strings.HasSuffix(joined, "]") {
			section = joined[1 : len(joined)-1]
		} else if key, value, ok := strings.Cut(joined, "="); ok {
			settings = append(settings, setting{section: section, key: strings.TrimSpace(key), value: strings.TrimSpace(value)})
		}
	}
	return settings
}

// values is what key of section is set to, in order. An empty assignment clears what came before.
func values(settings []setting, section, key string) []string {
	var all []string
	for _, s := range settings {
		if s.section != section || s.key != key {
			continue
		}
		if s.value == "" {
			all = nil
			continue
		}
		all = append(all, s.value)
	}
	return all
}

// splitWords splits a value into words by systemd's rules for Environment=: blanks separate,
// single and double quotes hold together, a backslash escapes in both.
func splitWords(value string) []string {
	var words []string
	var word strings.Builder
	var quote byte
	open := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && i+1 < len(value):
			i++
			word.WriteByte(unescaped(value[i]))
			open = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 's':
		return ' '
	}
	return c
}

// variable is one line of an environment file.
type variable struct {
	name, value string
}

// parseEnvironment reads an EnvironmentFile= as systemd.exec(5) describes it: NAME=VALUE lines,
// comments, quotes, a backslash that continues a line.
func parseEnvironment(text string) []variable {
	var all []variable
	lines := strings.ReplaceAll(text, "\\\n", "")
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || !isVariable(strings.TrimSpace(name)) {
			continue
		}
		all = append(all, variable{strings.TrimSpace(name), unquoteEnvironment(strings.TrimSpace(value))})
	}
	return all
}

// unquoteEnvironment drops the quotes around an environment file's value.
func unquoteEnvironment(value string) string {
	n := len(value)
	if n >= 2 && value[0] == '\'' && value[n-1] == '\'' {
		return value[1 : n-1]
	}
	quoted := n >= 2 && value[0] == '"' && value[n-1] == '"'
	if quoted {
		value = value[1 : n-1]
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && (!quoted || strings.IndexByte("\"\\`$", value[i+1]) >= 0) {
			i++
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// environmentLine writes a variable so that systemd and parseEnvironment read it back unchanged.
func environmentLine(v variable) string {
	if v.value != "" && strings.Trim(v.value, escapeSafe+"-/@%+,=") == "" {
		return v.name + "=" + v.value
	}
	return v.name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(v.value) + `"`
}

func isVariable(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := c == '_' || ('a' <= c|0x20 && c|0x20 <= 'z')
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
