package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// partsDatabase has what hangs on tables in all ways, and a table that is most of it.
func partsDatabase(t testing.TB) (*pgtest.Server, string) { return parts.in(t) }

var parts = fixture{name: "parts", schema: partsSchema}

const partsSchema = `
CREATE SCHEMA sales; CREATE SCHEMA other;
CREATE TYPE other.mood AS ENUM ('good', 'bad');
CREATE FUNCTION other.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE sales.customers (id serial PRIMARY KEY, name text NOT NULL, feels other.mood DEFAULT 'good');
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES sales.customers, at date DEFAULT current_date);
INSERT INTO sales.customers (name) SELECT E'line\nbreak ' || i FROM generate_series(1, 500) AS i;
INSERT INTO sales.orders (customer, at) SELECT 1 + i % 500, date '2026-01-01' + i % 100 FROM generate_series(1, 3000) AS i;
CREATE INDEX orders_at ON sales.orders (at);
CREATE TRIGGER stamped BEFORE UPDATE ON sales.orders FOR EACH ROW EXECUTE FUNCTION other.stamp();
ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY; CREATE POLICY everybody ON sales.orders USING (true);
CREATE VIEW sales.open_orders AS SELECT * FROM sales.orders;
CREATE MATERIALIZED VIEW other.totals AS SELECT count(*) AS n FROM sales.orders;
GRANT SELECT ON sales.orders TO PUBLIC; COMMENT ON TABLE sales.orders IS 'what they bought';
CREATE TABLE measured (at date NOT NULL, v int, PRIMARY KEY (at, v)) PARTITION BY RANGE (at);
CREATE TABLE measured_a PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE measured_b PARTITION OF measured FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
INSERT INTO measured SELECT date '2026-06-01' + i, i FROM generate_series(1, 400) AS i;
CREATE SCHEMA "odd""schema"; CREATE TABLE "odd""schema"."T.x" (a text); INSERT INTO "odd""schema"."T.x" VALUES (E'\\.'), (NULL);
CREATE SCHEMA "a.b"; CREATE TABLE "a.b".c (a int); CREATE SCHEMA a; CREATE TABLE a."b.c" (a int);
CREATE TABLE other.orders (a int); CREATE TABLE filler AS SELECT i, repeat(md5(i::text), 4) AS t FROM generate_series(1, 40000) AS i;
SELECT lo_from_bytea(0, 'large');
`

func named(items []restore.Item) (names []string) {
	for _, i := range items {
		names = append(names, i.String())
	}
	slices.Sort(names)
	return names
}

func (w *world) restorePart(t *testing.T, set *backup.Set, req restore.Request, identities ...age.Identity) *restore.Restored {
	t.Helper()
	if req.To == "" {
		req.To = w.job.Instance + "_part"
	}
	w.pg.DropDatabase(t, req.To)
	restored, err := restore.Run(t.Context(), w.job, w.env, set, req, identities)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.pg.DropDatabase(t, req.To) })
	return restored
}

