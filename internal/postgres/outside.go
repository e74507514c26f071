package postgres

import "context"

// What a schema needs from outside of it, in the database that it is restored into.

// Outside is something that a schema's objects need, and that is not in the schema.
type Outside struct {
	Kind      string `json:"kind"` // "table", "type", "function", …
	Name      string `json:"name"` // as SQL writes it, with its schema; of an extension, the schema that it is in
	Extension string `json:"extension,omitempty"`
	KeysOnly  bool   `json:"keysOnly,omitempty"` // nothing but foreign keys needs it
}

// String is what has to be there: the extension, where it is part of one.
func (o Outside) String() string {
	if o.Extension != "" {
		return "extension " + o.Extension
	}
	return o.Kind + " " + o.Name
}

// CreateExtension makes an extension where there is none of that name, in a schema that is made for it.
func (s *Server) CreateExtension(ctx context.Context, name, schema string) error {
	what := "postgres: create extension " + QuoteIdent(name)
	if schema != "" && schema != "public" {
		if err := s.exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+QuoteIdent(schema)); err != nil {
			return classify(what, err)
		}
	}
	sql := "CREATE EXTENSION IF NOT EXISTS " + QuoteIdent(name)
	if schema != "" {
		sql += " SCHEMA " + QuoteIdent(schema)
	}
	return classify(what, s.exec(ctx, sql))
}

// Lacks are those of these that the session's database does not have.
func (s *Server) Lacks(ctx context.Context, needs []Outside) (lacking []Outside, err error) {
	for _, n := range needs {
		var there bool
		if n.Extension != "" {
			err = s.row(ctx, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = $1)", []any{n.Extension}, &there)
		} else {
			err = s.row(ctx, thereSQL(n.Kind), []any{n.Name}, &there)
		}
		if err != nil {
			return nil, classify("postgres: look for "+n.String(), err)
		}
		if !there {
			lacking = append(lacking, n)
		}
	}
	return lacking, nil
}

// thereSQL looks for something by its name as SQL writes it. What there is no question for is taken to be there: the
// restore, which is one transaction, tells.
func thereSQL(kind string) string {
	switch kind {
	case "table", "view", "materialized view", "sequence", "foreign table", "index":
		return "SELECT to_regclass($1) IS NOT NULL"
	case "type", "domain":
		return "SELECT to_regtype($1) IS NOT NULL"
	case "function", "aggregate", "procedure":
		return "SELECT to_regprocedure($1) IS NOT NULL"
	case "schema":
		return "SELECT to_regnamespace($1) IS NOT NULL"
	}
	return "SELECT $1::text IS NOT NULL"
}
