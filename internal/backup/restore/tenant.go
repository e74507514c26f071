package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
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

// checkOutside looks for what a tenant's set needs from outside of its schema.
func (r *restoring) checkOutside(ctx context.Context) ([]Check, error) {
	if r.source.set.Schema == "" || r.source.contents == nil || len(r.source.contents.Outside) == 0 {
		return nil, nil
	}
	needs := r.source.contents.Outside
	if r.tenancy == nil {
		return r.checkOutsideNew(ctx, needs)
	}
	if r.failing {
		return nil, nil
	}
	var lacking []postgres.Outside
	err := r.target.in(ctx, r.req.To, func(s *postgres.Server) (err error) {
		lacking, err = s.Lacks(ctx, needs)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(lacking) > 0 {
		return []Check{fails("outside", "what the schema needs is not in the database: "+namesOutside(lacking),
			"Make these there first.")}, nil
	}
	return []Check{passes("outside", "what the schema needs is there: "+namesOutside(needs))}, nil
}

// checkOutsideNew is for a new database, in which extensions alone can be made.
func (r *restoring) checkOutsideNew(ctx context.Context, needs []postgres.Outside) ([]Check, error) {
	var extensions []string
	var others []postgres.Outside
	for _, n := range needs {
		if n.Extension != "" && n.Name != r.source.set.Schema {
			extensions = append(extensions, n.Extension)
		} else {
			others = append(others, n)
		}
	}
	missing, err := r.target.server.Missing(ctx, postgres.Needs{Extensions: extensions})
	if err != nil {
		return nil, err
	}
	var checks []Check
	switch {
	case len(missing.Extensions) > 0:
		checks = append(checks, fails("outside", "the server does not have "+strings.Join(missing.Extensions, ", "),
			"Install the packages that bring them (e.g. postgresql-contrib)."))
	case len(extensions) > 0:
		checks = append(checks, passes("outside", "made first: "+strings.Join(extensions, ", ")))
	}
	if len(others) == 0 {
		return checks, nil
	}
	what := "a new database lacks what the schema needs: " + namesOutside(others)
	if r.req.KeepGoing {
		return append(checks, warns("outside", what, "")), nil
	}
	return append(checks, fails("outside", what,
		"Restore it beside the others into a database that has these, with --beside, "+
			"or what can be made with --keep-going.")), nil
}

func namesOutside(needs []postgres.Outside) string {
	return backup.InLine(needs, ", ", func(n postgres.Outside) string { return n.String() })
}

// extend makes the extensions that a tenant's set needs, in a new database.
func (r *restoring) extend(ctx context.Context) error {
	if r.source.set.Schema == "" || r.source.contents == nil || r.req.DataOnly {
		return nil
	}
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		for _, n := range r.source.contents.Outside {
			if n.Extension == "" || n.Name == r.source.set.Schema {
				continue
			}
			if err := s.CreateExtension(ctx, n.Extension, n.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

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
