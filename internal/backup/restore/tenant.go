package restore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// A tenant's set into a database that exists: beside the other schemas, or in the place of the tenant's live one.
//
// pg_restore cannot give a schema another name, and the definitions of a dump name it everywhere. So the whole restore
// is one transaction: the live schema is renamed away, the set's is made under its own name, then that one is renamed
// and the live one gets its name back. Nobody sees any of it before the commit, and a restore that ends early leaves
// nothing. The copy that stands beside the live schema is compared, and only then both are renamed, in one transaction
// more. Rules:
//
//   - at every moment the live schema is the whole old one or the whole new one
//   - nothing is dropped: what was live is kept under the names that replaced databases have
//   - what other schemas have that refers into the live one would go on referring to what is kept, so it is refused
//   - roles and what the set needs from outside have to be there before anything begins

// intoNew is the remedy where a set cannot go into a database that exists.
const intoNew = "Restore it into a new database with --to."

// tenancy is what a restore of one schema into an existing database needs.
type tenancy struct {
	schema   string // the set's
	final    string // what it is called in the end
	working  string // what it is called until it is compared
	liveOID  uint32 // 0: there is none of the set's name
	restored bool   // it is there, as working
	whole    bool   // and compared
}

// intoExisting reports whether a tenant's set goes into a database that exists.
func (q Request) intoExisting(set *backup.Set) bool {
	return set.Schema != "" && (q.Replace != "" || q.Beside != "")
}

func (r *restoring) beginTenancy() {
	t := &tenancy{schema: r.source.set.Schema, final: r.source.set.Schema}
	if r.req.Beside != "" {
		r.req.To = r.req.Beside
		if r.req.As != "" {
			t.final = r.req.As
		}
		t.working = t.final
	} else {
		r.req.To = r.req.Replace
		t.working = kept.Beside(t.schema, kept.Restoring, r.replacing.suffix)
	}
	r.result.Database = r.req.To
	r.result.Schema = t.final
	r.tenancy = t
}

func (r *restoring) doTenant(ctx context.Context) error {
	r.meter.Enter(backup.StagePreflight, 0)
	if err := r.checkTenantRequest(); err != nil {
		return err
	}
	if r.req.Replace != "" && r.req.Confirm != r.tenancy.schema {
		return fault.New(fault.Refused,
			fmt.Sprintf("restore: replacing schema %q of %q was not confirmed: what was written to it since the set "+
				"will be in the kept copy only", r.tenancy.schema, r.req.To),
			fmt.Sprintf("Give --confirm and the schema's own name, exactly: %q.", r.tenancy.schema), nil)
	}
	if err := r.target.connect(ctx); err != nil {
		return err
	}
	defer r.target.close(ctx)
	if err := lockExchange(ctx, r.target.server, r.req.To); err != nil {
		return err
	}
	defer r.source.remove()
	if err := r.preflight(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		r.globals, r.loadTenant, r.analyzeTenant, r.compare, r.record, r.swapTenant,
	} {
		if err := step(ctx); err != nil {
			return r.cause(ctx, err)
		}
	}
	return nil
}

// swapTenant puts the compared copy in the live schema's place.
func (r *restoring) swapTenant(ctx context.Context) error {
	if r.req.Replace == "" {
		return nil
	}
	if !r.result.Compared {
		return fault.New(fault.Refused, "restore: no table could be compared", "Check the copy yourself.", nil)
	}
	r.tenancy.whole = true
	r.meter.Enter(backup.StageSwap, 0)
	stop := r.meter.KeepAlive()
	defer stop()
	name := kept.Name(r.tenancy.schema, kept.Before, r.env.Now())
	err := r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		into, err := s.IntoSchema(ctx, r.tenancy.schema)
		if err == nil && len(into) > 0 {
			err = fault.New(fault.Refused, "restore: "+into[0].What+" refers to the live schema since the restore began",
				"Drop it, and restore again.", nil)
		}
		if err != nil {
			return err
		}
		with, err := s.SchemaOID(ctx, r.tenancy.working)
		if err != nil {
			return err
		}
		return s.SwapSchemas(ctx, postgres.SchemaSwap{
			Live: r.tenancy.schema, LiveOID: r.tenancy.liveOID, With: r.tenancy.working, WithOID: with, Keep: name,
			Step: r.env.SwapStep,
		})
	})
	if err != nil {
		return err
	}
	r.result.Kept = name
	r.log.InfoContext(ctx, fmt.Sprintf("set %s is schema %q of %q now, what it was is kept as %q", r.source.set.ID,
		r.tenancy.schema, r.req.To, name), event.Attr(event.Replaced))
	return nil
}

// explainTenant says which of the two states there is, and what is left.
func (r *restoring) explainTenant(err error) error {
	t := r.tenancy
	if errors.Is(err, postgres.ErrSwapUnknown) {
		return fault.New(fault.CodeOf(err), fmt.Sprintf("restore: whether schema %q was replaced is not known", t.schema),
			fault.Remedy(err), err)
	}
	what, next := fmt.Sprintf("database %q is as it was", r.req.To), ""
	if t.restored {
		what = fmt.Sprintf("schema %q of database %q is left beside what was there", t.working, r.req.To)
		next = fmt.Sprintf("Drop it (DROP SCHEMA %s CASCADE) before the next try; look into it first if you want.",
			postgres.QuoteIdent(t.working))
		if r.req.Replace != "" {
			what = fmt.Sprintf("schema %q is as it was, and %s", t.schema, what)
		}
	}
	return left(err, what, strings.Join(present(fault.Remedy(err), next), " "))
}
