package integration

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// keeper is an extension with tables whose rows are the user's, all of them or some, as pg_partman and PostGIS have.
var keeper = map[string]string{
	"keeper.control": "default_version = '1.0'\nrelocatable = false\nschema = keeper\n",
	"keeper--1.0.sql": `
CREATE TABLE keeper.kept (parent text PRIMARY KEY, months int);
CREATE TABLE keeper.systems (id int PRIMARY KEY, builtin bool NOT NULL);
INSERT INTO keeper.systems SELECT g, true FROM generate_series(1, 30) AS g;
CREATE TABLE keeper.log (id int);
CREATE SEQUENCE keeper.numbers;
CREATE DOMAIN keeper.amount AS int;
SELECT pg_catalog.pg_extension_config_dump('keeper.kept', '');
SELECT pg_catalog.pg_extension_config_dump('keeper.systems', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('keeper.numbers', '');
`,
	"other.control":  "default_version = '1.0'\n",
	"other--1.0.sql": "CREATE TABLE choices (a int); SELECT pg_catalog.pg_extension_config_dump('choices', '');",
}

const keeperSchema = `
CREATE SCHEMA keeper; CREATE EXTENSION keeper; CREATE SCHEMA apart; CREATE EXTENSION other SCHEMA apart;
INSERT INTO keeper.kept VALUES ('public.logs', 3), ('public.more', 4);
INSERT INTO keeper.systems VALUES (1000, false), (1001, false), (1002, false);
INSERT INTO keeper.log VALUES (1); INSERT INTO apart.choices VALUES (7);
SELECT setval('keeper.numbers', 41);
CREATE TABLE logs AS SELECT g AS id FROM generate_series(1, 50) AS g;
CREATE TABLE sums (a keeper.amount); INSERT INTO sums VALUES (1);
GRANT SELECT ON keeper.kept TO PUBLIC;
`

func TestRowsThatPeoplePutIntoTablesOfAnExtensionComeWithItAndAreCompared(t *testing.T) {
	bin := pgtest.WithExtensions(t, keeper)
	pg := pgtest.StartWith(t, pgtest.Options{BinDir: bin})
	database := pg.CreateDatabase(t)
	pg.Exec(t, database, keeperSchema)
	w := newWorldOn(t, pg, database)
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.job.Instance + "_part"

	t.Run("parallel sessions bring them, too", func(t *testing.T) {
		to := w.job.Instance + "_sessions"
		restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 3}, nil)
		if err != nil || !restored.Compared || restored.Rows != 50+1+2+3+1 {
			t.Errorf("%+v, %v", restored, err)
		}
		pg.DropDatabase(t, to)
	})
	t.Run("a drill compares them and has nothing to warn of", func(t *testing.T) {
		drilled, err := w.drill(t, set)
		if err != nil {
			t.Fatal(err, fault.Remedy(err))
		}
		if len(drilled.Warnings) > 0 || len(drilled.Proof.NotProven) > 0 || drilled.Proof.Tables != 5 || drilled.Proof.Rows != 50+1+2+3+1 {
			t.Errorf("%+v", drilled)
		}
	})
	for name, c := range map[string]struct {
		req                  restore.Request
		kept, systems, other int64
	}{
		"the schema":                      {restore.Request{Schemas: []string{"keeper"}}, 2, 33, -1},
		"one of the tables":               {restore.Request{Tables: []string{"keeper.kept"}}, 2, 33, -1},
		"a table of the extension's type": {restore.Request{Tables: []string{"sums"}}, 2, 33, -1},
		"a table that needs no extension": {restore.Request{Tables: []string{"logs"}}, -1, -1, -1},
		"another extension's table":       {restore.Request{Tables: []string{"apart.choices"}}, -1, -1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.req.To = to
			r := w.restorePart(t, set, c.req)
			for table, want := range map[string]int64{"keeper.kept": c.kept, "keeper.systems": c.systems, "apart.choices": c.other} {
				got := int64(-1)
				if pg.QueryInt(t, to, "SELECT count(to_regclass('"+table+"'))") == 1 {
					got = pg.QueryInt(t, to, "SELECT count(*) FROM "+table)
				}
				if got != want {
					t.Errorf("%s has %d rows, not %d: %+v", table, got, want, r.Portion)
				}
			}
			if c.kept > 0 && (pg.QueryInt(t, to, "SELECT last_value FROM keeper.numbers") != 41 ||
				pg.QueryString(t, to, "SELECT has_table_privilege('public', 'keeper.kept', 'SELECT')::text") != "true") {
				t.Error("the sequence's place or the grant is missing")
			}
			if !r.Compared || len(r.Notes) > 0 {
				t.Errorf("%+v", r)
			}
		})
	}
	t.Run("a set that does not say whose they are", func(t *testing.T) { w.anOlderSetOfAnExtension(t, set) })
	t.Run("another version's rows are a remark, lost ones a fault", func(t *testing.T) { w.otherRowsOfAnExtension(t, set) })
}

