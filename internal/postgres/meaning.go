package postgres

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Settings of a server that change what text means: a function that a constraint, an index or a materialized
// view calls reads '25.12.2024' as a date, or a parameter that only the server's configuration sets. A dump
// has none of them, and a server without them refuses the rows or makes other values of them.

// meaningful are PostgreSQL's own settings of that kind, and the libraries that extensions need. Everything else
// of a server's configuration is about the host, and stays out of sets.
var meaningful = []string{
	"array_nulls", "backslash_quote", "bytea_output", "datestyle", "default_text_search_config", "extra_float_digits",
	"intervalstyle",
	"lc_monetary", "lc_numeric", "lc_time", "shared_preload_libraries", "standard_conforming_strings", "timezone",
	"timezone_abbreviations",
	"transform_null_equals", "xmlbinary", "xmloption",
}

// customName is the form of a parameter that PostgreSQL does not know: its class, a dot, its name.
var customName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)+$`)

// The limits of what is kept of a server's settings.
const (
	maxMeanings     = 200
	maxMeaningBytes = 4096 // of a name with its value
)

// Meaningful keeps the settings that may be in a set, in their order and no more than fit. What comes from a set
// passes it, too: it is as good as whoever wrote the set.
func Meaningful(all []Parameter) (kept []Parameter) {
	for _, p := range all {
		known := slices.Contains(meaningful, strings.ToLower(p.Name)) || customName.MatchString(p.Name)
		plain := utf8.ValidString(p.Value) && !strings.ContainsRune(p.Value, 0)
		if known && plain && p.Role == "" && len(p.Name)+len(p.Value) <= maxMeaningBytes && len(kept) < maxMeanings {
			kept = append(kept, p)
		}
	}
	return kept
}

// Meaning is what the server has of these settings for a session that neither its role nor its database gives
// others. A database's own are in its Settings, and precede these.
func (s *Server) Meaning(ctx context.Context) ([]Parameter, error) {
	found, err := s.askMeaning(ctx)
	return Meaningful(found), classify("postgres: settings of the server of "+s.target.name(), err)
}

func (s *Server) askMeaning(ctx context.Context) ([]Parameter, error) {
	// What the session was given is in setting, what the server has in reset_val. A setting of the session's own
	// role hides the server's.
	own, err := collect[Parameter](ctx, s, `SELECT '', name, reset_val FROM pg_settings
		WHERE lower(name) = ANY($1) AND reset_val IS NOT NULL AND source <> 'client' AND lower(name) NOT IN (
			SELECT lower(split_part(c, '=', 1)) FROM pg_db_role_setting AS d JOIN
			pg_roles AS r ON r.oid = d.setrole, unnest(d.setconfig) AS c
			WHERE r.rolname = session_user)
		ORDER BY name`, meaningful)
	if err != nil {
		return nil, err
	}
	// ALTER ROLE ALL SET precedes the configuration, and is in no dump either.
	all, err := collect[Parameter](ctx, s, `SELECT '', split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
		FROM pg_db_role_setting AS d, unnest(d.setconfig) AS c
		WHERE d.setdatabase = 0 AND d.setrole = 0 AND strpos(c, '.') BETWEEN 1 AND strpos(c, '=') ORDER BY 2`)
	if err != nil {
		return nil, err
	}
	custom, err := s.askCustom(ctx)
	for _, p := range custom {
		if !slices.ContainsFunc(all, func(o Parameter) bool { return strings.EqualFold(o.Name, p.Name) }) {
			all = append(all, p)
		}
	}
	return append(own, all...), err
}

// askCustom reads parameters that PostgreSQL does not know from the configuration. Where the role may not, it asks
// for those that functions of the database name.
func (s *Server) askCustom(ctx context.Context) ([]Parameter, error) {
	var may bool
	err := s.row(ctx, `SELECT has_function_privilege('pg_show_all_file_settings()', 'EXECUTE')
		AND has_table_privilege('pg_file_settings', 'SELECT')`, nil, &may)
	switch {
	case err != nil:
		return nil, err
	case may: // those of an extension that only a start of the server sets are about the host
		return collect[Parameter](ctx, s, `SELECT DISTINCT ON (lower(f.name)) '', f.name, f.setting FROM pg_file_settings AS f
			WHERE f.name LIKE '%.%' AND f.setting IS NOT NULL AND f.error IS NULL
				AND NOT EXISTS (SELECT FROM pg_settings AS k WHERE lower(k.name) = lower(f.name)
				AND k.context NOT IN ('user', 'superuser'))
			ORDER BY lower(f.name), f.seqno DESC`)
	}
	return collect[Parameter](ctx, s, `SELECT '', n.name, current_setting(n.name, true)
		FROM (SELECT DISTINCT m[1] AS name FROM pg_proc AS p, regexp_matches(p.prosrc, $1, 'g') AS m
		WHERE p.oid >= 16384 LIMIT $2) AS n
		WHERE current_setting(n.name, true) <> '' ORDER BY 1`,
		`current_setting\s*\(\s*'([A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)+)'`, maxMeanings)
}

// FromServer is what a database with these settings had from its server: those that it has not of its own.
func (c Settings) FromServer(server []Parameter) Settings {
	only := Settings{ConnLimit: -1}
	for _, p := range Meaningful(server) {
		own := slices.ContainsFunc(c.Parameters,
			func(o Parameter) bool { return o.Role == "" && strings.EqualFold(o.Name, p.Name) })
		if !own && !strings.EqualFold(p.Name, "shared_preload_libraries") { // only the start of a server can load them
			only.Parameters = append(only.Parameters, p)
		}
	}
	return only
}
