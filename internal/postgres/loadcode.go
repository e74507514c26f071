package postgres

import (
	"context"
	"fmt"
)

// What rows run when a superuser puts them into tables of somebody else: PostgreSQL evaluates the tables' own
// expressions with the rights of whoever loads. SET ROLE is no way out, since a function may RESET ROLE.
//
// Rules: an expression is harmless when all its parts are known to be. A function is that when a superuser, or
// the restoring role, owns it, and it is immutable, tells the time, or is one of a few by name: many of
// PostgreSQL's own that anybody may write into a CHECK do more for a superuser (pg_read_file, query_to_xml,
// table_to_xml). In an expression of a superuser's own table any function of a superuser is. What was looked at
// stays so until the rows are there: no statement that adds code gets past the lock of HoldDefinitions. A domain
// is the exception, since nothing locks one, so a domain of another role is never harmless.

// reachedByRows are the tables, the trees of partitions that they are in, and all types of their columns and
// expressions. expressionsOf is written for one of them, named m.
const (
	expressionsOf = `(
		SELECT con.conbin::text AS tree, 'constraint ' || quote_ident(con.conname) AS what FROM pg_constraint AS con
			WHERE NOT m.type AND con.conrelid = m.oid AND con.conbin IS NOT NULL
		UNION ALL SELECT con.conbin::text, 'constraint ' || quote_ident(con.conname) FROM pg_constraint AS con
			WHERE m.type AND con.contypid = m.oid AND con.conbin IS NOT NULL
		UNION ALL SELECT d.adbin::text, 'column ' || quote_ident(a.attname) FROM pg_attrdef AS d
			JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
			WHERE NOT m.type AND d.adrelid = m.oid
		UNION ALL SELECT t.typdefaultbin::text, 'default' FROM pg_type AS t
			WHERE m.type AND t.oid = m.oid AND t.typdefaultbin IS NOT NULL
		UNION ALL SELECT coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, ''),
				'index ' || i.indexrelid::regclass
			FROM pg_index AS i WHERE NOT m.type AND i.indrelid = m.oid
		UNION ALL SELECT p.partexprs::text, 'partition key' FROM pg_partitioned_table AS p
			WHERE NOT m.type AND p.partrelid = m.oid AND p.partexprs IS NOT NULL
	)`
	reachedByRows = `WITH RECURSIVE met (oid, type) AS (
		SELECT c.oid, false FROM unnest($1::text[], $2::text[]) AS w (schema, name)
			JOIN pg_namespace AS n ON n.nspname = w.schema
			JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
		UNION SELECT x.oid, x.type FROM met AS m CROSS JOIN LATERAL (
			SELECT i.inhparent AS oid, false AS type FROM pg_inherits AS i
				JOIN pg_class AS p ON p.oid = i.inhparent AND p.relkind = 'p' WHERE NOT m.type AND i.inhrelid = m.oid
			UNION ALL SELECT i.inhrelid, false FROM pg_inherits AS i
				JOIN pg_class AS p ON p.oid = i.inhparent AND p.relkind = 'p' WHERE NOT m.type AND i.inhparent = m.oid
			UNION ALL SELECT a.atttypid, true FROM pg_attribute AS a WHERE a.attnum > 0 AND NOT a.attisdropped
				AND a.attrelid = CASE WHEN m.type THEN (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = m.oid)
					ELSE m.oid END
			UNION ALL SELECT unnest(ARRAY[t.typbasetype, t.typelem]), true FROM pg_type AS t
				WHERE m.type AND t.oid = m.oid
			UNION ALL SELECT r.rngsubtype, true FROM pg_range AS r
				WHERE m.type AND m.oid IN (r.rngtypid, coalesce((to_jsonb(r) ->> 'rngmultitypid')::oid, r.rngtypid)) -- from 14 on
			UNION ALL SELECT found[1]::oid, true FROM ` + expressionsOf + ` AS e,
				regexp_matches(e.tree, ':\w*(?:type|typeid) (\d+)', 'g') AS found
		) AS x WHERE x.oid <> 0
	)`
)

