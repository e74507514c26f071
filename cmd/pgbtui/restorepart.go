package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// The flags of `restore` for less than everything and for other roles, and what is printed of a part.

func (f *restoreFlags) partFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.Tables, "table", nil, "only this `table`, as show --tables prints it or as SQL quotes it; may be repeated")
	flags.StringArrayVar(&f.Schemas, "schema", nil, "only this `schema`; may be repeated")
	flags.BoolVar(&f.SchemaOnly, "schema-only", false, "definitions without rows")
	flags.BoolVar(&f.DataOnly, "data-only", false, "rows of chosen tables without definitions, with --into")
	flags.StringVar(&f.into, "into", "", "existing `database` whose empty tables get the rows, with --data-only")
	flags.StringArrayVar(&f.roles, "role", nil, "what belongs or is granted to one role goes to another: `OLD=NEW`; may be repeated")
}

// settle makes the request out of the flags.
func (f *restoreFlags) settle() error {
	switch {
	case f.DataOnly != (f.into != ""):
		return usageText("--data-only and --into go together: they put rows into tables that exist")
	case f.into != "" && f.To+f.Replace != "":
		return usageText("--to names a new database, --replace a live one, --into one whose empty tables get rows: give one of them")
	case f.into != "":
		f.To = f.into
	}
	for _, text := range f.roles {
		old, renamed, err := parseRole(text)
		if err != nil {
			return err
		}
		if f.Roles == nil {
			f.Roles = map[string]string{}
		}
		f.Roles[old] = renamed
	}
	return nil
}

// parseRole reads OLD=NEW. A name with an equals sign in it stands in double quotes, as in SQL.
func parseRole(text string) (old, renamed string, err error) {
	old, rest, ok := cutName(text)
	if !ok || !strings.HasPrefix(rest, "=") {
		return "", "", usageText(fmt.Sprintf("--role %q is not OLD=NEW", text))
	}
	renamed, rest, ok = cutName(rest[1:])
	if !ok || rest != "" {
		return "", "", usageText(fmt.Sprintf("--role %q is not OLD=NEW", text))
	}
	return old, renamed, nil
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

// fromRequest takes what a request file asks for.
func (f *restoreFlags) fromRequest(asked request.Restore) {
	f.job, f.To, f.Jobs, f.Globals = asked.Job, asked.To, max(1, asked.Jobs), asked.Globals
	f.Replace, f.Confirm, f.Terminate = asked.Replace, asked.Confirm, asked.Terminate
	f.Tables, f.Schemas, f.SchemaOnly, f.DataOnly, f.Roles = asked.Tables, asked.Schemas, asked.SchemaOnly, asked.DataOnly, asked.Roles
}

// printPortion lists what a part brings, brings along and leaves out.
func (p *program) printPortion(s *backup.Portion) {
	for _, list := range []struct {
		title string
		items []backup.Item
	}{{"chosen", s.Chosen}, {"comes along", s.Brought}, {"left out", s.LeftOut}} {
		for _, item := range list.items {
			p.printf("  %-11s %s\n", list.title, printable.Text(item.String()))
		}
	}
}
