package archive

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// Against the PostgreSQL of this machine: what the scanner says is what pg_restore lists and
// what the database counts.

// oddSchema adds to testdata/schema.sql what only a few databases have.
const oddSchema = `
CREATE SCHEMA other;
CREATE TABLE other.customers (id int, note text);
INSERT INTO other.customers SELECT g, repeat(E'line\n\\.\n', g % 5) FROM generate_series(1, 20000) g;
CREATE TABLE only_generated (a int GENERATED ALWAYS AS (7) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE parent (id int); CREATE TABLE child (extra text) INHERITS (parent);
INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (3, 'x');
CREATE UNLOGGED TABLE unlogged AS SELECT generate_series(1, 9) AS n;
CREATE TABLE carriage_return (t text); INSERT INTO carriage_return VALUES (E'\r\n'), (E'\r'), (E'\n'), (E'\\.\r\n');
CREATE TABLE wide (t text); INSERT INTO wide SELECT repeat(E'wide\n', 100000) FROM generate_series(1, 4);
SELECT lo_from_bytea(60000 + g, decode(repeat('0a', g * 5000), 'hex')) FROM generate_series(1, 8) g;
SELECT lo_from_bytea(4000000000, 'oid beyond 31 bits');
CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER srv FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far_away (a int) SERVER srv;
CREATE PUBLICATION p FOR TABLE customers;
CREATE FUNCTION with_many_arguments(a int, b text, VARIADIC c numeric[]) RETURNS void LANGUAGE sql AS $$ SELECT $$;
COMMENT ON FUNCTION with_many_arguments IS E'two\nlines';`

type liveDatabase struct {
	server *pgtest.Server
	name   string
}

func startLive(t *testing.T) liveDatabase {
	t.Helper()
	need.Program(t, "pg_dump", "pg_restore")
	schema, err := os.ReadFile("testdata/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	live := liveDatabase{server: pgtest.Start(t), name: "live \"db\"\n数据"}
	if len(live.server.Names(t, []string{live.name})) == 0 {
		live.name = "live \"db\" 数据"
	}
	live.server.CreateDatabaseNamed(t, live.name)
	live.server.Exec(t, live.name, string(schema))
	live.server.Exec(t, live.name, oddSchema)
	return live
}

// run is a client program's output; stdin comes through a pipe, as pg_restore gets a subset.
func (l liveDatabase) run(t *testing.T, db string, stdin []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(filepath.Join(l.server.BinDir, program), args...)
	cmd.Env = l.server.Env(db)
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, stderr.Bytes())
	}
	return out
}

func (l liveDatabase) dump(t *testing.T, args ...string) []byte {
	t.Helper()
	return l.run(t, l.name, nil, "pg_dump", append([]string{"-Fc", "-Z0"}, args...)...)
}

func (l liveDatabase) count(t *testing.T, db string, table Table) int64 {
	t.Helper()
	return l.server.QueryInt(t, db, "SELECT count(*) FROM ONLY "+pgx.Identifier{table.Schema, table.Name}.Sanitize())
}

func TestLiveArchive(t *testing.T) {
	live := startLive(t)
	raw := live.dump(t)
	a, err := scan(raw)
	if err != nil {
		t.Fatal(err)
	}
	checkPlaces(t, a, len(raw))
	t.Run("entries are those of pg_restore -l", func(t *testing.T) { checkList(t, live, raw, a) })
	t.Run("rows are those of count(*)", func(t *testing.T) { checkCounts(t, live, a) })
	t.Run("other options", func(t *testing.T) { checkOptions(t, live, a) })
	t.Run("byte by byte", func(t *testing.T) {
		s := NewScanner(Options{})
		for i := range raw {
			_, _ = s.Write(raw[i : i+1])
		}
		got, err := s.Close()
		if diff := cmp.Diff(a, got); diff != "" || err != nil {
			t.Errorf("%v (-whole +bytes):\n%s", err, diff)
		}
	})
	t.Run("subset restores one table", func(t *testing.T) { checkSubset(t, live, raw, a) })
	t.Run("subset restores large objects", func(t *testing.T) { checkSubsetBlobs(t, live, raw, a) })
	t.Run("several are read as one", func(t *testing.T) { checkJoin(t, live, a) })
}

// listLine is `12; 1259 16385 TABLE public items postgres` as pg_restore prints an entry:
// names in one line, a missing schema as a hyphen, then in verbose mode the dependencies.
var listLine = regexp.MustCompile(`(?m)^(\d+; )\d+ \d+ (.*)$`)

