package main

import (
	"github.com/spf13/pflag"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// The flags of `restore` for less than everything and for other roles.

func (o *restoreOptions) partFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.Tables, "table", nil,
		"only this `table`, as show --tables prints it or as SQL quotes it; may be repeated")
	flags.StringArrayVar(&o.Schemas, "schema", nil, "only this `schema`; may be repeated")
	flags.BoolVar(&o.SchemaOnly, "schema-only", false, "definitions without rows")
	flags.BoolVar(&o.DataOnly, "data-only", false, "rows of chosen tables without definitions, with --into")
	flags.StringVar(&o.into, "into", "", "existing `database` whose empty tables get the rows, with --data-only")
	flags.StringArrayVar(&o.roles, "role", nil,
		"what belongs or is granted to one role goes to another: `OLD=NEW`; may be repeated")
}

// settle makes the request out of the flags.
func (o *restoreOptions) settle() error {
	switch {
	case o.DataOnly != (o.into != ""):
		return usageText("--data-only and --into go together: they put rows into tables that exist")
	case o.into != "" && o.To+o.Replace != "":
		return usageText("--to names a new database, --replace a live one, --into one whose empty tables get rows: " +
			"give one of them")
	case o.into != "":
		o.To = o.into
	}
	for _, text := range o.roles {
		old, renamed, err := restore.ParseRole(text)
		if err != nil {
			return err
		}
		if o.Roles == nil {
			o.Roles = map[string]string{}
		}
		o.Roles[old] = renamed
	}
	return nil
}
