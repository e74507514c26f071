package postgres

import (
	"context"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Which roles may do more than what is in the databases: whoever gets a function to run as one of them
// has its rights. And a role that may do nothing, to own what nobody is to have such rights by.

// predefinedOrdinary are those of PostgreSQL's own roles that give no rights over the server. Of a version
// that is not known yet, none is trusted to be harmless.
var predefinedOrdinary = []string{"pg_database_owner"}

// Power is why a role is more than an ordinary one.
type Power struct {
	Role string
	Why  string // "is a superuser", "is a member of pg_read_server_files", "may set archive_command"
}

// Powers says which of the roles are superusers, may make roles, replicate or pass row security, or are
// members, directly or by others, of such a role or of one that PostgreSQL gives rights over the server, or were
// granted server parameters. Roles that the server does not have are left out.
func (s *Server) Powers(ctx context.Context, roles []string) ([]Power, error) {
	found, err := collect[Power](ctx, s, `SELECT r.rolname, string_agg(CASE
				WHEN m.oid <> r.oid THEN 'is a member of ' || quote_ident(m.rolname)
				WHEN m.rolsuper THEN 'is a superuser' WHEN m.rolcreaterole THEN 'may create roles'
				WHEN m.rolreplication THEN 'may replicate' ELSE 'passes row security' END, ', ' ORDER BY m.oid <> r.oid, m.rolname)
		FROM pg_roles AS r JOIN pg_roles AS m ON m.oid = r.oid OR (NOT r.rolsuper AND pg_has_role(r.oid, m.oid, 'MEMBER'))
		WHERE r.rolname = ANY($1) AND (m.rolsuper OR m.rolcreaterole OR m.rolreplication OR m.rolbypassrls
			OR (m.rolname LIKE 'pg\_%' AND m.rolname <> ALL($2)))
		GROUP BY r.rolname ORDER BY 1`, roles, predefinedOrdinary)
	if err == nil {
		var more []Power
		more, err = s.parameterPowers(ctx, roles)
		found = append(found, more...)
	}
	return found, classify("postgres: look at the rights of roles", err)
}

// parameterPowers says which of the roles may set parameters that others may not (GRANT … ON PARAMETER, from
// PostgreSQL 15 on), by themselves or by another: some of them run programs or load libraries. What PUBLIC may set,
// a mapping gives to nobody anew.
func (s *Server) parameterPowers(ctx context.Context, roles []string) ([]Power, error) {
	var known bool
	if err := s.row(ctx, "SELECT to_regclass('pg_catalog.pg_parameter_acl') IS NOT NULL", nil, &known); err != nil ||
		!known {
		return nil, err
	}
	return collect[Power](ctx, s, `SELECT r.rolname, string_agg(DISTINCT CASE g.privilege_type WHEN 'SET' THEN 'may set '
		ELSE 'may alter ' END || p.parname, ', ')
		FROM pg_roles AS r JOIN pg_parameter_acl AS p ON true CROSS JOIN LATERAL aclexplode(p.paracl) AS g
		WHERE r.rolname = ANY($1) AND NOT r.rolsuper AND g.grantee <> 0 AND pg_has_role(r.oid, g.grantee, 'MEMBER')
		GROUP BY r.rolname ORDER BY 1`, roles)
}

// NobodyRole owns what is restored without its owners by a superuser. It can't log in and may do nothing:
// a function that runs with its owner's rights has none then.
const NobodyRole = "pgbtui_restored"

// Nobody says whether the server has NobodyRole. One that may do more than it should is refused.
func (s *Server) Nobody(ctx context.Context) (there bool, err error) {
	found, err := collect[struct{ Active bool }](ctx, s,
		"SELECT rolcanlogin OR rolcreatedb FROM pg_roles WHERE rolname = $1", NobodyRole)
	if err != nil || len(found) == 0 {
		return false, classify("postgres: look for role "+NobodyRole, err)
	}
	powers, err := s.Powers(ctx, []string{NobodyRole})
	if err != nil {
		return true, err
	}
	var why string
	switch {
	case len(powers) > 0:
		why = powers[0].Why
	case found[0].Active:
		why = "may log in or create databases"
	default:
		return true, nil
	}
	return true, fault.New(fault.Refused,
		fmt.Sprintf("postgres: role %s, which is to own what is restored without its owners, %s", NobodyRole, why),
		"Take that from the role (ALTER ROLE … NOLOGIN NOCREATEDB, REVOKE … FROM), "+
			"or drop the role: it is created when it is missing.", nil)
}

// CreateNobody makes NobodyRole.
func (s *Server) CreateNobody(ctx context.Context) error {
	return classify("postgres: create role "+NobodyRole, s.exec(ctx, "CREATE ROLE "+NobodyRole+" NOLOGIN"))
}

// Withhold takes the right to execute routines of the session's database away from PUBLIC, which
// PostgreSQL gives to everybody with each new one: those of one owner, but none of an extension's.
func (s *Server) Withhold(ctx context.Context, owner string) error {
	what := "postgres: take the right to execute from PUBLIC in " + s.target.name()
	statements, err := s.names(ctx, `SELECT format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', p.oid::regprocedure)
		FROM pg_proc AS p WHERE p.oid >= 16384 AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = $1)
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
			AND d.deptype = 'e')`, owner)
	for _, statement := range statements {
		if err == nil {
			err = s.exec(ctx, statement)
		}
	}
	return classify(what, err)
}

// LetIn sets how many sessions a database takes of those who are no superusers; -1 is any number.
func (s *Server) LetIn(ctx context.Context, database string, limit int) error {
	what := "postgres: open database " + QuoteIdent(database)
	return classify(what, s.exec(ctx, fmt.Sprintf("ALTER DATABASE %s CONNECTION LIMIT %d", QuoteIdent(database), limit)))
}
