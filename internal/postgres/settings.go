package postgres

import (
	"context"
	"strings"
)

// Settings are a database's own definition: what pg_dump without --create leaves out. They hold
// no secret of ours, but what somebody put into ALTER DATABASE … SET.
type Settings struct {
	Owner      string      `json:"owner"`
	Locale     Locale      `json:"locale"`
	Tablespace string      `json:"tablespace"`
	ConnLimit  int         `json:"connectionLimit"` // -1: none
	Closed     bool        `json:"-"`               // created for superusers only; LetIn ends that
	IsTemplate bool        `json:"isTemplate,omitempty"`
	Comment    string      `json:"comment,omitempty"`
	CustomACL  bool        `json:"customAcl,omitempty"` // false: the default rights, Grants is empty
	Grants     []Grant     `json:"grants,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

// Grant is one right on the database.
type Grant struct {
	Role      string `json:"role"`      // "" is PUBLIC
	Privilege string `json:"privilege"` // "CREATE", "CONNECT", "TEMPORARY"
	Grantable bool   `json:"grantable,omitempty"`
}

// Parameter is one ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE … SET when Role is set.
type Parameter struct {
	Role  string `json:"role,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"` // as stored: list parameters keep their inner quotes
}

// Settings reads the definition of the session's database.
func (s *Server) Settings(ctx context.Context) (Settings, error) {
	var name string
	if err := s.row(ctx, "SELECT current_database()::text", nil, &name); err != nil {
		return Settings{}, classify("postgres: settings of "+s.target.name(), err)
	}
	return s.SettingsOf(ctx, name)
}

// SettingsOf reads the definition of any database, by its exact name.
func (s *Server) SettingsOf(ctx context.Context, name string) (Settings, error) {
	row, err := s.catalogRow(ctx, name)
	if err != nil {
		return Settings{}, err
	}
	out := Settings{Locale: row.locale(), ConnLimit: max(-1, row.ConnLimit), IsTemplate: row.IsTemplate}
	err = s.row(ctx, `SELECT pg_get_userbyid(d.datdba), t.spcname, d.datacl IS NOT NULL,
			coalesce(shobj_description(d.oid, 'pg_database'), '')
		FROM pg_database AS d JOIN pg_tablespace AS t ON t.oid = d.dattablespace
		WHERE d.datname = $1`, []any{name}, &out.Owner, &out.Tablespace, &out.CustomACL, &out.Comment)
	if err == nil && out.CustomACL {
		out.Grants, err = collect[Grant](ctx, s, `SELECT coalesce(r.rolname, ''), a.privilege_type, bool_or(a.is_grantable)
			FROM pg_database AS d, aclexplode(d.datacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
			WHERE d.datname = $1 AND (a.grantee = 0 OR r.oid IS NOT NULL)
			GROUP BY 1, 2 ORDER BY 1, 2`, name)
	}
	if err == nil {
		out.Parameters, err = s.parameters(ctx, name)
	}
	return out, classify("postgres: settings of database "+QuoteIdent(name), err)
}

func (s *Server) parameters(ctx context.Context, name string) ([]Parameter, error) {
	type stored struct{ Role, Config string }
	rows, err := collect[stored](ctx, s, `SELECT coalesce(r.rolname, ''), c.config
		FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
			LEFT JOIN pg_roles AS r ON r.oid = s.setrole,
			unnest(s.setconfig) WITH ORDINALITY AS c (config, place)
		WHERE d.datname = $1 AND (s.setrole = 0 OR r.oid IS NOT NULL)
		ORDER BY 1, c.place`, name)
	var out []Parameter
	for _, row := range rows {
		if name, value, ok := strings.Cut(row.Config, "="); ok {
			out = append(out, Parameter{Role: row.Role, Name: name, Value: value})
		}
	}
	return out, err
}
