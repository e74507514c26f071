package restore

import (
	"context"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Whether a tenant's set can go where it is wanted: the request, the database, the names in it, and the dump.

func (r *restoring) checkTenantRequest() error {
	if r.req.ForOperator {
		return fault.New(fault.Refused, "restore: a tenant's set goes into an existing database by the command line alone",
			"Restore it into a new database, or ask whoever may run `"+backup.RestoreCommand(r.job.Postgres.Host)+
				" restore`.", nil)
	}
	var wrong string
	switch {
	case r.req.Partial(), r.req.KeepGoing, r.req.Jobs > 1:
		wrong = "a tenant's schema comes whole, in one transaction"
	case r.req.Replace != "" && r.req.As != "":
		wrong = "what takes the live schema's place has its name"
	}
	if wrong != "" {
		return fault.New(fault.Usage, "restore: "+wrong, "Read `pgbtui restore --help`.", nil)
	}
	return checkRoles(r.req.Roles)
}

// tenantChecks are those of a restore into an existing database.
func (r *restoring) tenantChecks(ctx context.Context) ([]Check, error) {
	if err := r.checkTenantRequest(); err != nil {
		return []Check{failsWith("target", err)}, nil
	}
	checks, err := asked(ctx, r.checkSource, r.checkServer, r.checkTools, r.checkCode, r.checkTenantTarget)
	if err != nil {
		return nil, err
	}
	for _, c := range checks {
		r.failing = r.failing || !c.OK
	}
	more, err := asked(ctx, r.checkContents, r.checkTenantEntry, r.checkOutside)
	return append(checks, more...), err
}

// checkTenantTarget looks at the database and at the names that are wanted in it.
func (r *restoring) checkTenantTarget(ctx context.Context) (checks []Check, err error) {
	exists, err := r.target.server.Exists(ctx, r.req.To)
	if err != nil {
		return nil, err
	}
	if !exists {
		return []Check{fails("target", fmt.Sprintf("there is no database %q", r.req.To),
			"Name an existing one, or restore into a new database with --to.")}, nil
	}
	err = r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		checks, err = r.checkSchemas(ctx, s)
		return err
	})
	return checks, err
}

func (r *restoring) checkSchemas(ctx context.Context, s *postgres.Server) (checks []Check, err error) {
	t := r.tenancy
	if t.liveOID, err = s.SchemaOID(ctx, t.schema); err != nil {
		return nil, err
	}
	where := fmt.Sprintf("of database %q at %s port %d", r.req.To, r.target.place.Host, r.target.place.Port)
	if r.req.Replace != "" {
		if t.liveOID == 0 {
			return []Check{fails("target", fmt.Sprintf("there is no schema %q %s to be replaced", t.schema, where),
				"Restore it there with --beside instead of --replace.")}, nil
		}
		into, err := s.IntoSchema(ctx, t.schema)
		if err != nil {
			return nil, err
		}
		if len(into) > 0 {
			told := backup.InLine(into, "; ", func(n postgres.Referrer) string { return n.What + " needs " + n.To })
			checks = append(checks, fails("references",
				"what is outside of the schema would go on with what is kept of it: "+told,
				"Drop these first and make them again afterwards, "+
					"or restore the schema beside the live one with --beside and --as."))
		}
		return append(checks, passes("target", fmt.Sprintf("schema %q %s is replaced, and kept as %q", t.schema, where,
			kept.Stem(t.schema)+"_"+kept.Before+"_<time>"))), nil
	}
	taken, err := s.SchemaOID(ctx, t.final)
	switch {
	case err != nil:
		return nil, err
	case taken != 0:
		remedy := "Name another one with --as."
		if t.final == t.schema {
			remedy = "Name another one with --as, or replace it with --replace and --confirm."
		}
		return []Check{fails("target", fmt.Sprintf("schema %q %s exists", t.final, where), remedy)}, nil
	}
	checks = append(checks, passes("target", fmt.Sprintf("schema %q %s does not exist yet", t.final, where)))
	if t.final != t.schema {
		checks = append(checks, warns("name", fmt.Sprintf(
			"the schema becomes %q: what its functions name in their text goes on naming %q", t.final, t.schema), ""))
	}
	return checks, nil
}

// checkTenantEntry: the schema itself has to be in the dump, since its definition is where it is renamed.
func (r *restoring) checkTenantEntry(context.Context) ([]Check, error) {
	if !r.source.listed() {
		return []Check{fails("contents", "the set does not say what its dump holds", intoNew)}, nil
	}
	for _, e := range r.source.contents.Archive.Entries {
		if e.Desc == "SCHEMA" && e.Tag == r.tenancy.schema {
			return nil, nil
		}
	}
	return []Check{fails("contents",
		fmt.Sprintf("the dump does not make schema %q, which every database has", r.tenancy.schema), intoNew)}, nil
}
