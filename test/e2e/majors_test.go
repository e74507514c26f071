package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// What people do with sets, with each major version of PostgreSQL that is installed, and from each to each newer one.
// A machine has one as a rule; `make matrix` has a system with several.

// newObjects are what a major version has first. Each statement list is of the version and of all newer ones.
var newObjects = map[int]string{
	15: `CREATE TABLE fresh.distinct_nulls (a int UNIQUE NULLS NOT DISTINCT, b text);
		INSERT INTO fresh.distinct_nulls VALUES (NULL, 'once'), (1, 'x');
		CREATE VIEW fresh.invoker WITH (security_invoker) AS SELECT * FROM fresh.distinct_nulls;
		CREATE PUBLICATION filtered FOR TABLE fresh.distinct_nulls (a) WHERE (a > 0);
		CREATE PUBLICATION whole FOR TABLES IN SCHEMA catalog;`,
	17: `CREATE TABLE fresh.identity (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY RANGE (k);
		CREATE TABLE fresh.identity_1 PARTITION OF fresh.identity FOR VALUES FROM (0) TO (100);
		INSERT INTO fresh.identity (k) SELECT i FROM generate_series(1, 50) AS i;
		GRANT MAINTAIN ON fresh.identity TO reporting;
		CREATE TABLE fresh.simple (t text COLLATE pg_c_utf8 PRIMARY KEY); INSERT INTO fresh.simple VALUES ('Ö'), ('a');
		CREATE VIEW fresh.json AS SELECT JSON_VALUE('{"a": 1}', '$.a' RETURNING int) AS a;`,
	18: `CREATE TABLE fresh.virtual (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, id uuid DEFAULT uuidv7());
		INSERT INTO fresh.virtual SELECT i FROM generate_series(1, 100) AS i;
		CREATE TABLE fresh.unchecked (k int, v int) PARTITION BY LIST (k);
		CREATE TABLE fresh.unchecked_1 PARTITION OF fresh.unchecked FOR VALUES IN (1);
		INSERT INTO fresh.unchecked VALUES (1, NULL), (1, 2);
		ALTER TABLE fresh.unchecked ADD CONSTRAINT not_yet NOT NULL v NOT VALID;
		CREATE TABLE fresh.rooms (id int, during daterange, CONSTRAINT rooms_pkey PRIMARY KEY (id, during WITHOUT OVERLAPS));
		INSERT INTO fresh.rooms VALUES (1, '[2026-01-01,2027-01-01)');
		CREATE TABLE fresh.stays (room int, during daterange, FOREIGN KEY (room, PERIOD during) REFERENCES fresh.rooms (id, PERIOD during));
		INSERT INTO fresh.stays VALUES (1, '[2026-02-01,2026-02-03)');
		CREATE TABLE fresh.refers (k int, u int CHECK (u > 5) NOT ENFORCED) PARTITION BY RANGE (k);
		CREATE TABLE fresh.refers_1 PARTITION OF fresh.refers FOR VALUES FROM (0) TO (1000);
		CREATE TABLE fresh.referred (id int PRIMARY KEY); INSERT INTO fresh.refers VALUES (7, 1);
		ALTER TABLE fresh.refers ADD CONSTRAINT dangling FOREIGN KEY (k) REFERENCES fresh.referred NOT VALID;`,
	19: `CREATE PUBLICATION numbers FOR ALL SEQUENCES;`,
}

// neighbours are extensions that people have, in a database of their own, and something that is made with each.
var neighbours = []struct{ name, sql string }{
	{"postgis", `CREATE TABLE places (id int PRIMARY KEY, at geometry(Point, 4326)); CREATE INDEX ON places USING gist (at);
		INSERT INTO places SELECT i, ST_SetSRID(ST_MakePoint(i, i), 4326) FROM generate_series(1, 80) AS i;
		INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (990001, 'shop', 1, 'LOCAL_CS["shop"]', '+proj=longlat');`},
	{"postgis_topology", `SELECT topology.CreateTopology('streets', 4326);`},
	{"vector", `CREATE TABLE embeddings (id int PRIMARY KEY, v vector(3)); INSERT INTO embeddings
		SELECT i, ARRAY[i, 1, 2]::vector FROM generate_series(1, 200) AS i; CREATE INDEX ON embeddings USING hnsw (v vector_l2_ops);`},
}

const neighbourly = "geo"

// majors are the installed versions, oldest first.
func majors(t *testing.T) (found []int) {
	t.Helper()
	servers, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // only a bad pattern fails
	for _, server := range servers {
		if major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(server)))); err == nil {
			found = append(found, major)
		}
	}
	if len(found) == 0 {
		t.Fatal("no PostgreSQL below /usr/lib/postgresql")
	}
	slices.Sort(found)
	return found
}

// ofMajor is a running server.
func ofMajor(t *testing.T, major int) *pgtest.Server {
	t.Helper()
	return pgtest.StartWith(t, pgtest.Options{
		BinDir: fmt.Sprintf("/usr/lib/postgresql/%d/bin", major), Settings: map[string]string{"max_locks_per_transaction": "256"},
	})
}

