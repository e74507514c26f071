package postgres

import (
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// QuoteIdent is name as a quoted SQL identifier. Every name that becomes part of a statement
// goes through here.
func QuoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral is value as a SQL string that means the same whatever standard_conforming_strings is.
func QuoteLiteral(value string) string {
	quoted := `'` + strings.ReplaceAll(value, `'`, `''`) + `'`
	if strings.Contains(value, `\`) {
		return `E` + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// MaxName is the bytes of the longest name, NAMEDATALEN-1: the server cuts longer names without an error, which would
// lead to another database.
const MaxName = 63

// checkName refuses what cannot be a database's name.
func checkName(name string) error {
	switch {
	case name == "":
		return fault.New(fault.Usage, "postgres: database name is empty", "", nil)
	case len(name) > MaxName:
		return fault.New(fault.Usage, "postgres: database name is longer than 63 bytes", "Choose a shorter name.", nil)
	case strings.ContainsRune(name, 0):
		return fault.New(fault.Usage, "postgres: database name contains a NUL byte", "", nil)
	}
	return nil
}
