package backup

import (
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// loadOptions override what a database may have set for every session, and would stop the load.
const loadOptions = `PGOPTIONS='-c default_transaction_read_only=off ` +
	`-c default_transaction_isolation=read\ committed -c role=none'`

// setParameters reads a set's contents and gives a database its parameters. Names and values are
// quoted by the server; those of roles that it lacks are left out.
func setParameters(database string) string {
	words := []string{"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres"}
	for _, statement := range []string{
		"CREATE TEMP TABLE contents (j text)",
		`\copy contents FROM pstdin WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')`,
		"CREATE TEMP TABLE target AS SELECT " + postgres.QuoteLiteral(database) + "::text AS db",
		parametersOfContents,
	} {
		words = append(words, "-c", statement)
	}
	for i, word := range words {
		words[i] = ShellQuote(word)
	}
	return strings.Join(words, " ")
}

// parametersOfContents takes stored lists apart, as the server does: given as one text they would
// become a list of one odd name.
const parametersOfContents = `DO $$ DECLARE p record; BEGIN FOR p IN ` +
	`SELECT CASE WHEN x->>'role' IS NOT NULL THEN format('ROLE %I IN DATABASE %I', x->>'role', db) ` +
	`ELSE format('DATABASE %I', db) END AS subject, x->>'name' AS name, ` +
	`CASE WHEN x->>'name' ` +
	`IN ('local_preload_libraries', 'search_path', 'session_preload_libraries', 'temp_tablespaces') ` +
	`THEN coalesce((SELECT string_agg(quote_literal(coalesce(replace(m[1], '""', '"'), btrim(m[2]))), ', ') ` +
	`FROM regexp_matches(x->>'value', '"((?:[^"]|"")*)"|([^",[:space:]][^,]*)', 'g') AS m), '''''') ` +
	`ELSE quote_literal(x->>'value') END AS value ` +
	`FROM target, contents, json_array_elements(coalesce(j::json #> '{database,parameters}', '[]')) AS x ` +
	`WHERE x->>'role' IS NULL OR EXISTS (SELECT FROM pg_roles WHERE rolname = x->>'role') ` +
	`LOOP EXECUTE format('ALTER %s SET %I TO %s', p.subject, p.name, p.value); END LOOP; END $$`