// furnish adds to the seed what a version has.
func furnish(t *testing.T, server *pgtest.Server, major int) {
	t.Helper()
	server.Exec(t, database, "CREATE SCHEMA fresh; SET search_path = public, ext; CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA ext")
	for _, since := range []int{15, 17, 18, 19} {
		if major >= since {
			server.Exec(t, database, "SET search_path = public, ext; "+newObjects[since])
		}
	}
}

// hasNeighbours reports whether all of them are installed for a server.
func hasNeighbours(t *testing.T, server *pgtest.Server) bool {
	t.Helper()
	const available = "SELECT count(*) FROM pg_available_extensions WHERE name IN ('postgis', 'postgis_topology', 'vector')"
	return server.QueryInt(t, "postgres", available) == int64(len(neighbours))
}

func TestEveryMajorIsBackedUpAndRestoredAsItIs(t *testing.T) {
	need.All(t, "whole databases of each version")
	t.Parallel()
	for _, from := range majors(t) {
		t.Run(strconv.Itoa(from), func(t *testing.T) {
			w := newWorldOn(t, ofMajor(t, from), seedBytes/2)
			furnish(t, w.source, from)
			w.pgbtui(t, w.source, database, "--headless")
			w.isRead(t)
			w.isRestored(t, w.source, from)
			w.isDrilled(t, database, "")
			if hasNeighbours(t, w.source) {
				w.livesWithNeighbours(t)
			}
			for _, to := range majors(t) {
				if to > from {
					t.Run(fmt.Sprintf("into %d", to), func(t *testing.T) { w.upgrades(t, to) })
				}
			}
		})
	}
}

// isRead lists, shows and verifies the set.
func (w *world) isRead(t *testing.T) {
	t.Helper()
	var list struct{ Sets []struct{ ID string } }
	decode(t, w.pgbtui(t, w.source, database, "list", "--json"), &list)
	if len(list.Sets) != 1 {
		t.Fatalf("%+v", list)
	}
	w.pgbtui(t, w.source, database, "show", list.Sets[0].ID)
	tables := string(w.pgbtui(t, w.source, database, "show", list.Sets[0].ID, "--tables"))
	if !strings.Contains(tables, "sales.customers") {
		t.Errorf("the tables are %.300s", tables)
	}
	w.isVerified(t, database)
}

// isVerified reads the latest set of a database to its end.
func (w *world) isVerified(t *testing.T, db string) {
	t.Helper()
	var verified struct{ Proof struct{ OK bool } }
	decode(t, w.pgbtui(t, w.source, db, "verify", "latest", "--json"), &verified)
	if !verified.Proof.OK {
		t.Errorf("%+v", verified)
	}
}

// isRestored brings the set, whole and in parts, into a server, and compares with what its own programs make of the source.
func (w *world) isRestored(t *testing.T, into *pgtest.Server, major int) {
	t.Helper()
	w.isEqual(t, into, database, icu)
	w.pgbtui(t, into, database, "restore", "latest", "--table", "sales.customers", "--to", "part_table")
	w.sameRows(t, into, "part_table", "sales.customers")
	w.pgbtui(t, into, database, "restore", "latest", "--schema", "fresh", "--to", "part_schema")
	w.sameRows(t, into, "part_schema", "fresh.distinct_nulls")
	if major >= 18 && into == w.source {
		w.sameRows(t, into, "part_schema", "fresh.stays")
	}
	w.isReplaced(t, into)
}

// isEqual restores a database's set in one session and in several.
func (w *world) isEqual(t *testing.T, into *pgtest.Server, db, options string) {
	t.Helper()
	w.comesBack(t, into, db, w.byPrograms(t, into, db, options))
}

// byPrograms is the dump of a copy that is made by PostgreSQL's programs alone: pg_dump of the source's version,
// pg_restore of the target's.
func (w *world) byPrograms(t *testing.T, into *pgtest.Server, db, options string) (plain string) {
	t.Helper()
	into.Exec(t, "postgres", "CREATE DATABASE plain TEMPLATE template0 "+options)
	defer into.DropDatabase(t, "plain")
	file := filepath.Join(t.TempDir(), "plain.pgc")
	client(t, w.source, db, "pg_dump", "-Fc", "-f", file)
	client(t, into, "plain", "pg_restore", "--exit-on-error", "-d", "", file)
	return dump(t, into, "plain")
}

// comesBack restores the latest set of a database in one session and in several, which makes what the programs made.
func (w *world) comesBack(t *testing.T, into *pgtest.Server, db, plain string) {
	t.Helper()
	for to, args := range map[string][]string{"copy_stream": {"--jobs", "1"}, "copy_parallel": {"--jobs", "4"}} {
		var r restored
		decode(t, w.pgbtui(t, into, db, append(args, "restore", "latest", "--to", to, "--json")...), &r)
		if !r.Compared || r.Rows == 0 {
			t.Errorf("%s: %+v", to, r)
		}
		// Parallel sessions may bring the rows of one table in another order.
		equal(t, "the dump of "+to, rowsSorted(dump(t, into, to)), rowsSorted(plain))
		into.DropDatabase(t, to)
	}
}

