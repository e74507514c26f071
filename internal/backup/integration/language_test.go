package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// germanSpeaking is a server that was initialised in German: its messages are translated.
func germanSpeaking(t *testing.T) *pgtest.Server {
	t.Helper()
	pg := initialised(t, "--locale=de_DE.UTF-8")
	if err := pg.TryExec("postgres", "SELECT * FROM nowhere"); err == nil || !strings.Contains(err.Error(), "existiert nicht") {
		t.Fatalf("the server speaks no German: %v", err)
	}
	return pg
}

// initialised is a server of these arguments of initdb, whose system has the locale de_DE.UTF-8, and speaks it.
func initialised(t *testing.T, args ...string) *pgtest.Server {
	t.Helper()
	need.Program(t, "localedef")
	locales, err := os.MkdirTemp("/tmp", "locales") //nolint:usetesting // the server is another user
	if err == nil {
		err = os.Chmod(locales, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(locales) })
	name := filepath.Join(locales, "de_DE.UTF-8")
	if out, err := exec.Command("localedef", "-i", "de_DE", "-f", "UTF-8", name).CombinedOutput(); err != nil {
		t.Fatalf("localedef: %v: %s", err, out)
	}
	return pgtest.StartWith(t, pgtest.Options{
		InitArgs: args, Env: []string{"LOCPATH=" + locales}, Settings: map[string]string{"lc_messages": "de_DE.UTF-8"},
	})
}

func TestAServerThatSpeaksGermanIsBackedUpDrilledAndRestored(t *testing.T) {
	pg := germanSpeaking(t)
	create := map[string]string{
		"libc": "CREATE DATABASE libc TEMPLATE template0",
		"icu":  "CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'",
	}
	if pg.QueryInt(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000") >= 17 {
		create["builtin"] = "CREATE DATABASE builtin TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
	}
	for name, sql := range create {
		t.Run(name, func(t *testing.T) {
			pg.Exec(t, "postgres", sql)
			pg.Exec(t, name, "CREATE TABLE t (a text PRIMARY KEY); INSERT INTO t VALUES ('Öl'), ('Zebra'), ('Apfel')")
			w := newWorldOn(t, pg, name)
			w.named(t) // a server of the drill's own would need the locale from the system
			set := w.find(t, w.run(t).Manifest.ID)
			if drilled, err := w.drill(t, set); err != nil || len(drilled.Warnings) > 0 {
				t.Errorf("drill: %+v, %v", drilled, err)
			}
			to := name + "_copy"
			got, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 1}, nil)
			if err != nil || !got.Compared {
				t.Fatalf("%+v, %v", got, err)
			}
			const locale = "SELECT concat_ws(' ', datlocprovider, datcollate, to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale') FROM pg_database AS d WHERE datname = $1"
			if was, is := pg.QueryString(t, "postgres", locale, name), pg.QueryString(t, "postgres", locale, to); was != is {
				t.Errorf("the copy is %q, the source %q", is, was)
			}
		})
	}
	t.Run("what it refuses is understood", func(t *testing.T) {
		w := newWorldOn(t, pg, "libc")
		w.job.LockWait = 200 * time.Millisecond
		conn, err := pgx.Connect(t.Context(), pg.DSN("libc"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
		if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		w.failed(t, t.Context(), fault.Temporary)
	})
}
