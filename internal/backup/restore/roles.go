package restore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Other roles than the dump's: `--role OLD=NEW`. docs/decisions/role-mapping.md says why the
// names are changed in the archive as it passes, and not in the cluster afterwards.
//
// Rules: owners, grants, default privileges, policies, user mappings and the database's own
// settings follow; the cluster's roles are not touched; a use that was not found is an error.

func checkRoles(roles map[string]string) error {
	for old, renamed := range roles {
		switch {
		case old == "" || renamed == "" || len(renamed) > postgres.MaxName || strings.ContainsRune(renamed, 0):
			return fault.New(fault.Usage, fmt.Sprintf("restore: %q to %q is not a mapping of roles", old, renamed),
				"Give --role OLD=NEW, with names as the catalogue has them.", nil)
		case renamed == "public" || renamed == "none" || strings.HasPrefix(renamed, "pg_"):
			return fault.New(fault.Usage, fmt.Sprintf("restore: %q can't own anything", renamed),
				"Name a role that people may create.", nil)
		}
	}
	return nil
}

// checkRenamed asks the new database itself whether anything still refers to an old name.
func (r *restoring) checkRenamed(ctx context.Context) error {
	if len(r.req.Roles) == 0 || r.req.DataOnly {
		return nil
	}
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		uses, err := s.RoleUses(ctx)
		if err != nil {
			return err
		}
		still := slices.Collect(maps.Values(r.req.Roles)) // an old name may be another's new one
		for _, u := range uses {
			if _, mapped := r.req.Roles[u.Role]; mapped && !slices.Contains(still, u.Role) {
				return fault.New(fault.Failed,
					fmt.Sprintf("restore: role %q is still used in the new database (%s)", u.Role, u.Use),
					"Change it by hand there (ALTER … OWNER TO, REVOKE, ALTER POLICY), and report this.", nil)
			}
		}
		return nil
	})
}