// livesWithNeighbours does the same with a database of other people's extensions, here and in each newer version that
// has them.
func (w *world) livesWithNeighbours(t *testing.T) {
	t.Helper()
	w.source.Exec(t, "postgres", "CREATE DATABASE "+neighbourly+" TEMPLATE template0")
	for _, n := range neighbours {
		w.source.Exec(t, neighbourly, "CREATE EXTENSION "+n.name)
		w.source.Exec(t, neighbourly, "SET search_path = public, topology; "+n.sql)
		t.Logf("with %s %s", n.name, w.source.QueryString(t, neighbourly, "SELECT extversion FROM pg_extension WHERE extname = $1", n.name))
	}
	w.pgbtui(t, w.source, neighbourly, "--headless")
	w.isEqual(t, w.source, neighbourly, "")
	w.pgbtui(t, w.source, neighbourly, "restore", "latest", "--table", "public.places", "--to", "part_places")
	if n := w.source.QueryInt(t, "part_places", "SELECT count(*) FROM places"); n != 80 {
		t.Errorf("%d places", n)
	}
	w.isDrilled(t, neighbourly, "")
}

func (w *world) sameRows(t *testing.T, server *pgtest.Server, db, table string) {
	t.Helper()
	count := "SELECT count(*) FROM " + table
	got, want := server.QueryInt(t, db, count), w.source.QueryInt(t, database, count)
	if got != want || want == 0 {
		t.Errorf("%s of %s has %d rows, want %d", table, db, got, want)
	}
}

// isReplaced puts a copy in the place of a live database and takes it back.
func (w *world) isReplaced(t *testing.T, server *pgtest.Server) {
	t.Helper()
	server.Exec(t, "postgres", "CREATE DATABASE live TEMPLATE template0")
	server.Exec(t, "live", "CREATE TABLE mine (i int)")
	w.pgbtui(t, server, database, "restore", "latest", "--replace", "live", "--confirm", "live")
	w.sameRows(t, server, "live", "sales.customers")
	w.pgbtui(t, server, database, "restore", "undo", "live", "--confirm", "live")
	if server.QueryInt(t, "live", "SELECT count(*) FROM pg_class WHERE relname = 'mine'") != 1 {
		t.Error("what was live did not come back")
	}
}

// isDrilled rehearses the recovery, in a server of the drill's own or in the one that the configuration names. In
// another version extensions have other versions, which it warns of.
func (w *world) isDrilled(t *testing.T, db, unproven string) {
	t.Helper()
	var drilled struct {
		Proof struct {
			OK        bool
			NotProven []string
		}
		Warnings []string
	}
	for _, dir := range []string{w.dir, filepath.Dir(w.dir)} { // the drill's server is another user's
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var ends []int
	if unproven != "" {
		ends = append(ends, 3)
	}
	decode(t, w.ends(t, w.source, db, ends, "drill", "latest", "--json"), &drilled)
	drilled.Warnings = slices.DeleteFunc(drilled.Warnings, func(warning string) bool {
		return unproven != "" && strings.HasPrefix(warning, "extension ")
	})
	said := strings.Join(drilled.Proof.NotProven, "; ")
	if !drilled.Proof.OK || len(drilled.Warnings) > 0 || !strings.Contains(said, unproven) {
		t.Errorf("%+v", drilled)
	}
}

// upgrades restores the set into a newer server, roles first, and drills it there.
func (w *world) upgrades(t *testing.T, to int) {
	into := ofMajor(t, to)
	var r restored
	decode(t, w.pgbtui(t, into, database, "restore", "latest", "--to", "first", "--globals", "--json"), &r)
	if !r.Compared || len(r.Created) < 7 {
		t.Errorf("%+v", r)
	}
	w.isRestored(t, into, to)
	config, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	defer w.write(t, "config.yaml", string(config))
	w.write(t, "config.yaml", string(config)+fmt.Sprintf("drill: {server: {host: %s, port: %s, user: %s}}\n", into.Host, into.Port, into.User))
	w.isDrilled(t, database, "restores into PostgreSQL")
	if hasNeighbours(t, w.source) && hasNeighbours(t, into) {
		w.isEqual(t, into, neighbourly, "")
		w.isDrilled(t, neighbourly, "restores into PostgreSQL")
	}
}

// rowsSorted is a dump whose rows are sorted within each table.
func rowsSorted(sql string) string {
	lines := strings.SplitAfter(sql, "\n")
	begin := -1
	for i, line := range lines {
		switch {
		case begin < 0 && strings.HasPrefix(line, "COPY ") && strings.HasSuffix(line, " FROM stdin;\n"):
			begin = i + 1
		case begin >= 0 && line == "\\.\n":
			slices.Sort(lines[begin:i])
			begin = -1
		}
	}
	return strings.Join(lines, "")
}