// served is what the store sent of objects whose key holds a text.
func (w *world) served(t *testing.T, key string) (n int64) {
	t.Helper()
	for range 1000 {
		n = 0
		underWay := false
		for _, q := range w.store.Requests(s3server.OpGetObject) {
			if strings.Contains(q.Key, key) {
				n += q.Sent
				underWay = underWay || q.Status == 0
			}
		}
		if !underWay {
			return n
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("a request does not end")
	return 0
}

func TestATableComesWholeWithWhatItNeedsAndNothingElse(t *testing.T) {
	w, set := partsSet.world(t)
	to := w.job.Instance + "_part"
	r := w.restorePart(t, set, restore.Request{To: to, Tables: []string{"sales.orders"}})
	if !r.Compared || r.Tables != 1 || r.Rows != 3000 || r.Recorded != "" {
		t.Errorf("%+v", r)
	}
	p := r.Portion
	for name, c := range map[string]struct{ got, want []string }{
		"chosen":  {named(p.Chosen), []string{"table sales.orders"}},
		"brought": {named(p.Brought), []string{"function other.stamp()", "schema other", "schema sales"}},
		"left out": {named(p.LeftOut), []string{
			"fk constraint sales.orders orders_customer_fkey", "materialized view other.totals", "view sales.open_orders",
		}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
	// All that makes the table is there, its sequence where it was.
	for query, want := range map[string]string{
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace IN ('sales'::regnamespace, 'other'::regnamespace)": "orders orders_at orders_id_seq orders_pkey",
		"INSERT INTO sales.orders DEFAULT VALUES RETURNING id":                                                                                "3001",
		"SELECT relrowsecurity::text || (SELECT count(*) FROM pg_policy) FROM pg_class WHERE oid = 'sales.orders'::regclass":                  "true1",
		"SELECT count(*)::text FROM pg_trigger WHERE tgname = 'stamped'":                                                                      "1",
		"SELECT obj_description('sales.orders'::regclass)":                                                                                    "what they bought",
		"SELECT count(*)::text FROM pg_largeobject_metadata":                                                                                  "0",
	} {
		if got := w.pg.QueryString(t, to, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if level, _ := w.find(t, set.ID).Proven(); level != backup.LevelStored {
		t.Errorf("a part proves the set %v", level)
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "large objects") }) {
		t.Errorf("notes: %q", r.Notes)
	}
}

func TestOnlyTheBytesOfThePartAreFetchedAndTheStoreAgrees(t *testing.T) {
	for name, sets := range map[string]*storedSets{"plain": &partsSet, "encrypted": &partsSealed} {
		t.Run(name, func(t *testing.T) {
			w, set := sets.world(t)
			w.store.ForgetRequests()
			r := w.restorePart(t, set, restore.Request{Tables: []string{"sales.customers"}}, sets.key()...)
			served := w.served(t, backup.DumpName)
			if r.Fetched != served || r.Fetched != r.Portion.FetchBytes || r.Fetched >= set.Manifest.Dump.SizeBytes/2 || r.Portion.Whole != "" {
				t.Errorf("fetched %d, the store served %d, promised %d, the dump has %d", r.Fetched, served, r.Portion.FetchBytes, set.Manifest.Dump.SizeBytes)
			}
			if !r.Compared || r.Rows != 500 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestASetWithoutAnIndexIsFetchedWholeAndThatIsSaid(t *testing.T) {
	w, set := partsSet.world(t)
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Frames.Sizes = nil })
	set = w.find(t, set.ID)
	r := w.restorePart(t, set, restore.Request{Tables: []string{"measured"}})
	if !r.Compared || r.Tables != 2 || r.Rows != 400 || !strings.Contains(r.Portion.Whole, "index") || r.Fetched < set.Manifest.Dump.SizeBytes {
		t.Errorf("%+v, %+v", r, r.Portion)
	}
	if got := named(r.Portion.Chosen); !slices.Equal(got, []string{"table public.measured", "table public.measured_a", "table public.measured_b"}) {
		t.Errorf("a partitioned table comes without its partitions: %q", got)
	}
	if w.pg.QueryInt(t, r.Database, "SELECT count(*) FROM measured") != 400 {
		t.Error("the partitions are not attached")
	}
}

func TestASchemaComesWithItsViewsAndForeignKeysWithBothTables(t *testing.T) {
	w, set := partsSet.world(t)
	r := w.restorePart(t, set, restore.Request{Schemas: []string{"sales"}})
	if !r.Compared || r.Tables != 2 || r.Rows != 3500 {
		t.Errorf("%+v", r)
	}
	if got := named(r.Portion.LeftOut); !slices.Equal(got, []string{"materialized view other.totals"}) {
		t.Errorf("left out: %q", got)
	}
	if w.pg.QueryInt(t, r.Database, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") != 1 || w.pg.QueryInt(t, r.Database, "SELECT count(*) FROM sales.open_orders") != 3000 {
		t.Error("the foreign key or the view is missing")
	}
	// A view of another schema needs a table, which comes as a definition.
	r = w.restorePart(t, set, restore.Request{Tables: []string{"other.totals"}})
	if got := named(r.Portion.Brought); !slices.Contains(got, "table sales.orders (without rows)") {
		t.Errorf("brought: %q", got)
	}
	if got := w.pg.QueryString(t, r.Database, "SELECT relispopulated::text FROM pg_class WHERE relname = 'totals'"); got != "false" {
		t.Error("a materialized view was filled from a table without rows")
	}
}

func TestDefinitionsAloneCostTheHeadAlone(t *testing.T) {
	w, set := partsSet.world(t)
	r := w.restorePart(t, set, restore.Request{SchemaOnly: true})
	if r.Compared || r.Fetched >= set.Manifest.Dump.SizeBytes/2 {
		t.Errorf("%+v", r)
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM sales.orders": 0, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'": 1, "SELECT count(*) FROM sales.open_orders": 0,
		"SELECT count(*) FROM pg_inherits WHERE inhparent = 'measured'::regclass": 2,
	} {
		if got := w.pg.QueryInt(t, r.Database, query); got != want {
			t.Errorf("%s: %d", query, got)
		}
	}
}

func TestNamesAreExactAndUnknownOrDoubtfulOnesAreToldBeforeAnythingIsCreated(t *testing.T) {
	w, set := partsSet.world(t)
	to := w.job.Instance + "_part"
	for _, c := range []struct {
		req  restore.Request
		code fault.Code
		says string
	}{
		{restore.Request{Tables: []string{"sales.order"}}, fault.NotFound, `"sales"."orders"`},
		{restore.Request{Tables: []string{"Filler"}}, fault.NotFound, `"public"."filler"`},
		{restore.Request{Tables: []string{"nothing like it"}}, fault.NotFound, " --tables`"},
		{restore.Request{Tables: []string{"orders"}}, fault.Refused, `"other"."orders", "sales"."orders"`},
		{restore.Request{Tables: []string{"a.b.c"}}, fault.Refused, `"a.b"."c"`},
		{restore.Request{Schemas: []string{"sale"}}, fault.NotFound, "sales"},
		{restore.Request{Tables: []string{"filler"}, Jobs: 2}, fault.Usage, "parallel"},
		{restore.Request{SchemaOnly: true, DataOnly: true}, fault.Usage, "exclude"},
		{restore.Request{DataOnly: true}, fault.Usage, "chosen"},
	} {
		if c.req.To = to; c.req.DataOnly {
			c.req.Confirm = to
		}
		_, err := restore.Run(t.Context(), w.job, w.env, set, c.req, nil)
		if fault.CodeOf(err) != c.code || !strings.Contains(err.Error()+fault.Remedy(err), c.says) || w.exists(t, to) {
			t.Errorf("%+v: %v (%s)", c.req, err, fault.Remedy(err))
		}
	}
	for _, name := range []string{`"odd""schema"."T.x"`, `odd"schema.T.x`, "T.x", `"T.x"`} {
		r := w.restorePart(t, set, restore.Request{To: to, Tables: []string{name}})
		if r.Rows != 2 || !r.Compared {
			t.Errorf("%s: %+v", name, r)
		}
	}
	r := w.restorePart(t, set, restore.Request{To: to, Tables: []string{`"a.b"."c"`, `"a"."b.c"`}})
	if r.Tables != 2 {
		t.Errorf("%+v", r)
	}
}
