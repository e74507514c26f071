package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// strangeTenants are names that are legal.
var strangeTenants = []string{`tenant_a.b`, `tenant_"q"`, `tenant_*`, `tenant_Größe`, `Tenant_UP`, `tenant_20261122T020000Z-1a2b3c`, "tenant_%2F/x"}

// tenantJob is the one job of a configuration that is written as a person would.
func (w *world) tenantJob(t testing.TB, body string) config.Job {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("instance: %s\ns3: {bucket: backups}\njobs:\n  tenants:\n    database: %s\n%s", w.job.Instance, w.job.Database, body)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Source{File: file, Explicit: true, Getenv: func(string) string { return "" }, Hostname: "testhost"})
	if err != nil {
		t.Fatal(err)
	}
	job, err := c.Job("tenants")
	if err != nil {
		t.Fatal(err)
	}
	job.Postgres, job.S3, job.StallAfter, job.ConnectWait, job.SpoolDir = w.job.Postgres, w.job.S3, w.job.StallAfter, w.job.ConnectWait, w.job.SpoolDir
	return job
}

// tenant makes a schema with a table of so many rows.
func (w *world) tenant(t testing.TB, schema string, rows int) {
	t.Helper()
	name := postgres.QuoteIdent(schema)
	w.pg.Exec(t, w.job.Database, fmt.Sprintf(`CREATE SCHEMA %[1]s;
		CREATE TABLE %[1]s.orders (id serial PRIMARY KEY, what text NOT NULL);
		INSERT INTO %[1]s.orders (what) SELECT 'order ' || n FROM generate_series(1, %[2]d) AS n;
		CREATE VIEW %[1]s.recent AS SELECT * FROM %[1]s.orders WHERE id > 3;`, name, rows))
}

// of is the world of one tenant.
func (w *world) of(job config.Job, schema string) *world {
	one := w.another()
	one.job = job.In(schema)
	return one
}

