package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// tenantSet is a tenant's set, after which the tenant went on with one order more.
type tenantSet struct {
	*world
	schema string
	set    *backup.Set
}

func newTenantSet(t *testing.T, schema, more string) *tenantSet {
	t.Helper()
	w := newWorld(t)
	w.tenant(t, schema, 10)
	w.tenant(t, "tenant_neighbour", 7)
	if more != "" {
		w.pg.Exec(t, w.job.Database, more)
	}
	job := w.tenantJob(t, "    schemas: \"*\"\n")
	of := w.of(job, schema)
	s := &tenantSet{world: of, schema: schema, set: of.find(t, of.run(t).Manifest.ID)}
	w.pg.Exec(t, w.job.Database, "INSERT INTO "+postgres.QuoteIdent(schema)+".orders (what) VALUES ('after the backup')")
	return s
}

func (s *tenantSet) orders(t *testing.T, schema string) int64 {
	t.Helper()
	return s.pg.QueryInt(t, s.job.Database, "SELECT count(*) FROM "+postgres.QuoteIdent(schema)+".orders")
}

// beside are the schemas that a restore left there, by their words.
func (s *tenantSet) beside(t *testing.T) (words []string) {
	t.Helper()
	n := s.pg.QueryInt(t, s.job.Database, "SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema', 'tenant_neighbour')")
	for _, word := range []string{kept.Restoring, kept.Before, kept.Undone, kept.Aside} {
		like := strings.ReplaceAll(postgres.QuoteLiteral(kept.Stem(s.schema)+"_"+word+"_"), `\`, `\\`)
		for range s.pg.QueryInt(t, s.job.Database, "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, "+like+")") {
			words = append(words, word)
		}
	}
	if int(n) != len(words)+1 {
		t.Errorf("%d schemas, beside the live one %v", n, words)
	}
	return words
}

func (s *tenantSet) restore(t *testing.T, req restore.Request) (*restore.Restored, error) {
	t.Helper()
	return restore.Run(t.Context(), s.job, s.env, s.set, req, nil)
}

func TestATenantIsRestoredInThePlaceOfItsLiveSchemaAndComesBackByAnUndo(t *testing.T) {
	for _, schema := range []string{"tenant_7", `Tenant "7".*`, "tenant_ö" + strings.Repeat("x", 40)} {
		s := newTenantSet(t, schema, "")
		restored, err := s.restore(t, restore.Request{Replace: s.job.Database, Confirm: schema})
		if err != nil || !restored.Compared || restored.Schema != schema || kept.WordOf(schema, restored.Kept) != kept.Before {
			t.Fatalf("%+v, %v", restored, err)
		}
		if s.orders(t, schema) != 10 || s.orders(t, restored.Kept) != 11 || s.orders(t, "tenant_neighbour") != 7 {
			t.Errorf("%d, %d", s.orders(t, schema), s.orders(t, restored.Kept))
		}
		if n := s.pg.QueryInt(t, s.job.Database, "SELECT count(*) FROM "+postgres.QuoteIdent(schema)+".recent"); n != 7 {
			t.Errorf("the view shows %d", n)
		}
		if names, err := dump.Parts(t.Context(), s.job, s.env); err != nil || slices.Contains(names, restored.Kept) || !slices.Contains(names, schema) {
			t.Errorf("what is kept is taken for a tenant: %q, %v", names, err)
		}
		if level, _ := s.find(t, s.set.ID).Proven(); level != backup.LevelRestored {
			t.Error(level)
		}
		if !strings.Contains(restored.WayBack(), "restore undo --tenant=") {
			t.Error(restored.WayBack())
		}
		_, err = restore.Undo(t.Context(), s.job, s.env, restore.UndoRequest{Database: s.job.Database, Schema: schema, Confirm: s.job.Database})
		wantCode(t, err, fault.Refused)
		undone, err := restore.Undo(t.Context(), s.job, s.env, restore.UndoRequest{Database: s.job.Database, Schema: schema, Confirm: schema})
		if err != nil || undone.With != restored.Kept || kept.WordOf(schema, undone.Kept) != kept.Undone {
			t.Fatalf("%+v, %v", undone, err)
		}
		if s.orders(t, schema) != 11 || s.orders(t, undone.Kept) != 10 {
			t.Errorf("%d, %d", s.orders(t, schema), s.orders(t, undone.Kept))
		}
		s.beside(t)
	}
}

func TestATenantIsRestoredBesideTheOthersUnderItsNameOrAnother(t *testing.T) {
	s := newTenantSet(t, "tenant_7", "")
	db := s.job.Database
	_, err := s.restore(t, restore.Request{Beside: db})
	wantCode(t, err, fault.Refused)
	if !strings.Contains(fault.Remedy(err), "--as") {
		t.Error(fault.Remedy(err))
	}
	restored, err := s.restore(t, restore.Request{Beside: db, As: "tenant_7 of yesterday"})
	if err != nil || !restored.Compared {
		t.Fatalf("%+v, %v", restored, err)
	}
	if s.orders(t, "tenant_7") != 11 || s.orders(t, "tenant_7 of yesterday") != 10 {
		t.Error("the rows are not where they belong")
	}
	s.pg.Exec(t, db, "DROP SCHEMA tenant_7 CASCADE")
	if restored, err = s.restore(t, restore.Request{Beside: db}); err != nil || !restored.Compared || s.orders(t, "tenant_7") != 10 {
		t.Errorf("%+v, %v", restored, err)
	}
	_, err = s.restore(t, restore.Request{Replace: db, Confirm: "tenant_8"})
	wantCode(t, err, fault.Refused)
}

func TestWhatRefersIntoALiveSchemaKeepsItFromBeingReplaced(t *testing.T) {
	s := newTenantSet(t, "tenant_7", "")
	db := s.job.Database
	for what, sql := range map[string][2]string{
		"orders_fk":      {"CREATE TABLE public.x (o int CONSTRAINT orders_fk REFERENCES tenant_7.orders)", "DROP TABLE public.x"},
		"public.watched": {"CREATE VIEW public.watched AS SELECT * FROM tenant_7.orders", "DROP VIEW public.watched"},
		"publication":    {"CREATE PUBLICATION p FOR TABLE tenant_7.orders", "DROP PUBLICATION p"},
	} {
		s.pg.Exec(t, db, sql[0])
		_, err := s.restore(t, restore.Request{Replace: db, Confirm: "tenant_7"})
		wantCode(t, err, fault.Refused)
		if !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		s.pg.Exec(t, db, sql[1])
	}
	if words := s.beside(t); len(words) > 0 {
		t.Errorf("%v", words)
	}
}

func TestATenantsRestoreThatEndsEarlyLeavesTheLiveSchemaAndNamesWhatIsLeft(t *testing.T) {
	// The set was made of a schema that needs a function; it goes wrong at its very end, in the index.
	s := newTenantSet(t, "tenant_7", `CREATE FUNCTION public.f(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
		CREATE INDEX by_f ON tenant_7.orders (public.f(what));`)
	db := s.job.Database
	if c := s.check(t, s.set, restore.Request{Beside: db, As: "other"}, "outside"); !c.OK || !strings.Contains(c.Detail, "public.f(") {
		t.Errorf("%+v", c)
	}
	s.pg.Exec(t, db, "CREATE OR REPLACE FUNCTION public.f(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$")
	_, err := s.restore(t, restore.Request{Replace: db, Confirm: "tenant_7"})
	if err == nil || !strings.Contains(err.Error(), "is as it was") {
		t.Errorf("%v", err)
	}
	if words := s.beside(t); len(words) > 0 || s.orders(t, "tenant_7") != 11 {
		t.Errorf("%v are left, %d orders", words, s.orders(t, "tenant_7"))
	}
	s.pg.Exec(t, db, "DROP FUNCTION public.f(text) CASCADE")
	_, err = s.restore(t, restore.Request{Replace: db, Confirm: "tenant_7"})
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "public.f(") {
		t.Error(err)
	}
	s.pg.Exec(t, db, "CREATE FUNCTION public.f(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'")
	// It is stopped between the renamings.
	s.env.SwapStep = func(step postgres.SwapStep) {
		if step == postgres.SwapRenamed {
			s.pg.QueryInt(t, "postgres", fmt.Sprintf("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '%s'", db))
		}
	}
	_, err = s.restore(t, restore.Request{Replace: db, Confirm: "tenant_7"})
	if err == nil || !strings.Contains(err.Error(), `"tenant_7" is as it was`) || !strings.Contains(err.Error(), "tenant_7_restoring_") {
		t.Errorf("%v", err)
	}
	if words := s.beside(t); len(words) != 1 || words[0] != kept.Restoring || s.orders(t, "tenant_7") != 11 {
		t.Errorf("%v are left, %d orders", words, s.orders(t, "tenant_7"))
	}
}

func TestATenantGoesIntoANewDatabaseWithItsExtensionsAndNamesWhatIsMissing(t *testing.T) {
	s := newTenantSet(t, "tenant_7", `CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; ALTER TABLE tenant_7.orders ADD mail ext.citext`)
	to := s.job.Database + "_new"
	t.Cleanup(func() { s.pg.DropDatabase(t, to) })
	restored, err := s.restore(t, restore.Request{To: to})
	if err != nil || !restored.Compared {
		t.Fatalf("%+v, %v", restored, err)
	}
	if p := s.set.Partial(); p.Needs != 1 || len(p.Outside) != 1 || p.Outside[0] != "extension citext" {
		t.Errorf("%+v", p)
	}
	s.pg.Exec(t, s.job.Database, "CREATE TABLE public.country (code text PRIMARY KEY); ALTER TABLE tenant_7.orders ADD country text REFERENCES public.country")
	s.set = s.find(t, s.run(t).Manifest.ID)
	_, err = s.restore(t, restore.Request{To: to + "2"})
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "table public.country") || !strings.Contains(fault.Remedy(err), "--beside") {
		t.Error(err, fault.Remedy(err))
	}
	if _, err = s.drill(t, s.set); err != nil {
		t.Error(err)
	}
	if p := s.find(t, s.set.ID).Proofs[0]; !p.OK || len(p.NotProven) != 1 || !strings.Contains(p.NotProven[0], "orders_country_fkey") {
		t.Errorf("%+v", p)
	}
	s.pg.Exec(t, s.job.Database, "CREATE DOMAIN public.money AS int; ALTER TABLE tenant_7.orders ADD price public.money")
	s.set = s.find(t, s.run(t).Manifest.ID)
	_, err = s.drill(t, s.set)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "not proven, because") || !strings.Contains(err.Error(), "public.money") || s.find(t, s.set.ID).LastFailure() != nil {
		t.Error(err)
	}
}
