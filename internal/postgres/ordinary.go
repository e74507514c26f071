package postgres

import "context"

// What a role that is no superuser may not do in a restore.

// CannotBecome are those of the roles, which the server has, that the session's role may not make the owner of
// anything: it is no member of them, or (from 16 on) may not set its role to them.
func (s *Server) CannotBecome(ctx context.Context, roles []string) ([]string, error) {
	right := "MEMBER"
	var setOption bool // of memberships
	err := s.row(ctx, "SELECT current_setting('server_version_num')::int >= 160000", nil, &setOption)
	if setOption {
		right = "SET"
	}
	var names []string
	if err == nil {
		names, err = s.names(ctx,
			`SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND NOT pg_has_role(oid, $2) ORDER BY 1`, roles, right)
	}
	return names, classify("postgres: look at memberships", err)
}

// Untrusted are those of the extensions that, by what the server says, only a superuser may create.
func (s *Server) Untrusted(ctx context.Context, extensions []string) ([]string, error) {
	names, err := s.names(ctx, `SELECT e.name FROM pg_available_extensions AS e
			JOIN pg_available_extension_versions AS v ON v.name = e.name AND v.version = e.default_version
		WHERE e.name = ANY($1) AND v.superuser AND NOT v.trusted ORDER BY 1`, extensions)
	return names, classify("postgres: look at extensions", err)
}

// serviceRoles are the strongest roles of managed services, whose servers let them do some of what is a superuser's.
var serviceRoles = []string{
	"rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser", "azure_pg_admin", "neon_superuser", "supabase_admin",
	"doadmin", "avnadmin", "tsdbadmin", "crunchy_superuser",
}

// serviceSettings are of libraries that let ordinary roles create some extensions.
var serviceSettings = []string{
	"rds.extensions", "rds.allowed_extensions", "azure.extensions", "extwlist.extensions",
	"supautils.privileged_extensions",
}

// Serviced reports whether the session's role may do more than PostgreSQL itself lets an ordinary one do, which
// nobody can know before it is tried.
func (s *Server) Serviced(ctx context.Context) (serviced bool, err error) {
	err = s.row(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ANY($1) AND pg_has_role(oid, 'MEMBER'))
		OR EXISTS (SELECT FROM unnest($2::text[]) AS n
		WHERE current_setting(n, true) <> '')`, []any{serviceRoles, serviceSettings}, &serviced)
	return serviced, classify("postgres: look at the role", err)
}
