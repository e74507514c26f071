package restore

import (
	"context"
	"fmt"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// The one transaction in which a tenant's schema is made, and given the name that it has until it is compared.

// renaming is SQL around the set's: before has the schema's name free, after gives it back.
func (t *tenancy) renaming(suffix string) (before, after string) {
	rename := func(from, to string) string {
		return "ALTER SCHEMA " + postgres.QuoteIdent(from) + " RENAME TO " + postgres.QuoteIdent(to) + ";\n"
	}
	if t.working != t.schema {
		after = rename(t.schema, t.working)
	}
	if t.liveOID != 0 {
		aside := kept.Beside(t.schema, kept.Aside, suffix)
		before = rename(t.schema, aside)
		after += rename(aside, t.schema)
	}
	return before, after
}

// loadTenant restores everything in one transaction.
func (r *restoring) loadTenant(ctx context.Context) error {
	dump, err := r.reading().Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	r.meter.Enter(backup.StageRestore, r.source.rawBytes())
	opts := postgres.RestoreOptions{
		NoOwner: r.req.NoOwner, NoACL: r.req.NoOwner, NoTablespaces: r.req.NoTablespaces, SingleTransaction: true,
		NoEventTriggers: r.target.facts.Superuser && r.target.facts.VersionNum >= eventTriggersSetting,
	}
	before, after := r.tenancy.renaming(r.replacing.suffix)
	if before, after, err = r.encoded(ctx, before, after); err != nil {
		return err
	}
	edited := archive.EditHead(r.rights.renamed(io.TeeReader(dump, r.meter)), archive.Edit{
		Last: after,
		Definition: func(_ int, desc, sql string) (string, error) {
			if desc == "SCHEMA" {
				return before + sql, nil
			}
			return sql, nil
		},
	})
	stream := &untilEnd{r: edited, then: r.meter.KeepAlive}
	defer stream.stop()
	defer r.meter.WatchWork(ctx, r.target.server, r.req.To)()
	if err := r.target.tools.Restore(ctx, r.target.database(r.req.To), opts, stream); err != nil {
		return err
	}
	r.tenancy.restored = true
	return nil
}

// encoded are texts as the dump has its own: in the encoding of the source.
func (r *restoring) encoded(ctx context.Context, before, after string) (string, string, error) {
	if isASCII(before + after) {
		return before, after, nil
	}
	if a := r.source.contents.Archive; a.Encoding != "UTF8" {
		return "", "", fault.New(fault.Refused,
			fmt.Sprintf("restore: schema %q has a name that is not ASCII, and the dump is in %s", r.tenancy.schema, a.Encoding),
			intoNew, ctx.Err())
	}
	return before, after, nil
}

func (r *restoring) analyzeTenant(ctx context.Context) error {
	r.meter.Enter(backup.StageFinish, 0)
	stop := r.meter.KeepAlive()
	defer stop()
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		for _, t := range r.source.contents.Archive.Tables() {
			name := postgres.Table{Schema: r.tenancy.working, Name: t.Name}
			if err := r.orNote(ctx, s.AnalyzeTable(ctx, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// here is a table of the dump as it is called in the copy.
func (r *restoring) here(t archive.Table) archive.Table {
	if r.tenancy != nil && t.Schema == r.tenancy.schema {
		t.Schema = r.tenancy.working
	}
	return t
}
