package postgres

import "context"

// Extension is an extension of a database in its version.
type Extension struct {
	Name    string  `json:"name"`
	Version string  `json:"version"`
	Rows    []Table `json:"rows,omitempty"` // its tables and sequences whose contents are the user's, and in dumps
}

// Extensions are those of the session's database, by name.
func (s *Server) Extensions(ctx context.Context) ([]Extension, error) {
	found, err := collect[Extension](ctx, s, `SELECT extname, extversion, (
			SELECT json_agg(json_build_object('schema', n.nspname, 'name', c.relname) ORDER BY c.oid)
			FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = ANY(extconfig))
		FROM pg_extension ORDER BY 1`)
	return found, classify("postgres: list extensions", err)
}

// Ownership is whose something is, and whether it has rights of its own. Schemas have no Name.
type Ownership struct {
	Schema string
	Name   string
	Owner  string
	ACL    bool // not the default rights
}

// Ownerships are the owners of all relations and schemas of the session's database.
func (s *Server) Ownerships(ctx context.Context) ([]Ownership, error) {
	found, err := collect[Ownership](ctx, s, `SELECT n.nspname, c.relname,
		pg_get_userbyid(c.relowner), c.relacl IS NOT NULL
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
		UNION ALL SELECT nspname, '', pg_get_userbyid(nspowner), nspacl IS NOT NULL FROM pg_namespace`)
	return found, classify("postgres: list owners in "+s.target.name(), err)
}
