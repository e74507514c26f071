package postgres

import (
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Where a server is, and where it keeps its data: what a restore is shown with, and what its
// need of space is held against.

// Place is a server as it was reached.
type Place struct {
	Host       string // the socket's folder, or a name or address
	Port       uint16
	Local      bool // over a socket: the server's paths are, as a rule, this host's
	Role       string
	Superuser  bool // the role is one
	CreatesDBs bool // the role may create databases
	Standby    bool
}

// Place says where the session leads.
func (s *Server) Place(ctx context.Context) (Place, error) {
	c := s.conn.Config()
	p := Place{Host: c.Host, Port: c.Port, Local: strings.HasPrefix(c.Host, "/") || strings.HasPrefix(c.Host, "@")}
	err := s.row(ctx,
		"SELECT current_user::text, rolsuper, rolsuper OR rolcreatedb, pg_is_in_recovery() FROM pg_roles WHERE rolname = "+
			"current_user",
		nil, &p.Role, &p.Superuser, &p.CreatesDBs, &p.Standby)
	return p, classify("postgres: look at the role", err)
}

// Paths are the folders of the server's tablespaces by their names, those that the role may know.
func (s *Server) Paths(ctx context.Context) (map[string]string, error) {
	// pg_settings has no row of data_directory for those who may not see it; asking for the setting is an error.
	rows, err := collect[struct{ Name, Path string }](ctx, s, `SELECT spcname::text, CASE spcname
			WHEN 'pg_default' THEN coalesce((SELECT setting FROM pg_settings WHERE name = 'data_directory'), '')
			ELSE pg_tablespace_location(oid) END
		FROM pg_tablespace WHERE spcname <> 'pg_global'`)
	paths := map[string]string{}
	for _, r := range rows {
		if r.Path != "" {
			paths[r.Name] = r.Path
		}
	}
	return paths, classify("postgres: list tablespaces", err)
}

// CheckLocale reports why the server cannot create a database of this locale: code Refused, with
// what to do. It finds out what CREATE DATABASE would find out, and changes nothing.
func (s *Server) CheckLocale(ctx context.Context, l Locale) error {
	var versionNum, encoding int
	var icu, builtin bool
	// colllocale is there from 17 on.
	err := s.row(ctx, `SELECT current_setting('server_version_num')::int, pg_char_to_encoding($1),
			EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i'),
			EXISTS (SELECT FROM pg_collation AS c WHERE collprovider = 'b' AND to_jsonb(c) ->> 'colllocale' = $2)`,
		[]any{l.Encoding, l.Name}, &versionNum, &encoding, &icu, &builtin)
	if err != nil {
		return classify("postgres: look at locales", err)
	}
	const newer = "Restore into a server of the same or a newer major version."
	switch {
	case l.Encoding != "" && encoding < 0:
		return noLocale("the server knows no encoding "+l.Encoding, newer)
	case l.Provider == "icu" && versionNum < 150000:
		return noLocale("databases with ICU locales need a server from 15 on", newer)
	case l.Provider == "icu" && !icu:
		return noLocale("the server was built without ICU", "Install a PostgreSQL that is built with ICU.")
	case l.Provider == "builtin" && versionNum < 170000:
		return noLocale("databases with the builtin locale provider need a server from 17 on", newer)
	case l.Provider == "builtin" && !builtin:
		return noLocale("the builtin locale provider has no "+l.Name, newer)
	}
	for _, name := range []string{l.Collate, l.Ctype} {
		if err := s.checkSystemLocale(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// checkSystemLocale asks the server's C library, by a setting that anybody may make and that ends
// with its statement. pg_collation does not serve: it has what was there when initdb ran.
func (s *Server) checkSystemLocale(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	var set string
	err := s.row(ctx, "SELECT set_config('lc_monetary', $1, true)", []any{name}, &set)
	if stateOf(err) == "22023" {
		return noLocale("the server's system has no locale "+name,
			"Generate it there (Debian: locale-gen, dpkg-reconfigure locales) and restart the server, or install its "+
				"language pack.")
	}
	return classify("postgres: look for locale "+name, err)
}

func noLocale(what, remedy string) error { return fault.New(fault.Refused, what, remedy, nil) }
