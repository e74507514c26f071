package postgres

import "context"

// Needs are names that an archive refers to and that a server must have before a restore.
type Needs struct {
	Roles       []string
	Tablespaces []string
	Extensions  []string // available to CREATE EXTENSION, not necessarily created
}

// Missing is the part of the needs that the server does not have.
func (s *Server) Missing(ctx context.Context, n Needs) (Needs, error) {
	var missing Needs
	for _, q := range []struct {
		wanted []string
		into   *[]string
		sql    string
	}{
		{n.Roles, &missing.Roles, "SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = w)"},
		{n.Tablespaces, &missing.Tablespaces, "SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM pg_tablespace WHERE spcname = w)"},
		{n.Extensions, &missing.Extensions, "SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = w)"},
	} {
		var err error
		if *q.into, err = s.names(ctx, q.sql, q.wanted); err != nil {
			return Needs{}, classify("postgres: look for roles, tablespaces and extensions", err)
		}
	}
	return missing, nil
}

// ExtensionTables are the tables that belong to extensions. pg_dump writes only those of their
// rows that the extension marked as the user's, so that their counts mean nothing.
func (s *Server) ExtensionTables(ctx context.Context) (map[Table]bool, error) {
	rows, err := collect[Table](ctx, s, `SELECT n.nspname, c.relname FROM pg_depend AS d
			JOIN pg_class AS c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
			JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND c.relkind = 'r'`)
	if err != nil {
		return nil, classify("postgres: list tables of extensions", err)
	}
	tables := make(map[Table]bool, len(rows))
	for _, t := range rows {
		tables[t] = true
	}
	return tables, nil
}

// Databases are the names of the databases that take connections, sorted.
func (s *Server) Databases(ctx context.Context) ([]string, error) {
	names, err := s.names(ctx, "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")
	return names, classify("postgres: list databases", err)
}