// anOlderSetOfAnExtension is from before sets told whose tables those are.
func (w *world) anOlderSetOfAnExtension(t *testing.T, set *backup.Set) {
	w.rewriteContents(t, set, func(c *backup.Contents) {
		for i := range c.Extensions {
			c.Extensions[i].Rows = nil
		}
	})
	set = w.find(t, set.ID)
	r := w.restorePart(t, set, restore.Request{Tables: []string{"sums"}})
	if got := named(r.Portion.LeftOut); !slices.Contains(got, "table data keeper.kept") {
		t.Errorf("their absence is not told: %q", got)
	}
	r = w.restorePart(t, set, restore.Request{Tables: []string{"keeper.kept"}})
	if !r.Compared || r.Tables != 3 || !slices.Contains(named(r.Portion.Chosen), "table data keeper.kept") {
		t.Errorf("%+v, %+v", r, r.Portion)
	}
}

func (w *world) otherRowsOfAnExtension(t *testing.T, set *backup.Set) {
	version := func(v string) {
		w.rewriteContents(t, w.find(t, set.ID), func(c *backup.Contents) {
			i := slices.IndexFunc(c.Extensions, func(e postgres.Extension) bool { return e.Name == "keeper" })
			c.Extensions[i].Version = v
		})
	}
	version("0.9")
	r := w.restorePart(t, w.find(t, set.ID), restore.Request{Tables: []string{"keeper.kept"}})
	if text := strings.Join(r.Notes, "; "); !strings.Contains(text, "keeper 0.9, and here is 1.0") {
		t.Errorf("%q", text)
	}
	drilled, err := w.drill(t, w.find(t, set.ID))
	if err != nil || len(drilled.Proof.NotProven) != 1 || !strings.Contains(drilled.Proof.NotProven[0], "keeper.kept") {
		t.Errorf("%+v, %v", drilled, err)
	}
	// The proof of an encrypted set keeps what is before the colon alone.
	if told, _, ok := strings.Cut(drilled.Proof.NotProven[0], ": "); !ok || strings.Contains(told, "kept") {
		t.Errorf("a name stands in what is never encrypted: %q", told)
	}
	version("1.0")
	w.rewriteContents(t, w.find(t, set.ID), func(c *backup.Contents) {
		for i, d := range c.Archive.Data {
			if d.Rows == 3 { // of systems
				c.Archive.Data[i].Rows = 4
			}
		}
	})
	copied := restore.Request{To: w.job.Instance + "_copy"}
	if _, err = restore.Run(t.Context(), w.job, w.env, w.find(t, set.ID), copied, nil); fault.CodeOf(err) != fault.Integrity || !strings.Contains(err.Error(), "keeper.systems: 3 rows restored, 4 dumped") {
		t.Errorf("%v", err)
	}
}