func (w *world) setsIn(t testing.TB, scope backup.Scope) []backup.Set {
	t.Helper()
	sets, err := backup.NewCatalogue(w.env.Bucket, w.job).Sets(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

func TestEachTenantHasItsOwnSetsAndNoneOfThemCountsAsTheDatabases(t *testing.T) {
	w := newWorld(t)
	w.env.StateDir = t.TempDir()
	w.pg.Exec(t, w.job.Database, "CREATE TABLE public.t AS SELECT 1 AS a")
	for i, schema := range strangeTenants {
		w.tenant(t, schema, 10+i)
	}
	w.tenant(t, "other", 3)
	job := w.tenantJob(t, "    schemas: [\"tenant_*\", Tenant_UP]\n    exclude_schemas: [tenant_none]\n")
	names, err := dump.Parts(t.Context(), job, w.env)
	slices.Sort(names)
	want := slices.Sorted(slices.Values(strangeTenants))
	if err != nil || !slices.Equal(names, want) {
		t.Fatalf("%q, %v", names, err)
	}
	for i, schema := range strangeTenants {
		of := w.of(job, schema)
		m := of.run(t).Manifest
		if m.Schema != backup.PartialSchema || m.Partial == nil || string(m.Partial.Schema) != schema || m.Summary.Rows != int64(10+i) || m.Summary.Tables != 1 {
			t.Errorf("%q: %+v %+v", schema, m.Partial, m.Summary)
		}
		sets := of.setsIn(t, backup.ScopeOf(of.job))
		if len(sets) != 1 || sets[0].Schema != schema || !sets[0].Good() || !strings.HasPrefix(sets[0].Dir, backup.FolderOf(of.job)) {
			t.Fatalf("%q: %+v", schema, sets)
		}
		address, ok := backup.ParseAddress(sets[0].Address().String())
		if !ok || address != sets[0].Address() {
			t.Errorf("%s: %+v", sets[0].Address(), address)
		}
	}
	if sets := w.setsIn(t, backup.ScopeOf(w.job)); len(sets) != 0 {
		t.Errorf("the database has sets: %+v", sets)
	}
	all := w.sets(t)
	if own := backup.WhoseOf(w.job).Of(all); len(own) != 0 || len(all) != len(strangeTenants) {
		t.Errorf("%d of %d are the database's", len(own), len(all))
	}
	whole := w.run(t).Manifest
	if whole.Partial != nil || whole.Schema != backup.ManifestSchema || whole.Sequence != 1 {
		t.Errorf("%+v", whole)
	}
	if found := backup.Candidates(w.sets(t), backup.Wanted{ID: backup.Latest}); len(found) != len(strangeTenants)+1 {
		t.Errorf("%d are the latest of something", len(found))
	}
}

func TestATenantsSetTellsNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database
	w.tenant(t, "tenant_a", 5)
	w.tenant(t, "tenant_b", 5)
	w.pg.Exec(t, "postgres", "CREATE ROLE owner_a_"+db+" PASSWORD 'x'; CREATE ROLE owner_b_"+db)
	t.Cleanup(func() {
		w.pg.DropDatabase(t, db)
		w.pg.Exec(t, "postgres", "DROP ROLE owner_a_"+db+", owner_b_"+db)
	})
	w.pg.Exec(t, db, "ALTER SCHEMA tenant_a OWNER TO owner_a_"+db+"; ALTER TABLE tenant_a.orders OWNER TO owner_a_"+db+
		"; ALTER TABLE tenant_b.orders OWNER TO owner_b_"+db+"; ALTER ROLE owner_b_"+db+" IN DATABASE "+db+" SET work_mem = '7MB'; GRANT CONNECT ON DATABASE "+db+" TO owner_b_"+db)
	id := newIdentity(t)
	job := w.tenantJob(t, "    schemas: \"tenant_*\"\n    encryption: {recipients: ["+id.Recipient().String()+"]}\n")
	of := w.of(job, "tenant_a")
	set := of.find(t, of.run(t).Manifest.ID)
	contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, []age.Identity{id})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := contents.Pack()
	globals, err := stored.Small(t.Context(), w.env, set, set.Manifest.Globals, []age.Identity{id})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(raw), string(globals)} {
		if strings.Contains(text, "owner_b_") || strings.Contains(text, "tenant_b") || strings.Contains(text, "SCRAM") {
			t.Errorf("%s", text)
		}
	}
	if !strings.Contains(string(globals), "owner_a_"+db) {
		t.Errorf("%s", globals)
	}
}

func TestOneTenantsKeyOpensOnlyItsOwnSets(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant_acme", 5)
	w.tenant(t, "tenant_b", 5)
	ours, acme := newIdentity(t), newIdentity(t)
	job := w.tenantJob(t, fmt.Sprintf(`    schemas: "tenant_*"
    encryption: {recipients: [%s]}
    per_schema:
      - {schemas: tenant_acme, recipients: [%s], keep: {daily: 400}}
`, ours.Recipient(), acme.Recipient()))
	for schema, keys := range map[string]struct{ opens, not *age.X25519Identity }{
		"tenant_acme": {acme, ours}, "tenant_b": {ours, acme},
	} {
		of := w.of(job, schema)
		set := of.find(t, of.run(t).Manifest.ID)
		if _, err := stored.ReadContents(t.Context(), w.env.Bucket, set, []age.Identity{keys.opens}); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
		if _, err := stored.ReadContents(t.Context(), w.env.Bucket, set, []age.Identity{keys.not}); fault.CodeOf(err) == fault.OK {
			t.Errorf("%s opens with another's key", schema)
		}
	}
	if keep := job.In("tenant_acme").Keep; keep.Daily != 400 || keep.Days != 0 {
		t.Errorf("%+v", keep)
	}
}

var (
	_ = restore.Run
	_ = retention.Plan
	_ = time.Now
)
