package integration

import (
	"os"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func says(checks []restore.Check, name, detail string) bool {
	return slices.ContainsFunc(checks, func(c restore.Check) bool { return c.Name == name && strings.Contains(c.Detail, detail) })
}

const analyzed = "SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename = 'skewed'"

const skewed = `CREATE TABLE skewed (a int PRIMARY KEY, b int); INSERT INTO skewed SELECT i, i % 7 FROM generate_series(1, 5000) AS i;
	CREATE STATISTICS pairs (dependencies) ON a, b FROM skewed;
	CREATE MATERIALIZED VIEW seen AS SELECT * FROM skewed; CREATE INDEX ON seen (b); ANALYZE`

func TestARestoreGathersPlannerStatisticsAndItsPlanSaysSo(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, skewed)
	set := w.find(t, w.run(t).Manifest.ID)
	for name, req := range map[string]restore.Request{
		"whole": {}, "parallel": {Jobs: 2}, "part": {Tables: []string{"public.skewed"}},
	} {
		req.To = w.job.Database + "_" + name
		checks, _, err := restore.Preflight(t.Context(), w.job, w.env, set, req, nil)
		if err != nil || !says(checks, "statistics", "ANALYZE") {
			t.Errorf("%s: %+v, %v", name, checks, err)
		}
		got, err := restore.Run(t.Context(), w.job, w.env, set, req, nil)
		t.Cleanup(func() { w.pg.DropDatabase(t, req.To) })
		if err != nil || len(got.Notes) > 0 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if w.pg.QueryInt(t, req.To, analyzed) != 2 {
			t.Errorf("%s: the copy has no planner statistics", name)
		}
	}
}

// The function of an index fails when nothing but statistics asks for it.
func TestACopyWhoseStatisticsCannotBeGatheredIsACopyAllTheSame(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE FUNCTION only_here(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
			IF EXISTS (SELECT FROM pg_stat_progress_analyze WHERE pid = pg_backend_pid()) THEN RAISE 'not for statistics'; END IF;
			RETURN $1;
		END $$;
		CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100); CREATE INDEX ON t (only_here(a))`)
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.job.Database + "_copy"
	got, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	if err != nil || !got.Compared || !strings.Contains(strings.Join(got.Notes, ""), "planner statistics are not complete") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Sets of the old script may have been made with --statistics, from 18 on; 19 has those of extended statistics besides.
func TestASetWithPlannerStatisticsIsVerifiedDrilledAndRestored(t *testing.T) {
	w := newWorld(t)
	if w.pg.Major(t) < 18 {
		return // its pg_dump writes none
	}
	w.pg.Exec(t, w.job.Database, skewed)
	archive := w.pgDump(t, w.job.Database, "-Fc", "--statistics")
	key := "postgresql/postgresql_" + w.job.Database + "_20200102_030405.backup"
	w.put(t, key, archive)
	set := w.scripted(t, key)
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
		t.Error(err)
	}
	w.named(t)
	if drilled, err := w.drill(t, w.scripted(t, key)); err != nil || !drilled.Proof.OK {
		t.Errorf("%+v, %v", drilled, err)
	}
	for name, req := range map[string]restore.Request{
		"whole": {}, "parallel": {Jobs: 3}, "part": {Tables: []string{"public.skewed"}}, "schema": {Schemas: []string{"public"}},
	} {
		req.To = w.job.Database + "_" + name
		got, err := restore.Run(t.Context(), w.job, w.env, w.scripted(t, key), req, nil)
		t.Cleanup(func() { w.pg.DropDatabase(t, req.To) })
		if err != nil || w.pg.QueryInt(t, req.To, "SELECT count(*) FROM skewed") != 5000 || w.pg.QueryInt(t, req.To, analyzed) != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestADumpIsWrittenWithPlainStringsWhateverTheSourceHas(t *testing.T) {
	w := newWorld(t)
	if w.pg.Major(t) >= 19 {
		return // it has no other ones
	}
	w.pg.Exec(t, w.job.Database, `CREATE TABLE t (a text); INSERT INTO t VALUES (E'a\\b'); COMMENT ON TABLE t IS E'back\\slash'`)
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+w.job.Database+" SET standard_conforming_strings = off")
	set := w.find(t, w.run(t).Manifest.ID)
	contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
	if err != nil || contents.Archive.OldStrings {
		t.Error("the dump's strings take backslashes for escapes")
	}
	to := w.job.Database + "_copy"
	if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	if got := w.pg.QueryString(t, to, `SELECT a || ' ' || obj_description('t'::regclass) FROM t`); got != `a\b back\slash` {
		t.Errorf("the copy has %s", got)
	}
}

// A set from before: its strings are told before anything is created, and no server from 19 on takes it.
func TestADumpWithEscapesInItsStringsIsRefusedByServersThatReadNone(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t (a text)")
	set := w.find(t, w.run(t).Manifest.ID)
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Archive.OldStrings = true })
	set = w.find(t, set.ID)
	checks, _, err := restore.Preflight(t.Context(), w.job, w.env, set, restore.Request{To: "x"}, nil)
	if refused := says(checks, "strings", "standard_conforming_strings off"); err != nil || refused != (w.pg.Major(t) >= 19) {
		t.Errorf("%+v, %v", checks, err)
	}
	// Of a set of the old script nothing is known before pg_restore says it. This one is pg_dump 18.6's, of such a database.
	raw, err := os.ReadFile("testdata/pg18-old-strings.pgc")
	if err != nil {
		t.Fatal(err)
	}
	key := "postgresql/postgresql_" + w.job.Database + "_20200102_030405.backup"
	w.put(t, key, raw)
	if w.pg.Major(t) < 18 {
		return // too old for that dump, whatever its strings are
	}
	to := w.job.Database + "_old"
	_, err = restore.Run(t.Context(), w.job, w.env, w.scripted(t, key), restore.Request{To: to}, nil)
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	if w.pg.Major(t) == 18 && err != nil {
		t.Error(err)
	}
	if w.pg.Major(t) >= 19 {
		wantCode(t, err, fault.Refused)
		if !strings.Contains(fault.Remedy(err), "before 19") {
			t.Errorf("the remedy is %q", fault.Remedy(err))
		}
	}
}
