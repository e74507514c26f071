package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// cronJobs are a database's, one of them due each minute.
const cronJobs = `
CREATE EXTENSION pg_cron;
CREATE TABLE facts (id int PRIMARY KEY, v text);
INSERT INTO facts SELECT g, 'f' || g FROM generate_series(1, 250) AS g;
SELECT cron.schedule('nightly', '10 3 * * *', 'VACUUM public.facts');
SELECT cron.schedule('each minute', '* * * * *', 'INSERT INTO public.facts SELECT max(id) + 1 FROM public.facts');
`

// cronServer has pg_cron for one database; its own jobs do not run during a test.
func cronServer(t *testing.T, database string) *pgtest.Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/lib/pg_cron.so")
	need.Extension(t, "pg_cron", len(found) > 0)
	pg := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{
		"shared_preload_libraries": "pg_cron", "cron.database_name": database, "max_worker_processes": "0",
	}})
	pg.Exec(t, "postgres", "CREATE DATABASE "+database+" TEMPLATE template0")
	pg.Exec(t, "postgres", "CREATE ROLE reader LOGIN BYPASSRLS IN ROLE pg_read_all_data")
	pg.Exec(t, database, cronJobs)
	return pg
}

func TestADatabaseWithJobsOfPgCronPassesItsDrillAndNoneOfThemRuns(t *testing.T) {
	pg := cronServer(t, "c04")
	// An ordinary role does not see which libraries the server loads.
	for _, role := range []string{"reader", "postgres"} {
		w := newWorldOn(t, pg, "c04")
		w.job.Postgres.User = role
		set := w.find(t, w.run(t).Manifest.ID)
		w.job.Drill.Expect = append(w.job.Drill.Expect,
			config.Expectation{SQL: "SELECT current_setting('cron.launch_active_jobs') || current_setting('max_worker_processes')", Result: "off0"},
			config.Expectation{SQL: "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE '%cron%'", Result: "0"},
			config.Expectation{SQL: "SELECT count(*) FROM cron.job", Result: "2"})
		drilled, err := w.drill(t, set)
		if err != nil || !drilled.Proof.OK || drilled.Recorded == "" || len(drilled.Proof.NotProven) > 0 {
			t.Fatalf("as %s: code %d: %v (%s), %+v", role, fault.CodeOf(err), err, fault.Remedy(err), drilled)
		}
	}
}

