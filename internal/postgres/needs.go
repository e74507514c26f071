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
		{
			n.Roles, &missing.Roles,
			"SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = w)",
		},
		{
			n.Tablespaces, &missing.Tablespaces,
			"SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM pg_tablespace WHERE spcname = w)",
		},
		{
			n.Extensions, &missing.Extensions,
			"SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = w)",
		},
	} {
		var err error
		if *q.into, err = s.names(ctx, q.sql, q.wanted); err != nil {
			return Needs{}, classify("postgres: look for roles, tablespaces and extensions", err)
		}
	}
	return missing, nil
}

// Databases are the names of the databases that take connections, sorted.
func (s *Server) Databases(ctx context.Context) ([]string, error) {
	names, err := s.names(ctx, "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")
	return names, classify("postgres: list databases", err)
}

// firstOwn is the first object ID that is not the system's (FirstNormalObjectId in src/include/access/transam.h).
const firstOwn = 16384

// Empty reports whether the database of this session holds nothing that anybody would miss: no relation, no function
// but those of extensions, and no extension that keeps rows of its own (pg_extension.extconfig), as pg_cron does. It is
// meant for the database in which a server is asked about itself.
func (s *Server) Empty(ctx context.Context) (empty bool, err error) {
	err = s.row(ctx, `SELECT NOT EXISTS (SELECT FROM pg_class AS c
			WHERE c.oid >= $1 AND c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f')
			AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))
		AND NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.oid >= $1
			AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e'))
		AND NOT EXISTS (SELECT FROM pg_extension WHERE extconfig IS NOT NULL)`, []any{firstOwn}, &empty)
	return empty, classify("postgres: look into database "+s.target.name(), err)
}

// CurrentDatabase is the database of this session.
func (s *Server) CurrentDatabase(ctx context.Context) (name string, err error) {
	err = s.row(ctx, "SELECT current_database()", nil, &name)
	return name, classify("postgres: ask for the database", err)
}

// SystemIdentifier is that of the server; "" where the role may not ask.
func (s *Server) SystemIdentifier(ctx context.Context) (string, error) {
	var f Facts
	err := s.askSystemIdentifier(ctx, &f)
	return f.SystemIdentifier, classify("postgres: identify the server", err)
}

// Backupable are the names of the databases that a backup of the whole server takes, sorted: no templates, none that
// takes no connections, and none that a DROP DATABASE left half dropped, which takes none either.
func (s *Server) Backupable(ctx context.Context) ([]string, error) {
	names, err := s.names(ctx, "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND "+
		"datconnlimit <> -2 ORDER BY 1")
	return names, classify("postgres: list databases", err)
}
