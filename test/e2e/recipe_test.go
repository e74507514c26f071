package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// locale is what a recipe must give a copy beside; owner and grants stay with who runs it.
const locale = `SELECT jsonb_pretty(jsonb_build_object('encoding', encoding, 'provider', datlocprovider, 'collate', datcollate,
	'ctype', datctype, 'icu', to_jsonb(d) -> 'daticulocale', 'locale', to_jsonb(d) -> 'datlocale')) FROM pg_database AS d WHERE datname = current_database()`

// parameters of the source, one of which would stop a load.
var parameters = []string{"app.region = 'eu'", `search_path = "odd "" name", "$user", public`, "default_transaction_read_only = on"}

const settings = `SELECT coalesce(string_agg(c, E'\n' ORDER BY c), '') FROM pg_db_role_setting AS s
	JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c WHERE d.datname = current_database() AND s.setrole = 0`

// The commands that `show` prints are run by bash as they stand, with nothing else on PATH than
// the programs that they name, into a cluster that knows nothing.
func TestTheRecipeRestoresWithoutPgbtui(t *testing.T) {
	need.All(t, "restores without pgbtui")
	t.Parallel()
	for name, encrypted := range map[string]bool{database: false, "it's \"x\" $(touch pwned) `id`\n; echo 数据库 %s": true} {
		t.Run(fmt.Sprintf("encrypted %v", encrypted), func(t *testing.T) {
			size := int64(20 << 20)
			if name != database {
				size = 0
			}
			w := newWorld(t, size)
			if size == 0 {
				w.source.CreateDatabaseNamed(t, name)
				w.source.Exec(t, name, "CREATE TABLE t (a text); INSERT INTO t SELECT repeat('x', i) FROM generate_series(1, 1000) AS i")
			}
			if encrypted {
				w.encrypt(t)
			}
			for _, setting := range parameters {
				w.source.Exec(t, "postgres", "ALTER DATABASE "+pgx.Identifier{name}.Sanitize()+" SET "+setting)
			}
			w.pgbtui(t, w.source, name, "--headless")
			var show struct{ Recipe []string }
			decode(t, w.pgbtui(t, w.source, name, "show", "latest", "--json"), &show)

			target := pgtest.Start(t)
			w.follow(t, target, show.Recipe)
			beside := name + "_restored"
			// The source's own dump differs where columns are inherited: what a restore makes is the measure.
			want := plainCopy(t, w.source, name, "plain")
			equal(t, "the copy beside", dump(t, target, beside), want)
			equal(t, "its parameters", target.QueryString(t, beside, settings), w.source.QueryString(t, name, settings))
			equal(t, "its locale", target.QueryString(t, beside, locale), w.source.QueryString(t, name, locale))
			if pwned, _ := filepath.Glob(filepath.Join(w.dir, "*", "pwned")); len(pwned) > 0 {
				t.Error("the recipe ran a command out of the database's name")
			}

			if !encrypted {
				w.pgbtui(t, w.source, name, "--headless", "--streams", "4")
				var several struct{ Recipe []string }
				decode(t, w.pgbtui(t, w.source, name, "show", "latest", "--json"), &several)
				if !slices.ContainsFunc(several.Recipe, func(line string) bool { return strings.Contains(line, "rows-01.pgc.zst") }) {
					t.Fatalf("the set has one stream: %q", several.Recipe)
				}
				target.DropDatabase(t, beside)
				w.follow(t, target, several.Recipe)
				equal(t, "the copy from several streams", dump(t, target, beside), want)
				equal(t, "its parameters", target.QueryString(t, beside, settings), w.source.QueryString(t, name, settings))
			}

			// The other way, which is a comment: the whole database under its own name.
			fetch := slices.IndexFunc(show.Recipe, func(line string) bool {
				return strings.Contains(line, " s3 cp ") && strings.Contains(line, "/dump.pgc")
			})
			w.follow(t, target, []string{show.Recipe[fetch], strings.TrimPrefix(show.Recipe[len(show.Recipe)-1], "# ")})
			equal(t, "the copy under its own name", dump(t, target, name), want)
			equal(t, "its definition", target.QueryString(t, name, properties), w.source.QueryString(t, name, properties))
		})
	}
}

func TestTheRecipeOfALegacySet(t *testing.T) {
	need.All(t, "restores without pgbtui")
	t.Parallel()
	w := newWorld(t, 20<<20)
	w.pipeToStore(t)
	var list struct{ Sets []struct{ ID string } }
	decode(t, w.pgbtui(t, w.source, database, "list", "--json"), &list)
	if len(list.Sets) != 1 {
		t.Fatalf("%+v", list)
	}
	var show struct{ Recipe []string }
	decode(t, w.pgbtui(t, w.source, database, "show", list.Sets[0].ID, "--json"), &show)
	w.follow(t, w.source, show.Recipe)
	if n := w.source.QueryInt(t, database+"_restored", "SELECT count(*) FROM sales.orders"); n == 0 {
		t.Error("no rows")
	}
}

// pipeToStore is what the article's script does.
func (w *world) pipeToStore(t *testing.T) {
	t.Helper()
	env := append(w.source.Env("postgres"), w.storeEnv()...)
	script := "pg_dump -Fc -d " + database + " | aws --endpoint-url " + w.store.Endpoint + " s3 cp - s3://" + w.store.Bucket + "/postgresql/postgresql_" + database + "_20250101_020000.backup"
	run(t, append(env, "PATH="+w.tools(t, "aws", "pg_dump")), w.dir, "/bin/bash", "-c", "set -eo pipefail; "+script)
}

// follow runs a recipe in a folder of its own, where the identity is called KEYFILE.
func (w *world) follow(t *testing.T, target *pgtest.Server, recipe []string) {
	t.Helper()
	dir, err := os.MkdirTemp(w.dir, "recipe") //nolint:usetesting // what hostile names leave is looked for in w.dir
	if err != nil {
		t.Fatal(err)
	}
	if w.key != "" {
		if err := os.Link(w.key, filepath.Join(dir, "KEYFILE")); err != nil {
			t.Fatal(err)
		}
	}
	script := "set -euo pipefail\n" + strings.Join(recipe, "\n") + "\n"
	env := append(target.Env(""), w.storeEnv()...)
	env = append(env, "PATH="+w.tools(t, "aws", "cat", "grep", "sha256sum", "zstd", "age", "openssl", "createdb", "psql", "pg_restore"))
	run(t, env, dir, "/bin/bash", "-c", script)
}

// tools is a folder with nothing but the named programs.
func (w *world) tools(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		// Not links: some programs are scripts that look for themselves, or need others.
		text := "#!/bin/sh\nPATH='" + os.Getenv("PATH") + "' exec '" + need.Program(t, name) + "' \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