func checkList(t *testing.T, live liveDatabase, raw []byte, a *Archive) {
	file := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out := string(live.run(t, "", nil, "pg_restore", "-l", "-v", file))
	head, list, _ := strings.Cut(out, "; Selected TOC Entries:\n;\n")
	flat := strings.NewReplacer("\n", " ", "\r", " ")
	var want strings.Builder
	for _, e := range a.Entries {
		namespace := e.Namespace
		if namespace == "" {
			namespace = "-"
		}
		fmt.Fprintf(&want, "%d; %s %s %s %s\n", e.DumpID, e.Desc, flat.Replace(namespace), flat.Replace(e.Tag), flat.Replace(e.Owner))
		if len(e.Deps) > 0 {
			fmt.Fprintf(&want, ";\tdepends on: %s\n", strings.Trim(fmt.Sprint(e.Deps), "[]"))
		}
	}
	if diff := cmp.Diff(listLine.ReplaceAllString(list, "$1$2"), want.String()); diff != "" {
		t.Errorf("(-pg_restore +scanner):\n%s", diff)
	}
	for _, fact := range []string{
		"dbname: " + flat.Replace(a.Database), "TOC Entries: " + strconv.Itoa(len(a.Entries)),
		"Dump Version: " + strings.TrimSuffix(a.Format, ".0"),
		"Dumped from database version: " + a.ServerVersion, "Dumped by pg_dump version: " + a.DumpVersion,
	} {
		if !strings.Contains(head, "; "+fact) && !strings.Contains(head, ";     "+fact) {
			t.Errorf("pg_restore does not say %q:\n%s", fact, head)
		}
	}
}

func checkCounts(t *testing.T, live liveDatabase, a *Archive) {
	tables := a.Tables()
	for _, table := range tables {
		if n := live.count(t, live.name, table); n != table.Rows {
			t.Errorf("%s.%s has %d rows, the scanner says %d", table.Schema, table.Name, n, table.Rows)
		}
	}
	const all = `SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')`
	if n := live.server.QueryInt(t, live.name, all); n != int64(len(tables)) {
		t.Errorf("%d tables in the archive, %d in the database", len(tables), n)
	}
	if n := live.server.QueryInt(t, live.name, "SELECT count(*) FROM pg_largeobject_metadata"); n != a.LargeObjects() {
		t.Errorf("%d large objects in the archive, %d in the database", a.LargeObjects(), n)
	}
	if diff := cmp.Diff([]string{"hstore"}, a.Extensions()); diff != "" {
		t.Errorf("extensions: %s", diff)
	}
	if a.Encoding != "UTF8" || a.Database != live.name || a.Compression != "none" {
		t.Errorf("encoding %q, database %q, compression %q", a.Encoding, a.Database, a.Compression)
	}
}

// checkOptions scans what pg_dump writes otherwise than by default.
func checkOptions(t *testing.T, live liveDatabase, streamed *Archive) {
	file := filepath.Join(t.TempDir(), "dump")
	blobs := 0 // blocks of large objects: one up to 16, one a thousand objects or owner from 17 on
	for _, d := range streamed.Data {
		if d.Blobs {
			blobs++
		}
	}
	for _, c := range []struct {
		args   []string
		blocks int
		exact  bool
	}{
		{[]string{"-f", file}, len(streamed.Data), true}, // seekable: with data positions
		{[]string{"-Z6"}, len(streamed.Data), false},
		{[]string{"-Z6", "-f", file}, len(streamed.Data), false},
		{[]string{"--inserts"}, len(streamed.Data), false},
		{[]string{"--column-inserts", "--rows-per-insert=10"}, len(streamed.Data), false},
		{[]string{"--schema-only"}, 0, true},
		{[]string{"--data-only"}, len(streamed.Data), true},
		{[]string{"--section=pre-data"}, 0, true},
		{[]string{"--section=data"}, len(streamed.Data), true},
		{[]string{"--section=post-data"}, 0, true},
		{[]string{"--load-via-partition-root", "--clean", "--create", "--no-owner"}, len(streamed.Data), true},
		{[]string{"--exclude-table-data=other.*", "--no-blobs"}, len(streamed.Data) - 1 - blobs, true},
		{[]string{"--encoding=GB18030", "--schema=other"}, 1, true},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			raw := live.dump(t, c.args...)
			if strings.Contains(strings.Join(c.args, " "), file) {
				var err error
				if raw, err = os.ReadFile(file); err != nil {
					t.Fatal(err)
				}
			}
			a, err := scan(raw)
			if err != nil {
				t.Fatal(err)
			}
			checkPlaces(t, a, len(raw))
			if rows, exact := a.Rows(); len(a.Data) != c.blocks || exact != c.exact {
				t.Errorf("%d blocks, %d rows exact %v; want %d, %v", len(a.Data), rows, exact, c.blocks, c.exact)
			}
			if c.exact && c.blocks == len(streamed.Data) {
				if diff := cmp.Diff(tableRows(streamed), tableRows(a)); diff != "" {
					t.Errorf("rows (-streamed +got):\n%s", diff)
				}
			}
		})
	}
}
