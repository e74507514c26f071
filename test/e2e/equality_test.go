package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

const seedBytes = 40 << 20

// restored is what `restore --json` says.
type restored struct {
	Compared bool     `json:"compared"`
	Notes    []string `json:"notes"`
	Created  []string `json:"created"`
	Rows     int64    `json:"rows"`
}

// properties are what a database is, besides what it holds.
const properties = `SELECT jsonb_pretty(jsonb_build_object('owner', pg_get_userbyid(datdba), 'encoding', encoding, 'provider', datlocprovider,
	'collate', datcollate, 'ctype', datctype, 'icu', to_jsonb(d) -> 'daticulocale', 'locale', to_jsonb(d) -> 'datlocale',
	'limit', datconnlimit, 'template', datistemplate, 'connect', datallowconn, 'tablespace', dattablespace, 'comment', shobj_description(oid, 'pg_database'),
	'rights', (SELECT jsonb_agg(jsonb_build_array(CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, pg_get_userbyid(grantor), privilege_type, is_grantable)
		ORDER BY grantee::regrole::text, privilege_type) FROM aclexplode(datacl)),
	'settings', (SELECT jsonb_agg(jsonb_build_array(CASE setrole WHEN 0 THEN '' ELSE pg_get_userbyid(setrole) END, setconfig) ORDER BY setrole::regrole::text)
		FROM pg_db_role_setting WHERE setdatabase = d.oid)))
	FROM pg_database AS d WHERE datname = current_database()`

func TestACopyEqualsTheOneThatPgDumpAndPgRestoreMake(t *testing.T) {
	need.All(t, "the comparison of whole databases")
	t.Parallel()
	w := newWorld(t, seedBytes)
	w.pgbtui(t, w.source, database, "--headless")
	plain := plainCopy(t, w.source, database, "copy_plain")
	for to, args := range map[string][]string{"copy_stream": nil, "copy_parallel": {"--jobs", "3"}} {
		var r restored
		decode(t, w.pgbtui(t, w.source, database, append(args, "restore", "latest", "--to", to, "--json")...), &r)
		if !r.Compared || len(r.Notes) > 0 || r.Rows == 0 {
			t.Errorf("%s: %+v", to, r)
		}
		// Parallel sessions may bring the rows of one table in another order.
		equal(t, "the dump of "+to, rowsSorted(dump(t, w.source, to)), rowsSorted(plain))
		equal(t, "the definition of "+to, w.source.QueryString(t, to, properties), w.source.QueryString(t, database, properties))
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, "pgbtui-restore-*")); len(left) > 0 || err != nil {
		t.Errorf("left in the spool: %q, %v", left, err)
	}
	if n := w.source.QueryInt(t, "copy_stream", "SELECT count(*) FROM pg_stats WHERE schemaname = 'sales'"); n == 0 {
		t.Error("the copy has no planner statistics")
	}
}

// plainCopy is the dump of a copy that only PostgreSQL's programs made.
func plainCopy(t *testing.T, server *pgtest.Server, from, to string) string {
	t.Helper()
	server.Exec(t, "postgres", "CREATE DATABASE "+to+" TEMPLATE template0")
	file := filepath.Join(t.TempDir(), to+".pgc")
	client(t, server, from, "pg_dump", "-Fc", "-f", file)
	client(t, server, to, "pg_restore", "--exit-on-error", "-d", "", file)
	return dump(t, server, to)
}

func TestOnAnEmptyClusterEverythingComesBack(t *testing.T) {
	need.All(t, "the comparison of whole clusters")
	t.Parallel()
	w := newWorld(t, 20<<20)
	// A reference cluster, made by PostgreSQL's programs alone.
	reference := pgtest.Start(t)
	w.pipe(t, reference, "pg_dumpall --globals-only", "psql -X -q -d postgres")
	w.pipe(t, reference, "pg_dump -Fc "+database, "pg_restore --exit-on-error --create -d postgres")
	want := dump(t, reference, database, "--create")
	for _, name := range []string{"plain", "encrypted"} { // in this order: encryption stays switched on
		t.Run(name, func(t *testing.T) {
			encrypted := name == "encrypted"
			if encrypted {
				w.encrypt(t)
			}
			w.pgbtui(t, w.source, database, "--headless")
			target := pgtest.Start(t)
			var r restored
			decode(t, w.pgbtui(t, target, database, "restore", "latest", "--to", database, "--globals", "--json"), &r)
			if !r.Compared || len(r.Notes) > 0 || len(r.Created) < 7 {
				t.Errorf("%+v", r)
			}
			equal(t, "the dump with its database", dump(t, target, database, "--create"), want)
			equal(t, "the database's definition", target.QueryString(t, database, properties), w.source.QueryString(t, database, properties))
			equalGlobals(t, w.source, target, encrypted)
		})
	}
}

// equalGlobals compares roles, attributes, memberships and settings; passwords only when they may
// leave the server, which is when only age identities can read them.
func equalGlobals(t *testing.T, source, target *pgtest.Server, passwords bool) {
	t.Helper()
	args := []string{"--globals-only"}
	if !passwords {
		args = append(args, "--no-role-passwords")
	}
	equal(t, "the globals", comparable(client(t, target, "postgres", "pg_dumpall", args...)), comparable(client(t, source, "postgres", "pg_dumpall", args...)))
	all := client(t, target, "postgres", "pg_dumpall", "--globals-only")
	if has := strings.Contains(all, "PASSWORD 'SCRAM-SHA-256"); has != passwords {
		t.Errorf("role passwords came along: %v, want %v", has, passwords)
	}
}

// pipe runs one program on the source and gives its output to another on a target.
func (w *world) pipe(t *testing.T, target *pgtest.Server, from, to string) {
	t.Helper()
	file := filepath.Join(w.dir, "pipe")
	run(t, w.source.Env("postgres"), w.dir, "/bin/sh", "-c", from+" >"+file)
	run(t, target.Env("postgres"), w.dir, "/bin/sh", "-c", to+" <"+file)
}
