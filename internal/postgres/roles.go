package postgres

import "context"

// RoleUse is a role that something in a database refers to.
type RoleUse struct {
	Role string `json:"role"`
	Use  string `json:"use"` // "owner", "grant", "policy"
}

// RoleUses are the roles that objects of the session's database refer to, each use once: what a
// server must have before the database can be restored there. The bootstrap superuser is not
// among them, since PostgreSQL records no dependency on it (pg_shdepend).
func (s *Server) RoleUses(ctx context.Context) ([]RoleUse, error) {
	uses, err := collect[RoleUse](ctx, s, `SELECT DISTINCT r.rolname,
			CASE d.deptype WHEN 'o' THEN 'owner' WHEN 'r' THEN 'policy' ELSE 'grant' END
		FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
		WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('o', 'a', 'r')
			AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY 1, 2`)
	return uses, classify("postgres: roles used in "+s.target.name(), err)
}
