package postgres

import (
	"context"
	"encoding/json"
	"strings"
)

// Facts are what a server and database are at one moment. Sizes are bytes.
type Facts struct {
	Version          string // "15.18"
	VersionNum       int    // 150018
	SystemIdentifier string // "" when the role may not ask (pg_control_system)
	InRecovery       bool   // a standby

	Database    string
	SizeBytes   int64        // pg_database_size
	Tablespaces []Tablespace // where it lies; one entry unless relations lie elsewhere
	Locale      Locale

	Role         string
	Superuser    bool
	Translated   bool // its messages may be in another language than English (lc_messages)
	BypassRLS    bool // row security does not filter for this role
	ReadAllData  bool // pg_read_all_data, from 14 on
	Tables       int  // that pg_dump would read: ordinary, not of extensions
	Unreadable   int  // of Tables, those the role has no SELECT for
	Unlogged     int  // of Tables, those whose rows a standby does not have
	RowSecurity  int  // of Tables, those that row security would filter for this role
	LargeObjects int64
	Unowned      int64 // of LargeObjects, those the role may not read

	OldStrings     bool // standard_conforming_strings is off for this role in this database
	ColumnVersions bool // columns have the option pg_attver, which some minor versions keep for themselves
}

// Major is the version that client programs are chosen by.
func (f Facts) Major() int { return f.VersionNum / 10000 }

// MayHaveEnglish is true where the server's messages may be in another language and this role may change that.
func (f Facts) MayHaveEnglish() bool { return f.Translated && f.Superuser }

// Tablespace is the part of a database that lies in one tablespace.
type Tablespace struct {
	Name      string
	SizeBytes int64
}

// Locale is how a database orders and encodes text.
type Locale struct {
	Encoding string `json:"encoding"`
	Collate  string `json:"collate"`
	Ctype    string `json:"ctype"`
	Provider string `json:"provider"`           // "libc", "icu", "builtin"
	Name     string `json:"name,omitempty"`     // ICU's or the builtin provider's
	ICURules string `json:"icuRules,omitempty"` // from 16 on
}

// Facts asks the server. It reads catalogues only, needs no rights beyond CONNECT, and works on
// standbys.
func (s *Server) Facts(ctx context.Context) (Facts, error) {
	var f Facts
	for _, ask := range []func(context.Context, *Facts) error{
		s.askServer, s.askSystemIdentifier, s.askTablespaces, s.askTables, s.askLargeObjects, s.askColumns,
	} {
		if err := ask(ctx, &f); err != nil {
			return Facts{}, classify("postgres: facts of "+s.target.name(), err)
		}
	}
	row, err := s.catalogRow(ctx, f.Database)
	if err != nil {
		return Facts{}, err
	}
	f.Locale = row.locale()
	return f, nil
}

func (s *Server) askServer(ctx context.Context, f *Facts) error {
	err := s.row(ctx, `SELECT current_setting('server_version'), current_setting('server_version_num')::int,
			pg_is_in_recovery(), current_database(), pg_database_size(current_database()),
			current_user, r.rolsuper, r.rolsuper OR r.rolbypassrls,
			r.rolsuper OR EXISTS (SELECT FROM pg_roles AS a WHERE a.rolname = 'pg_read_all_data' AND
			pg_has_role(a.oid, 'USAGE')),
			(SELECT reset_val = 'off' FROM pg_settings WHERE name = 'standard_conforming_strings'), -- our session has it on
			current_setting('lc_messages') !~* '^(C|POSIX|en)([_.@-]|$)' AND current_setting('lc_messages') <> ''
		FROM pg_roles AS r WHERE r.rolname = current_user`, nil,
		&f.Version, &f.VersionNum, &f.InRecovery, &f.Database, &f.SizeBytes,
		&f.Role, &f.Superuser, &f.BypassRLS, &f.ReadAllData, &f.OldStrings, &f.Translated)
	f.Version, _, _ = strings.Cut(f.Version, " ") // without the packager's suffix
	return err
}

// askSystemIdentifier looks first whether it may: a refusal would be an error in the server's log.
func (s *Server) askSystemIdentifier(ctx context.Context, f *Facts) error {
	var may bool
	err := s.row(ctx, "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')", nil, &may)
	if err != nil || !may {
		return err
	}
	return s.row(ctx, "SELECT system_identifier::text FROM pg_control_system()", nil, &f.SystemIdentifier)
}

