package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// plantTenant plants a set of a tenant.
func (w *world) plantTenant(t *testing.T, finished time.Time) *backup.Manifest {
	t.Helper()
	return w.plant(t, finished, func(m *backup.Manifest) {
		m.Schema = backup.PartialSchema
		m.Partial = &backup.Partial{Schema: printable.Name(w.job.Schema)}
	})
}

// tiersOf are two jobs of tenants, as one configuration has them.
func (w *world) tiersOf(t *testing.T) (daily, weekly config.Job) {
	t.Helper()
	daily = w.tenantJob(t, `    schemas: "tenant_*"
    keep: {days: 20, min_good: 1}
    per_schema:
      - {schemas: tenant_07, keep: {days: 60, min_good: 1}}
  archive:
    database: `+w.job.Database+`
    schemas: "tenant_*"
    keep: {weekly: 52, min_good: 1}
`)
	weekly = daily
	weekly.Name, weekly.PerSchema = "archive", nil
	weekly.Keep = config.Keep{Weekly: 52, MinGood: 1, By: config.PruneByBackup}
	return daily, weekly
}

// Twenty tenants and two tiers over a quarter: each backup's retention is the tenant's own and the job's own.
func TestAQuarterOfTwentyTenantsKeepsOfEachWhatItsJobsSay(t *testing.T) {
	w := newWorld(t)
	var tenants []string
	for i := range 20 {
		tenants = append(tenants, fmt.Sprintf("tenant_%02d", i))
		w.tenant(t, tenants[i], i+1)
	}
	daily, weekly := w.tiersOf(t)
	const day = 24 * time.Hour
	now := time.Now()
	for _, schema := range tenants {
		perDay, perWeek := w.of(daily, schema), w.of(weekly, schema)
		if !slices.Equal(perDay.job.Beside, []string{"archive"}) || perDay.job.WaitsForTurn() == 0 {
			t.Fatalf("%+v", perDay.job.Beside)
		}
		perWeek.job.Beside = []string{"tenants"}
		for age := 91; age > 0; age -= 3 { // every third day, to spare the store
			perDay.plantTenant(t, now.Add(-time.Duration(age)*day))
		}
		for age := 91; age > 0; age -= 7 {
			perWeek.plantTenant(t, now.Add(-time.Duration(age)*day-time.Hour))
		}
	}
	for _, schema := range tenants {
		for _, job := range []config.Job{daily, weekly} {
			of := w.of(job, schema)
			of.run(t)
			plan := of.plan(t) // so much at once is asked about first
			if _, err := retention.Apply(t.Context(), of.env.Bucket, of.env.Log, plan, plan.Removes()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, schema := range tenants {
		of := w.of(daily, schema)
		sets := of.setsIn(t, backup.ScopeOf(of.job))
		own := backup.WhoseOf(of.job).Own(sets)
		want := 6 + 1 // 19, 16, … 1 days old, and now
		if schema == "tenant_07" {
			want = 20 + 1
		}
		archive := w.of(weekly, schema)
		archive.job.Beside = []string{"tenants"}
		kept := backup.WhoseOf(archive.job).Own(sets)
		if len(own) < want || len(own) > want+1 || len(kept) < 13 || len(kept) > 14 || len(own)+len(kept) != len(sets) {
			t.Errorf("%s: %d sets daily, %d weekly, of %d", schema, len(own), len(kept), len(sets))
		}
		for _, s := range sets {
			if s.Schema != schema || string(s.Manifest.Partial.Schema) != schema {
				t.Errorf("%s has a set of %q", schema, s.Schema)
			}
		}
	}
}

func TestOneTenantIsDestroyedByItsPrefixAndTheOthersAreUntouched(t *testing.T) {
	w := newWorld(t)
	w.env.StateDir = t.TempDir()
	for _, schema := range []string{"tenant_1", "tenant_10", "tenant_2"} {
		w.tenant(t, schema, 3)
	}
	job := w.tenantJob(t, "    schemas: \"tenant_*\"\n")
	for _, schema := range []string{"tenant_1", "tenant_10", "tenant_2"} {
		w.of(job, schema).run(t)
	}
	whole := w.run(t).Manifest.ID
	prefix := backup.FolderOf(job.In("tenant_1"))
	before := len(w.keys(t))
	var gone []string
	for _, key := range w.keys(t) {
		if strings.HasPrefix(key, prefix) {
			gone = append(gone, key)
		}
	}
	if _, err := w.env.Bucket.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if len(gone) < 4 || len(w.keys(t)) != before-len(gone) {
		t.Errorf("%v", gone)
	}
	var left []string
	for _, s := range w.sets(t) {
		if !s.Good() || len(s.Lost) > 0 {
			t.Errorf("%+v", s)
		}
		left = append(left, s.Schema)
	}
	slices.Sort(left)
	if !slices.Equal(left, []string{"", "tenant_10", "tenant_2"}) || !w.has(t, whole) {
		t.Errorf("%q", left)
	}
	for _, schema := range []string{"tenant_10", "tenant_2"} {
		of := w.of(job, schema)
		if lost := dump.Lost(w.env.StateDir, of.job, of.setsIn(t, backup.ScopeOf(of.job))); lost != "" {
			t.Error(lost)
		}
	}
}

func TestATenantThatIsDroppedAndMadeAgainGoesOnWithItsSets(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant_1", 3)
	w.tenant(t, "tenant_2", 3)
	job := w.tenantJob(t, "    schemas: \"tenant_*\"\n")
	of := w.of(job, "tenant_1")
	first := of.run(t).Manifest
	now := time.Now()
	var found *dump.Found
	look := func() {
		t.Helper()
		names, err := dump.Parts(t.Context(), job, w.env)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
		found = found.Look(t.Context(), w.env.Log, job, names, now)
	}
	look()
	w.pg.Exec(t, w.job.Database, "DROP SCHEMA tenant_1 CASCADE")
	look()
	if found.Of("tenant_1").GoneSince.IsZero() || !found.Of("tenant_2").GoneSince.IsZero() {
		t.Errorf("%+v", found)
	}
	_, err := of.try(t.Context())
	if err == nil || !strings.Contains(err.Error(), `has no schema "tenant_1"`) {
		t.Error(err)
	}
	if n := len(of.setsIn(t, backup.ScopeOf(of.job))); n != 1 {
		t.Errorf("%d sets are left of a tenant that was dropped", n)
	}
	w.tenant(t, "tenant_1", 8)
	look()
	if !found.Of("tenant_1").GoneSince.IsZero() {
		t.Errorf("%+v", found)
	}
	again := of.run(t).Manifest
	if again.Sequence != 2 || again.Previous == nil || again.Previous.ID != first.ID {
		t.Errorf("%+v", again)
	}
}

func TestTwoJobsWhosePatternsOverlapEachHaveTheirOwnSetsOfATenant(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant_gold_1", 3)
	w.tenant(t, "tenant_2", 3)
	all := w.tenantJob(t, `    schemas: "tenant_*"
  gold:
    database: `+w.job.Database+`
    schemas: "tenant_gold_*"
`)
	if beside := all.In("tenant_gold_1").Beside; !slices.Equal(beside, []string{"gold"}) {
		t.Errorf("%v", beside)
	}
	if beside := all.In("tenant_2").Beside; len(beside) > 0 {
		t.Errorf("%v", beside)
	}
	one := w.of(all, "tenant_gold_1")
	gold := w.of(all, "tenant_gold_1")
	gold.job.Name, gold.job.Beside = "gold", []string{"tenants"}
	mine, theirs := one.run(t).Manifest, gold.run(t).Manifest
	sets := one.setsIn(t, backup.ScopeOf(one.job))
	if own := backup.WhoseOf(one.job).Own(sets); len(sets) != 2 || len(own) != 1 || own[0].ID != mine.ID || theirs.Sequence != 1 {
		t.Errorf("%d of %d", len(own), len(sets))
	}
	if c := one.check(t, one.find(t, mine.ID), restore.Request{To: "x"}, "whole"); !c.Warn || !strings.Contains(c.Detail, "tenant_gold_1") {
		t.Errorf("%+v", c)
	}
}
