package restore

import (
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Whether the target's server is one that this set can be restored into, by this role.

func (r *restoring) checkServer(ctx context.Context) (checks []Check, err error) {
	if r.target.place, err = r.target.server.Place(ctx); err != nil {
		return nil, err
	}
	at := fmt.Sprintf("%s port %d, as role %q", r.target.place.Host, r.target.place.Port, r.target.place.Role)
	switch {
	case r.target.place.Standby:
		return []Check{fails("server", at+": a standby", "Restore on the primary.")}, nil
	case !r.target.place.CreatesDBs && !r.req.DataOnly && r.tenancy == nil:
		return []Check{
			fails("server", at+", which may not create databases",
				"Run it as a superuser (`sudo -u postgres -g pgbtui pgbtui restore …`), or ALTER ROLE … CREATEDB."),
		}, nil
	}
	return []Check{passes("server", at)}, nil
}

func (r *restoring) checkTools(ctx context.Context) ([]Check, error) {
	facts, err := r.target.server.Facts(ctx)
	if err != nil {
		return nil, err
	}
	r.target.facts = facts
	tools, err := r.target.toolsFor(ctx, r.source.set)
	if err != nil {
		return []Check{fails("tools", err.Error(), fault.Remedy(err))}, nil
	}
	r.target.tools = tools
	if r.source.set.Manifest != nil && facts.Major() < r.source.set.Manifest.Server.VersionNum/10000 {
		return []Check{fails(
			"tools", fmt.Sprintf("the set is from server %s, the target is %s: an older major version",
				r.source.set.Manifest.Server.Version, facts.Version),
			"Restore into a server of the same or a newer major version.",
		)}, nil
	}
	if err := tools.CheckInto(facts.Major()); err != nil {
		return []Check{failsWith("tools", err)}, nil
	}
	return []Check{
		passes("tools",
			fmt.Sprintf("%s into server %s", strings.Replace(tools.Version, "pg_dump", "pg_restore", 1), facts.Version)),
	}, nil
}

// eventTriggersSetting is the server's version from which a superuser may switch event triggers off.
const eventTriggersSetting = 170000

// checkCode says as whom the restore runs what the owners of the database wrote: constraints are checked
// for each row as the restoring role, and so are domains and generated columns. PostgreSQL has nothing
// that would keep a superuser from running programs by COPY.
func (r *restoring) checkCode(context.Context) ([]Check, error) {
	if !r.target.facts.Superuser {
		return []Check{
			passes("code",
				fmt.Sprintf("what the owners of the database wrote runs as role %q, which is not a superuser",
					r.target.facts.Role)),
		}, nil
	}
	return []Check{warns("code", fmt.Sprintf("this restore runs code of the database's owners as superuser %s: "+
		"constraints, domains and generated columns "+
		"can then do on the server what that superuser can, and run programs there", r.target.facts.Role), "")}, nil
}

// freeName is what to do about a name that is taken. PostgreSQL's own databases are never replaced.
func freeName(taken string) string {
	if reserved[taken] {
		return "Choose another name: this database is PostgreSQL's own and cannot be replaced."
	}
	return "Choose a name that is free, or replace the database with --replace " + backup.ShellQuote(taken) +
		" --confirm " + backup.ShellQuote(taken) + " instead of --to."
}

func (r *restoring) checkTarget(ctx context.Context) ([]Check, error) {
	if r.req.Replace != "" {
		return r.checkReplaced(ctx)
	}
	if r.req.DataOnly {
		return r.checkInto(ctx)
	}
	if r.req.To == "" {
		return []Check{fails("target", "no name", "Name the new database with --to.")}, nil
	}
	exists, err := r.target.server.Exists(ctx, r.req.To)
	if err != nil {
		return nil, err
	}
	if exists {
		return []Check{fails("target", fmt.Sprintf("database %q exists", r.req.To), freeName(r.req.To))}, nil
	}
	return []Check{passes("target", fmt.Sprintf("database %q does not exist yet", r.req.To))}, nil
}
