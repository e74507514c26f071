package integration

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// definition is how a database orders and encodes text, by whatever names this version's catalogue has for it.
const definition = `SELECT (to_jsonb(d) - ARRAY['oid', 'datname', 'datdba', 'datfrozenxid', 'datminmxid', 'datacl', 'dattablespace'])::text
	FROM pg_database AS d WHERE datname = current_database()`

// A server's databases have the provider and locale that it was initialised with, unless somebody says otherwise.
func TestDatabasesOfAServerInitialisedWithAnotherProviderAreDrilledAndRestoredAsTheyAre(t *testing.T) {
	kinds := []struct {
		name, provider string
		args           []string
		since          int64
		own            bool // the locale is one that the drill's own server has here
	}{
		{"icu in German", "i", []string{"--locale=de_DE.UTF-8", "--locale-provider=icu", "--icu-locale=de-DE"}, 15, false},
		{"icu", "i", []string{"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=de-DE"}, 15, true},
		{"icu with rules", "i", []string{"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=de", "--icu-rules=&a < g"}, 16, true},
		{"builtin", "b", []string{"--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}, 17, true},
		{"builtin of libc in German", "b", []string{"--locale=de_DE.UTF-8", "--locale-provider=builtin", "--builtin-locale=C"}, 17, false},
	}
	major := pgOf(t).QueryInt(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000")
	for _, kind := range kinds {
		if major < kind.since {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			pg := initialised(t, kind.args...)
			w := newWorldOn(t, pg, pg.CreateDatabase(t))
			db := w.job.Database
			pg.Exec(t, db, `CREATE TABLE t (a text PRIMARY KEY, upper text GENERATED ALWAYS AS (upper(a)) STORED);
				INSERT INTO t VALUES ('Öl'), ('Zebra'), ('Apfel'), ('ähnlich'), ('gelb'); CREATE INDEX ON t (a DESC)`)
			if got := pg.QueryString(t, db, "SELECT datlocprovider::text FROM pg_database WHERE datname = current_database()"); got != kind.provider {
				t.Fatalf("the provider is %q", got)
			}
			set := w.find(t, w.run(t).Manifest.ID)
			const order = "SELECT string_agg(a || upper, ' ' ORDER BY a) FROM t"
			if !kind.own {
				w.named(t)
			}
			for _, sql := range []string{definition, order} {
				w.job.Drill.Expect = append(w.job.Drill.Expect, config.Expectation{SQL: sql, Result: pg.QueryString(t, db, sql)})
			}
			if drilled, err := w.drill(t, set); err != nil || len(drilled.Warnings) > 0 {
				t.Errorf("drill: %+v, %v", drilled, err)
			}
			to := db + "_copy"
			got, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
			if err != nil || !got.Compared || len(got.Notes) > 0 {
				t.Fatalf("%+v, %v", got, err)
			}
			for _, sql := range []string{definition, order} {
				if was, is := pg.QueryString(t, db, sql), pg.QueryString(t, to, sql); was != is {
					t.Errorf("the copy has %s, the source %s", is, was)
				}
			}
		})
	}
}
