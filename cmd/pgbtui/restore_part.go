package main

import (
	"github.com/spf13/pflag"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
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
		old, renamed, err := restore.ParseRole(text)
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

// printPortion lists what a part brings, brings along and leaves out.
func (p *program) printPortion(s *restore.Portion) {
	for _, list := range []struct {
		title string
		items []restore.Item
	}{{"chosen", s.Chosen}, {"comes along", s.Brought}, {"left out", s.LeftOut}} {
		for _, item := range list.items {
			p.printf("  %-11s %s\n", list.title, printable.Text(item.String()))
		}
	}
}
