package dump

import (
	"context"
	"fmt"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// One schema of a database as a set of its own. Rules:
//
//   - it may be given away, so it tells nothing of other tenants: of roles and settings only what the schema's own
//     objects name, and of these roles the name alone
//   - what it needs from outside of the schema is told with it, as far as PostgreSQL knows of it

// tenantDump is what a dump of one schema is told, and tells.
type tenantDump struct {
	pattern string // for pg_dump; "": the whole database
	outside []postgres.Outside
}

// tenant narrows what is told of the database to what the schema is concerned with.
func (r *run) tenant(
	ctx context.Context, settings *postgres.Settings, roles *[]postgres.RoleUse,
	extensions *[]postgres.Extension,
) (of tenantDump, err error) {
	if r.job.Schema == "" {
		return of, nil
	}
	pattern, ok, err := r.server.InEncoding(ctx, postgres.QuoteIdent(r.job.Schema))
	if err != nil {
		return of, err
	}
	if !ok {
		return of, r.noSchema()
	}
	of.pattern = pattern
	if of.outside, err = r.server.OutsideOf(ctx, r.job.Schema); err != nil {
		return of, err
	}
	if *roles, err = r.server.RoleUsesIn(ctx, r.job.Schema); err != nil {
		return of, err
	}
	*extensions = slices.DeleteFunc(*extensions, func(e postgres.Extension) bool {
		return !slices.ContainsFunc(of.outside, func(o postgres.Outside) bool { return o.Extension == e.Name })
	})
	settings.Owner = ""
	settings.Tablespace = ""
	settings.Comment = ""
	settings.CustomACL = false
	settings.Grants = nil
	settings.Parameters = slices.DeleteFunc(settings.Parameters, func(p postgres.Parameter) bool { return p.Role != "" })
	r.facts.SizeBytes, err = r.server.SchemaSize(ctx, r.job.Schema)
	return of, err
}

// tenantRoles stores the roles that the schema names, in the place of the server's globals.
func (r *run) tenantRoles(ctx context.Context) error {
	schemas, err := r.server.Schemas(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(schemas, r.job.Schema) {
		return r.noSchema()
	}
	uses, err := r.server.RoleUsesIn(ctx, r.job.Schema)
	if err != nil {
		return err
	}
	first, err := r.server.Bootstrap(ctx)
	if err != nil {
		return err
	}
	uses = append(uses, postgres.RoleUse{Role: first, Use: "owner"})
	r.manifest.Globals, err = r.store(ctx, backup.GlobalsName, postgres.RolesByName(uses))
	return err
}

func (r *run) noSchema() error {
	return fault.New(fault.NotFound, fmt.Sprintf("backup: database %q has no schema %q", r.job.Database, r.job.Schema),
		"Correct schemas of the job, or take the name out if the schema was dropped.", nil)
}