// askTablespaces measures only relations outside the database's own tablespace, so that it stays
// cheap where there are none.
func (s *Server) askTablespaces(ctx context.Context, f *Facts) error {
	elsewhere, err := collect[Tablespace](ctx, s, `SELECT t.spcname, sum(pg_relation_size(c.oid))::bigint
		FROM pg_class AS c JOIN pg_tablespace AS t ON t.oid = c.reltablespace
		WHERE c.relkind IN ('r', 'i', 't', 'm') AND t.spcname <> 'pg_global'
		GROUP BY t.spcname ORDER BY t.spcname`)
	if err != nil {
		return err
	}
	own := Tablespace{SizeBytes: f.SizeBytes}
	for _, t := range elsewhere {
		own.SizeBytes -= t.SizeBytes
	}
	f.Tablespaces = append([]Tablespace{own}, elsewhere...)
	return s.row(ctx, `SELECT t.spcname FROM pg_database AS d JOIN pg_tablespace AS t ON t.oid = d.dattablespace
		WHERE d.datname = current_database()`, nil, &f.Tablespaces[0].Name)
}

func (s *Server) askTables(ctx context.Context, f *Facts) error {
	return s.row(ctx, `SELECT count(*)::int,
			count(*) FILTER (WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND
			has_schema_privilege(c.relnamespace, 'USAGE')))::int,
			count(*) FILTER (WHERE row_security_active(c.oid))::int,
			count(*) FILTER (WHERE c.relpersistence = 'u')::int
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND c.relpersistence <> 't'
			AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
				AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')`, nil,
		&f.Tables, &f.Unreadable, &f.RowSecurity, &f.Unlogged)
}

// askLargeObjects counts what pg_dump would stumble over. pg_read_all_data covers large objects from 19 on only;
// has_largeobject_privilege exists only from 18 on.
func (s *Server) askLargeObjects(ctx context.Context, f *Facts) error {
	return s.row(ctx, `SELECT count(*), count(*) FILTER (WHERE NOT (
			(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
			OR current_setting('server_version_num')::int >= 190000
				AND (SELECT pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname = 'pg_read_all_data')
			OR current_setting('lo_compat_privileges')::bool
			OR pg_has_role(l.lomowner, 'USAGE')
			OR EXISTS (SELECT FROM aclexplode(l.lomacl) AS a WHERE a.privilege_type = 'SELECT'
				AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))))
		FROM pg_largeobject_metadata AS l`, nil, &f.LargeObjects, &f.Unowned)
}

// askColumns looks at one column that is neither PostgreSQL's own nor dropped.
func (s *Server) askColumns(ctx context.Context, f *Facts) error {
	return s.row(ctx, `SELECT EXISTS (SELECT FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
			JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
			AND a.attoptions IS NOT NULL AND a.attoptions::text ~ '[{,]"?pg_attver=')`, nil, &f.ColumnVersions)
}

// catalogRow is the row of pg_database as JSON, since its columns differ between 13 and 18:
// datlocprovider and daticulocale came with 15, daticurules with 16, datlocale replaced
// daticulocale in 17.
func (s *Server) catalogRow(ctx context.Context, name string) (databaseRow, error) {
	var raw []byte
	var row databaseRow
	err := s.row(ctx, `SELECT to_jsonb(d) - 'datacl' || jsonb_build_object('encoding', pg_encoding_to_char(d.encoding))
		FROM pg_database AS d WHERE d.datname = $1`, []any{name}, &raw)
	if err == nil {
		err = json.Unmarshal(raw, &row)
	}
	return row, classify("postgres: definition of database "+QuoteIdent(name), err)
}

type databaseRow struct {
	Encoding   string `json:"encoding"`
	Collate    string `json:"datcollate"`
	Ctype      string `json:"datctype"`
	Provider   string `json:"datlocprovider"`
	ICULocale  string `json:"daticulocale"`
	ICURules   string `json:"daticurules"`
	Locale     string `json:"datlocale"`
	ConnLimit  int    `json:"datconnlimit"`
	IsTemplate bool   `json:"datistemplate"`
}

func (r databaseRow) locale() Locale {
	l := Locale{
		Encoding: r.Encoding, Collate: r.Collate, Ctype: r.Ctype, Provider: "libc", Name: r.Locale, ICURules: r.ICURules,
	}
	switch r.Provider {
	case "i":
		l.Provider = "icu"
	case "b":
		l.Provider = "builtin"
	}
	if l.Name == "" {
		l.Name = r.ICULocale
	}
	return l
}
