package postgres

import (
	"context"
	"slices"
	"strings"
)

// What a dump of one schema has to know of the database: which schemas there are, how large one is, which roles it
// names, and what it needs from outside, which such a dump does not have.

// Schemas are those of the session's database that are not the server's own, sorted.
func (s *Server) Schemas(ctx context.Context) ([]string, error) {
	names, err := s.names(ctx,
		"SELECT nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1")
	return names, classify("postgres: list schemas of "+s.target.name(), err)
}

// SchemaSize is the size of a schema's tables and of what they keep beside them, without indexes.
func (s *Server) SchemaSize(ctx context.Context, schema string) (size int64, err error) {
	err = s.row(ctx, `SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')`, []any{schema}, &size)
	return size, classify("postgres: size of schema "+QuoteIdent(schema), err)
}

// inside are the objects of a schema, with what belongs to its tables and has no schema of its own.
const inside = `schema_oid AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
	classes AS (SELECT c.oid FROM pg_class AS c JOIN schema_oid AS s ON s.oid = c.relnamespace),
	inside (class, oid) AS (
		SELECT 'pg_class'::regclass::oid, oid FROM classes
		UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc AS p JOIN schema_oid AS s ON s.oid = p.pronamespace
		UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type AS t JOIN schema_oid AS s ON s.oid = t.typnamespace
		UNION ALL SELECT 'pg_operator'::regclass, o.oid FROM pg_operator AS o JOIN schema_oid AS s ON s.oid = o.oprnamespace
		UNION ALL SELECT 'pg_opclass'::regclass, o.oid FROM pg_opclass AS o JOIN schema_oid AS s ON s.oid = o.opcnamespace
		UNION ALL SELECT 'pg_opfamily'::regclass, o.oid FROM pg_opfamily AS o JOIN schema_oid AS s ON s.oid = o.opfnamespace
		UNION ALL SELECT 'pg_collation'::regclass, o.oid
			FROM pg_collation AS o JOIN schema_oid AS s ON s.oid = o.collnamespace
		UNION ALL SELECT 'pg_conversion'::regclass, o.oid
			FROM pg_conversion AS o JOIN schema_oid AS s ON s.oid = o.connamespace
		UNION ALL SELECT 'pg_ts_config'::regclass, o.oid FROM pg_ts_config AS o JOIN schema_oid AS s ON s.oid = o.cfgnamespace
		UNION ALL SELECT 'pg_ts_dict'::regclass, o.oid FROM pg_ts_dict AS o JOIN schema_oid AS s ON s.oid = o.dictnamespace
		UNION ALL SELECT 'pg_statistic_ext'::regclass, o.oid
			FROM pg_statistic_ext AS o JOIN schema_oid AS s ON s.oid = o.stxnamespace
		UNION ALL SELECT 'pg_constraint'::regclass, o.oid
			FROM pg_constraint AS o JOIN schema_oid AS s ON s.oid = o.connamespace
		UNION ALL SELECT 'pg_attrdef'::regclass, o.oid FROM pg_attrdef AS o JOIN classes AS c ON c.oid = o.adrelid
		UNION ALL SELECT 'pg_rewrite'::regclass, o.oid FROM pg_rewrite AS o JOIN classes AS c ON c.oid = o.ev_class
		UNION ALL SELECT 'pg_trigger'::regclass, o.oid FROM pg_trigger AS o JOIN classes AS c ON c.oid = o.tgrelid
		UNION ALL SELECT 'pg_policy'::regclass, o.oid FROM pg_policy AS o JOIN classes AS c ON c.oid = o.polrelid
		UNION ALL SELECT 'pg_default_acl'::regclass, o.oid
			FROM pg_default_acl AS o JOIN schema_oid AS s ON s.oid = o.defaclnamespace
		UNION ALL SELECT 'pg_namespace'::regclass, oid FROM schema_oid)`

