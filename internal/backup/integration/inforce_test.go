package integration

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// inForce is a database whose rows mean something only under its own parameters: a constraint, a
// generated column, an index and a materialized view read them. What would stop a load is set, too.
const inForce = `
CREATE FUNCTION home_region() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('app.home_region') $$;
CREATE FUNCTION place(id int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(current_setting('app.home_region', true), 'nowhere') || id $$;
CREATE TABLE payments (id int PRIMARY KEY, region text NOT NULL DEFAULT current_setting('app.home_region'),
	place text GENERATED ALWAYS AS (public.place(id)) STORED,
	amount numeric NOT NULL CONSTRAINT within_limit CHECK (amount <= current_setting('app.max_amount')::numeric));
CREATE INDEX ON payments (public.place(id));
INSERT INTO payments (id, amount) SELECT g, g FROM generate_series(1, 500) g;
CREATE MATERIALIZED VIEW home AS SELECT *, '25.12.2024'::date AS day FROM payments WHERE region = public.home_region();
`

// meaning is all values of the database.
const meaning = `SELECT md5(string_agg(p::text, ',' ORDER BY id)) || (SELECT md5(string_agg(h.id || h.place || h.day::date::text, ',' ORDER BY id)) FROM home AS h) FROM payments AS p`

func inForceWorld(t *testing.T) (*world, *backup.Set) {
	t.Helper()
	w := newWorld(t)
	db := w.job.Database
	for _, setting := range []string{"app.home_region = 'eu'", "app.max_amount = '10000'", "DateStyle = 'German'"} {
		w.pg.Exec(t, "postgres", "ALTER DATABASE "+db+" SET "+setting)
	}
	w.pg.Exec(t, db, inForce)
	for _, setting := range []string{"default_transaction_read_only = on", "default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on"} {
		w.pg.Exec(t, "postgres", "ALTER DATABASE "+db+" SET "+setting)
	}
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+db+" CONNECTION LIMIT 3; ALTER ROLE postgres IN DATABASE "+db+" SET app.max_amount = '20000'")
	return w, w.find(t, w.run(t).Manifest.ID)
}

func TestSettingsOfTheDatabaseAreInForceBeforeItsFirstRow(t *testing.T) {
	w, set := inForceWorld(t)
	want := w.pg.QueryString(t, w.job.Database, meaning)
	for name, req := range map[string]restore.Request{
		"whole":            {},
		"parallel":         {Jobs: 2},
		"a table":          {Tables: []string{"payments", "home"}},
		"definitions only": {SchemaOnly: true},
		"a live database":  {Replace: w.job.Database, Confirm: w.job.Database},
	} {
		t.Run(name, func(t *testing.T) {
			if req.Replace == "" {
				req.To = w.job.Database + "_copy"
				t.Cleanup(func() { w.pg.DropDatabase(t, req.To) })
			}
			restored, err := restore.Run(t.Context(), w.job, w.env, set, req, nil)
			if err != nil {
				t.Fatal(err)
			}
			if restored.Kept != "" {
				t.Cleanup(func() { w.pg.DropDatabase(t, restored.Kept) })
			}
			if got := w.pg.QueryString(t, restored.Database, "SHOW default_transaction_read_only"); got != "on" {
				t.Errorf("the copy has default_transaction_read_only %s", got)
			}
			if req.SchemaOnly {
				return
			}
			if got := w.pg.QueryString(t, restored.Database, meaning); got != want {
				t.Errorf("the values are others than in the source")
			}
		})
	}
}

func TestADrillHasTheSettingsOfTheDatabaseInForceToo(t *testing.T) {
	w, set := inForceWorld(t)
	drilled, err := w.drill(t, set)
	if err != nil || !drilled.Proof.OK || drilled.Proof.Rows != 500 {
		t.Errorf("code %d: %v", fault.CodeOf(err), err)
	}
}