// Only one database of a server may have pg_cron, and a copy has another name.
func TestADrillIntoANamedServerThatCannotHavePgCronCondemnsNoSet(t *testing.T) {
	pg := cronServer(t, "c04")
	w := newWorldOn(t, pg, "c04")
	set := w.find(t, w.run(t).Manifest.ID)
	check := func(t *testing.T, to, word, remedy string) {
		t.Helper()
		checks, _, err := restore.Preflight(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(checks, func(c restore.Check) bool { return c.Name == "extensions" })
		if i < 0 || checks[i].OK != (word == "") || !strings.Contains(checks[i].Detail, word) || !strings.Contains(checks[i].Remedy, remedy) {
			t.Errorf("restore --check into %s: %+v", to, checks)
		}
	}
	check(t, "elsewhere", "cron.database_name", "ALTER SYSTEM SET cron.database_name")

	going, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "elsewhere", KeepGoing: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []restore.RowMismatch{{Schema: "cron", Table: "job", Want: 2}}; !slices.Equal(going.Differences, want) ||
		!strings.Contains(going.Unmade[0].String(), "can only create extension in database c04") {
		t.Errorf("everything else: %+v", going)
	}

	other := pgtest.Start(t)
	for name, server := range map[string]*pgtest.Server{"of another database": pg, "that does not load it": other} {
		t.Run(name, func(t *testing.T) {
			w.pg = server
			w.named(t)
			drilled, err := w.drill(t, w.find(t, set.ID))
			wantCode(t, err, fault.Refused)
			if drilled != nil || !strings.Contains(err.Error(), "pg_cron") || !strings.Contains(fault.Remedy(err), "drill.server") {
				t.Errorf("%+v, %v (%s)", drilled, err, fault.Remedy(err))
			}
			if again := w.find(t, set.ID); again.LastFailure() != nil {
				t.Errorf("recorded: %+v", again.LastFailure())
			}
		})
	}
	w.job.Postgres.Host, w.job.Postgres.Port = other.Host, other.Port
	check(t, "c04", "pg_cron", "shared_preload_libraries")
}

// guarded stand for extensions whose library refuses to be loaded later than the server's start, as sepgsql does, which
// PostgreSQL brings; one of them cannot be created in a server that has everything it asks for.
var guarded = map[string]string{
	"guard.control":  "default_version = '1.0'\nmodule_pathname = '$libdir/sepgsql'\n",
	"guard--1.0.sql": "CREATE FUNCTION guard() RETURNS text LANGUAGE sql AS $$ SELECT 'here' $$; CREATE FUNCTION getcon() RETURNS text AS 'MODULE_PATHNAME', 'sepgsql_getcon' LANGUAGE C;",
	"moody.control":  "default_version = '1.0'\n",
	"moody--1.0.sql": "DO $$ BEGIN IF current_setting('moody.may', true) IS NULL THEN RAISE 'moody'; END IF; END $$",
}

func TestADrillsServerLoadsAtItsStartWhatTheSetsExtensionsWant(t *testing.T) {
	bin := pgtest.WithExtensions(t, guarded)
	need.Extension(t, "sepgsql", exists(filepath.Join(bin, "../lib/sepgsql.so")))
	pg := pgtest.StartWith(t, pgtest.Options{BinDir: bin, Settings: map[string]string{"shared_preload_libraries": "auto_explain, sepgsql"}})
	database := pg.CreateDatabase(t)
	pg.Exec(t, database, "CREATE EXTENSION guard; CREATE TABLE t AS SELECT guard() AS a FROM generate_series(1, 9)")
	w := newWorldOn(t, pg, database)
	set := w.find(t, w.run(t).Manifest.ID)
	contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	recorded := contents.Server

	for name, c := range map[string]struct {
		libraries, loaded, lacks string
	}{
		"those of the source":                     {"auto_explain, sepgsql", "auto_explain,sepgsql", ""},
		"who did not see which the source loads":  {"", "sepgsql", ""},
		"one is not installed here":               {"auto_explain, not_here", "auto_explain,sepgsql", "library not_here"},
		"what is planted is no path of the set's": {"/tmp/evil.so, ../evil", "sepgsql", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.rewriteContents(t, w.find(t, set.ID), func(c2 *backup.Contents) {
				c2.Server = slices.DeleteFunc(slices.Clone(recorded), func(p postgres.Parameter) bool { return p.Name == "shared_preload_libraries" })
				if c.libraries != "" {
					c2.Server = append(c2.Server, postgres.Parameter{Name: "shared_preload_libraries", Value: c.libraries})
				}
			})
			w.job.Drill.Expect = []config.Expectation{{SQL: "SHOW shared_preload_libraries", Result: c.loaded}}
			drilled, err := w.drill(t, w.find(t, set.ID))
			if err != nil || !drilled.Proof.OK {
				t.Fatalf("code %d: %v (%s)", fault.CodeOf(err), err, fault.Remedy(err))
			}
			lacks := strings.Join(drilled.Proof.NotProven, "; ")
			if (c.lacks == "") != (lacks == "") || !strings.Contains(lacks, c.lacks) {
				t.Errorf("not proven: %q", lacks)
			}
		})
	}
}

// An extension's script is the host's, of which a set has nothing.
func TestAnExtensionThatADrillsServerCannotCreateCondemnsNoSet(t *testing.T) {
	bin := pgtest.WithExtensions(t, guarded)
	pg := pgtest.StartWith(t, pgtest.Options{BinDir: bin})
	database := pg.CreateDatabase(t)
	pg.Exec(t, database, "SET moody.may = 'yes'; CREATE EXTENSION moody")
	w := newWorldOn(t, pg, database)
	set := w.find(t, w.run(t).Manifest.ID)
	_, err := w.drill(t, set)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), `"moody"`) || !strings.Contains(fault.Remedy(err), "drill.server") {
		t.Errorf("%v (%s)", err, fault.Remedy(err))
	}
	if again := w.find(t, set.ID); again.LastFailure() != nil {
		t.Errorf("recorded: %+v", again.LastFailure())
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
