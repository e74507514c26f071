package backup

import (
	"fmt"
	"strings"
)

// ShellQuote makes any text one word of a POSIX shell, for recipes that dash has to run too. What people only read and
// paste is printable.ShellWord's.
func ShellQuote(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@", r)
	}) < 0
	if plain && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// InLine tells the first few of a thing, and how many more there are.
func InLine[T any](all []T, between string, tell func(T) string) string {
	var told []string
	for i, one := range all {
		if i == mostListed {
			told = append(told, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		told = append(told, tell(one))
	}
	return strings.Join(told, between)
}

// mostListed is how many of a thing one line names.
const mostListed = 5

// First tells of many failures by the first.
func First(failed []error) error {
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	return fmt.Errorf("%d could not be deleted, the first: %w", len(failed), failed[0])
}
