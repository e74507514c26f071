package integration

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// without lets a world's job leave tables out, and rows.
func (w *world) without(t testing.TB, tables, rows []string) {
	t.Helper()
	parse := func(texts []string) (patterns []config.TablePattern) {
		for _, text := range texts {
			p, err := config.ParseTablePattern(text)
			if err != nil {
				t.Fatal(err)
			}
			patterns = append(patterns, p)
		}
		return patterns
	}
	w.job.ExcludeTables, w.job.ExcludeTableData = parse(tables), parse(rows)
}

const withLogs = `
	CREATE TABLE orders (id serial PRIMARY KEY, what text);
	INSERT INTO orders (what) SELECT 'order ' || n FROM generate_series(1, 100) AS n;
	CREATE TABLE log (at date, id bigint GENERATED ALWAYS AS IDENTITY, line text) PARTITION BY RANGE (at);
	CREATE TABLE "Log 2025" PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
	CREATE TABLE "Log 2026" PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	INSERT INTO log (at, line) SELECT date '2025-06-01' + n, 'line' FROM generate_series(1, 400) AS n;
	CREATE SCHEMA "Größe.*";
	CREATE TABLE "Größe.*"."a""b.c*" AS SELECT n FROM generate_series(1, 7) AS n;
	CREATE TABLE "Größe.*"."axb.cx" AS SELECT n FROM generate_series(1, 9) AS n;
	CREATE TABLE sessions (id serial PRIMARY KEY, token text);
	INSERT INTO sessions (token) SELECT 'secret' FROM generate_series(1, 50);`

func TestASetWithoutSomeTablesSaysSoAndRestoresAndDrillsAsWhatItIs(t *testing.T) {
	w := newWorld(t)
	w.env.StateDir = t.TempDir()
	w.pg.Exec(t, w.job.Database, withLogs)
	w.without(t, []string{"public.log", `"Größe.*"."a""b.c*"`, "nowhere_*"}, []string{"sess*"})
	done := w.run(t)
	m := done.Manifest
	want := &backup.Partial{Tables: 5, Rows: 1}
	p := m.Partial
	if m.Schema != backup.PartialSchema || p == nil || p.Tables != want.Tables || p.Rows != want.Rows {
		t.Fatalf("schema %d, %+v", m.Schema, p)
	}
	var names string
	for _, name := range slices.Concat(p.WithoutTables, p.WithoutRows) {
		names += string(name) + "\n"
	}
	for _, name := range []string{`"Größe.*"."a""b.c*"`, `public."Log 2025"`, "public.log_id_seq", "public.sessions"} {
		if !strings.Contains(names, name) {
			t.Errorf("%s is not told in %s", name, names)
		}
	}
	if len(done.Warnings) > 0 || strings.Count(w.log.text(), "nowhere_*") != 1 {
		t.Errorf("%v\n%s", done.Warnings, w.log.text())
	}
	w.run(t)
	if strings.Count(w.log.text(), "no table is left out by") != 1 {
		t.Error("a pattern without tables was told again")
	}
	set := w.find(t, m.ID)
	to := w.job.Database + "_partial"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	if err != nil || !restored.Compared {
		t.Fatalf("%+v, %v", restored, err)
	}
	if n := w.pg.QueryInt(t, to, `SELECT count(*) FROM pg_class WHERE relname IN ('log', 'Log 2025', 'a"b.c*')`); n != 0 {
		t.Errorf("%d tables are there that were left out", n)
	}
	if n := w.pg.QueryInt(t, to, `SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM "Größe.*"."axb.cx") + (SELECT count(*) FROM sessions) + nextval('sessions_id_seq')`); n != 160 {
		t.Errorf("%d", n)
	}
	if c := w.check(t, set, restore.Request{To: "x"}, "whole"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "without 5 tables and the rows of 1 table") {
		t.Errorf("%+v", c)
	}
	if _, err := w.drill(t, set); err != nil {
		t.Error(err)
	}
	if level, _ := w.find(t, m.ID).Proven(); level != backup.LevelRestored {
		t.Error(level)
	}
}

