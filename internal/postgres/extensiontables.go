package postgres

import "context"

// Tables that belong to extensions. No dump defines them, CREATE EXTENSION does; of some a dump has those rows that the
// extension marks as the user's (pg_extension_config_dump): jobs of pg_cron, what pg_partman looks after,
// reference systems that somebody added to PostGIS.

// ExtensionTable is such a table of the session's database.
type ExtensionTable struct {
	Table     Table
	Extension string
	Version   string
	Dumped    bool   // dumps have its rows, or some of them
	Where     string // which ones, as the extension says it: a WHERE clause, or "" for all
	Inherited bool   // other tables inherit from it: a dump has their rows twice
}

// ExtensionTables are all of them.
func (s *Server) ExtensionTables(ctx context.Context) (map[Table]ExtensionTable, error) {
	type row struct {
		Schema, Name, Extension, Version string
		Dumped                           bool
		Where                            string
		Inherited                        bool
	}
	rows, err := collect[row](ctx, s, `SELECT n.nspname, c.relname, e.extname, e.extversion, k.i IS NOT NULL,
		coalesce(e.extcondition[k.i], ''),
			EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhparent = c.oid)
		FROM pg_depend AS d
			JOIN pg_extension AS e ON e.oid = d.refobjid
			JOIN pg_class AS c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
			JOIN pg_namespace AS n ON n.oid = c.relnamespace
			LEFT JOIN LATERAL (SELECT i FROM generate_subscripts(e.extconfig, 1) AS i WHERE e.extconfig[i] = c.oid) AS k ON true
		WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND c.relkind = 'r'`)
	tables := make(map[Table]ExtensionTable, len(rows))
	for _, r := range rows {
		t := Table{Schema: r.Schema, Name: r.Name}
		tables[t] = ExtensionTable{
			Table: t, Extension: r.Extension, Version: r.Version, Dumped: r.Dumped, Where: r.Where, Inherited: r.Inherited,
		}
	}
	return tables, classify("postgres: list tables of extensions", err)
}

// UserRows counts the rows of an extension's table that a dump would have.
func (s *Server) UserRows(ctx context.Context, t ExtensionTable) (int64, error) {
	return s.rowsOf(ctx, t.Table, t.Where)
}