// codeOnLoad are the expressions that are not known to be harmless, and the triggers of partitioned tables.
const codeOnLoad = reachedByRows + `, trusted AS (
		SELECT oid FROM pg_roles WHERE rolsuper OR rolname = current_user
	), owned AS (
		SELECT m.*, CASE WHEN m.type THEN (SELECT t.typowner FROM pg_type AS t WHERE t.oid = m.oid)
				ELSE (SELECT c.relowner FROM pg_class AS c WHERE c.oid = m.oid) END IN (SELECT oid FROM trusted) AS trusted,
			CASE WHEN m.type THEN 'type ' || m.oid::regtype ELSE 'table ' || m.oid::regclass END AS name FROM met AS m)
	SELECT DISTINCT m.name || ', ' || e.what,
			'function ' || p.oid::regprocedure || ' of role ' || quote_ident(pg_get_userbyid(p.proowner))
		FROM owned AS m CROSS JOIN LATERAL ` + expressionsOf + ` AS e,
			regexp_matches(e.tree, ':\w*funcid (\d+)', 'g') AS found
		JOIN pg_proc AS p ON p.oid = found[1]::oid
		WHERE p.proowner NOT IN (SELECT oid FROM trusted) OR NOT (m.trusted OR p.provolatile = 'i'
			OR (p.oid < 16384 AND p.provolatile = 's' AND NOT p.proretset AND EXISTS (SELECT FROM pg_type AS t
				WHERE t.oid = ANY (p.proargtypes::oid[] || p.prorettype) AND t.oid < 16384 AND t.typcategory IN ('D', 'T')))
			OR (p.oid < 16384
				AND p.proname IN ('clock_timestamp', 'gen_random_uuid', 'nextval', 'random', 'uuidv4', 'uuidv7'))
			OR EXISTS (SELECT FROM pg_depend AS d
				JOIN pg_extension AS x ON x.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
				WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
					AND x.extname IN ('pgcrypto', 'uuid-ossp')))
	UNION SELECT m.name || ', ' || e.what, 'an expression of kind ' || lower(found[1])
		FROM owned AS m CROSS JOIN LATERAL ` + expressionsOf + ` AS e,
			regexp_matches(e.tree, '\{([A-Z_]+)', 'g') AS found
		WHERE NOT m.trusted AND found[1] <> ALL ($3::text[])
	UNION SELECT m.name, 'constraints that its owner may add at any time' FROM owned AS m
		JOIN pg_type AS t ON t.oid = m.oid WHERE m.type AND t.typtype = 'd' AND NOT m.trusted
	UNION SELECT m.name, 'trigger ' || quote_ident(g.tgname) FROM owned AS m
		JOIN pg_trigger AS g ON NOT m.type AND g.tgrelid = m.oid
		WHERE (NOT g.tgisinternal OR g.tgfoid >= 16384) AND g.tgenabled IN ('O', 'A') AND g.tgtype::int & 4 <> 0
	ORDER BY 1, 2`

// knownNodes are the nodes of expressions that run no code but the functions that they name; some have had
// other names before PostgreSQL 16. Among the others are JSON and XML expressions, which look for casts of their own.
var knownNodes = []string{
	"ARRAY", "ARRAYCOERCEEXPR", "ARRAYEXPR", "BOOLEANTEST", "BOOLEXPR", "CASE", "CASEEXPR", "CASETESTEXPR", "CASEWHEN",
	"COALESCE", "COALESCEEXPR", "COERCETODOMAIN", "COERCETODOMAINVALUE", "COERCEVIAIO", "COLLATE", "COLLATEEXPR",
	"CONST", "DISTINCTEXPR", "FUNCEXPR", "MINMAX", "MINMAXEXPR",
	"NULLIFEXPR", "NULLTEST", "OPEXPR", "RELABELTYPE", "SCALARARRAYOPEXPR", "SQLVALUEFUNCTION", "VAR", "WHEN",
}

// CodeOnLoad says what of others' code may run, with the rights of the session's role, when rows are put into
// tables of the session's database.
func (s *Server) CodeOnLoad(ctx context.Context, tables []Table) (problems []string, err error) {
	schemas, names := schemasAndNames(tables)
	type run struct{ Where, What string }
	found, err := collect[run](ctx, s, codeOnLoad, schemas, names, knownNodes)
	for _, r := range found {
		problems = append(problems, fmt.Sprintf("%s would run %s", r.Where, r.What))
	}
	return problems, classify("postgres: find what rows would run in "+s.target.name(), err)
}