// OutsideOf is what a schema needs from outside, as far as PostgreSQL records it: of what functions name in their text
// it knows nothing. What every database has is not told.
func (s *Server) OutsideOf(ctx context.Context, schema string) ([]Outside, error) {
	found, err := collect[Outside](ctx, s, `WITH `+inside+`
		SELECT CASE WHEN e.extname IS NULL THEN i.type ELSE 'extension' END,
			CASE WHEN e.extname IS NULL THEN i.identity ELSE (SELECT nspname FROM pg_namespace WHERE oid = e.extnamespace) END,
			coalesce(e.extname, ''),
			e.extname IS NULL AND bool_and(EXISTS (SELECT FROM pg_constraint AS k
				WHERE o.class = 'pg_constraint'::regclass AND k.oid = o.oid AND k.contype = 'f'))
		FROM inside AS o JOIN pg_depend AS d ON d.classid = o.class AND d.objid = o.oid AND d.deptype IN ('n', 'a', 'e')
			LEFT JOIN pg_depend AS x ON x.classid = d.refclassid AND x.objid = d.refobjid AND x.deptype = 'e'
			LEFT JOIN pg_extension AS e ON e.oid = x.refobjid OR d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
			CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, 0) AS i
		WHERE NOT EXISTS (SELECT FROM inside AS n WHERE n.class = d.refclassid AND n.oid = d.refobjid)
			AND coalesce(i.schema, '') NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
			AND coalesce(e.extname, '') <> 'plpgsql'
			AND NOT (e.extname IS NULL AND i.type IN ('schema', 'language', 'access method', 'cast')
				AND i.identity IN ('pg_catalog', 'pg_toast', 'plpgsql', 'internal', 'sql', 'c', 'heap'))
		GROUP BY e.extname, e.extnamespace, i.type, i.identity
		ORDER BY 3, 1, 2`, schema)
	found = slices.CompactFunc(found, func(a, b Outside) bool { return a == b }) // of one extension several things
	return found, classify("postgres: what schema "+QuoteIdent(schema)+" needs", err)
}

// IntoSchema is what outside of a schema needs something of it: foreign keys, views and the like, as the server
// describes them.
func (s *Server) IntoSchema(ctx context.Context, schema string) ([]Referrer, error) {
	found, err := collect[Referrer](ctx, s, `WITH `+inside+`
		SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0), pg_describe_object(d.refclassid, d.refobjid, 0)
		FROM inside AS o JOIN pg_depend AS d ON d.refclassid = o.class AND d.refobjid = o.oid AND d.deptype IN ('n', 'a')
		WHERE NOT EXISTS (SELECT FROM inside AS n WHERE n.class = d.classid AND n.oid = d.objid)
			AND d.classid NOT IN ('pg_namespace'::regclass)
			AND NOT (d.refclassid = 'pg_class'::regclass AND d.classid IN ('pg_class'::regclass, 'pg_type'::regclass)
				AND (SELECT c.relnamespace FROM pg_class AS c WHERE c.oid = d.objid) = 'pg_toast'::regnamespace)
		ORDER BY 1, 2`, schema)
	return found, classify("postgres: what needs schema "+QuoteIdent(schema), err)
}

// RoleUsesIn is RoleUses of one schema.
func (s *Server) RoleUsesIn(ctx context.Context, schema string) ([]RoleUse, error) {
	uses, err := collect[RoleUse](ctx, s, `WITH `+inside+`
		SELECT DISTINCT r.rolname, CASE d.deptype WHEN 'o' THEN 'owner' WHEN 'r' THEN 'policy' ELSE 'grant' END
		FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
			JOIN inside AS o ON o.class = d.classid AND o.oid = d.objid
		WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('o', 'a', 'r')
			AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY 1, 2`, schema)
	return uses, classify("postgres: roles used in schema "+QuoteIdent(schema), err)
}

// Bootstrap is the role that the server was made with: no catalogue records what it owns.
func (s *Server) Bootstrap(ctx context.Context) (name string, err error) {
	err = s.row(ctx, "SELECT rolname FROM pg_roles WHERE oid = 10", nil, &name)
	return name, classify("postgres: look for the first role", err)
}

// RolesByName is a script that makes roles of these names and says nothing else of them: what a tenant's set has in the
// place of the server's globals, which tell of all others.
func RolesByName(uses []RoleUse) []byte {
	var b strings.Builder
	b.WriteString("-- roles that this schema names, by name alone\n")
	last := ""
	for _, u := range uses { // sorted
		if u.Role != last {
			b.WriteString("CREATE ROLE " + QuoteIdent(u.Role) + ";\n")
			last = u.Role
		}
	}
	return []byte(b.String())
}