func TestAPartialSetNeverTakesThePlaceOfALiveDatabase(t *testing.T) {
	r := newReplaced(t, "partial_"+backup.NewID(time.Now())[17:])
	r.pg.Exec(t, r.live, "CREATE TABLE log AS SELECT 1 AS a")
	r.without(t, []string{"log"}, nil)
	r.set = r.find(t, r.run(t).Manifest.ID)
	r.deserted(t)
	_, err := r.restore(t.Context(), r.request())
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "partial, without 1 table") || !strings.Contains(fault.Remedy(err), "--to") {
		t.Error(err, fault.Remedy(err))
	}
	r.wantBeside(t)
	r.wantLive(t, 2)
}

func TestASetWithoutWhatItsTablesNeedWarnsOfIt(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `
		CREATE TABLE customer (id int PRIMARY KEY);
		INSERT INTO customer VALUES (1);
		CREATE TABLE invoice (id int, customer int REFERENCES customer);
		INSERT INTO invoice VALUES (1, 1);
		CREATE VIEW debtors AS SELECT * FROM customer;
		CREATE TABLE other AS SELECT 1 AS a;`)
	for name, c := range map[string]struct {
		tables, rows []string
		says         []string
	}{
		"the table":     {tables: []string{"customer"}, says: []string{"invoice_customer_fkey", "debtors"}},
		"its rows":      {rows: []string{"customer"}, says: []string{"invoice_customer_fkey"}},
		"with the rest": {tables: []string{"customer", "debtors"}, rows: []string{"invoice"}, says: []string{"invoice_customer_fkey"}},
		"all of them":   {tables: []string{"customer", "debtors", "invoice"}},
		"all rows":      {rows: []string{"customer", "invoice"}},
	} {
		w.without(t, c.tables, c.rows)
		warnings := strings.Join(w.run(t).Warnings, "\n")
		for _, says := range c.says {
			if !strings.Contains(warnings, says) {
				t.Errorf("%s: %q is not in %q", name, says, warnings)
			}
		}
		if len(c.says) == 0 && warnings != "" {
			t.Errorf("%s: %s", name, warnings)
		}
	}
	w.encrypt(t)
	w.without(t, []string{"customer"}, nil)
	done := w.run(t)
	body := w.body(t, done.Folder+backup.ManifestName)
	if bytes.Contains(body, []byte("customer")) || done.Manifest.Partial.Tables != 1 || len(done.Warnings) != 1 {
		t.Errorf("%s", body)
	}
}

func TestTheLatestSetIsAWholeOneWhereAnotherJobMakesThem(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE log AS SELECT 1 AS a")
	whole := w.run(t).Manifest.ID
	small := w.another()
	small.job.Name = "small"
	small.without(t, []string{"log"}, nil)
	partial := small.run(t).Manifest.ID
	sets := w.sets(t)
	latest := func(sets []backup.Set) (ids []string) {
		for _, s := range backup.Candidates(sets, backup.Wanted{ID: backup.Latest}) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	if got := latest(sets); !slices.Equal(got, []string{whole}) {
		t.Errorf("%v, the whole one is %s", got, whole)
	}
	if _, passed := backup.NewestGood(sets); len(passed) != 1 || passed[0].Set.ID != partial || !strings.Contains(passed[0].Why, "partial") {
		t.Errorf("%+v", passed)
	}
	if got := latest(backup.WhoseOf(small.job).Of(sets)); !slices.Equal(got, []string{partial}) {
		t.Errorf("%v of the job of partial ones", got)
	}
	// A job that begins to leave tables out makes no whole ones any more: its older ones are not the latest.
	w.without(t, []string{"log"}, nil)
	newest := w.run(t).Manifest.ID
	if got := latest(w.sets(t)); !slices.Equal(got, []string{newest}) && !slices.Equal(got, []string{partial}) {
		t.Errorf("%v", got)
	}
}
