package integration

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// fromServer is a database that restores only where the server reads text as its own does.
const fromServer = `
CREATE TABLE events (id int PRIMARY KEY, day text NOT NULL);
INSERT INTO events SELECT g, '25.12.2024' FROM generate_series(1, 20) g;
CREATE FUNCTION region() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('shop.region') $$;
CREATE MATERIALIZED VIEW days AS SELECT id, day::date AS day, '2024-12-25 00:00'::timestamptz AS at, public.region() AS region FROM events;
`

// germanServer gets its date style and parameters from its configuration, and one for all roles.
func germanServer(t *testing.T) *pgtest.Server {
	t.Helper()
	pg := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{
		"datestyle": "German, DMY", "timezone": "Asia/Tokyo", "shop.region": "eu", "bytea_output": "escape", "shop.token": "'; DROP TABLE x; --",
	}})
	pg.Exec(t, "postgres", "ALTER ROLE ALL SET intervalstyle = 'iso_8601'; ALTER ROLE ALL SET shop.wide = 'a=b, c'")
	pg.Exec(t, "postgres", "CREATE ROLE reader LOGIN IN ROLE pg_read_all_data; ALTER ROLE reader SET xmlbinary = 'hex'")
	pg.Exec(t, "postgres", "CREATE DATABASE shop TEMPLATE template0")
	pg.Exec(t, "shop", fromServer)
	pg.Exec(t, "postgres", "ALTER DATABASE shop SET bytea_output = 'hex'")
	return pg
}

func valueOf(all []postgres.Parameter, name string) string {
	i := slices.IndexFunc(all, func(p postgres.Parameter) bool { return strings.EqualFold(p.Name, name) })
	if i < 0 {
		return "not there"
	}
	return all[i].Value
}

func TestADrillHasWhatTheSourcesServerIsSetTo(t *testing.T) {
	pg := germanServer(t)
	for role, wide := range map[string]string{"postgres": "'; DROP TABLE x; --", "reader": "not there"} {
		w := newWorldOn(t, pg, "shop")
		w.job.Postgres.User = role
		set := w.find(t, w.run(t).Manifest.ID)
		contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"DateStyle": "German, DMY", "TimeZone": "Asia/Tokyo", "shop.region": "eu", "IntervalStyle": "iso_8601", "shop.wide": "a=b, c",
			"standard_conforming_strings": "on", "max_connections": "not there", "data_directory": "not there", "shop.token": wide,
		} {
			if got := valueOf(contents.Server, name); got != want {
				t.Errorf("as %s: %s is %q, not %q", role, name, got, want)
			}
		}
		if role == "reader" && valueOf(contents.Server, "xmlbinary") != "not there" {
			t.Error("a setting of the backups' role is taken for the server's")
		}
		if role == "postgres" {
			continue // one drill is enough
		}
		drilled, err := w.drill(t, set)
		if err != nil || !drilled.Proof.OK || len(drilled.Warnings) > 0 {
			t.Fatalf("as %s: code %d: %v (%s), %+v", role, fault.CodeOf(err), err, fault.Remedy(err), drilled)
		}
	}
}

// The set cannot be blamed for what the host of the drill lacks.
func TestADrillThatCannotHaveTheSourcesSettingsIsNotCarriedOut(t *testing.T) {
	pg := germanServer(t)
	w := newWorldOn(t, pg, "shop")
	set := w.find(t, w.run(t).Manifest.ID)
	contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	recorded := contents.Server
	for name, tc := range map[string]struct{ setting, lacks, remedy string }{
		"a value that the host does not know": {"datestyle", "Klingon", "drill.server"},
		"a parameter that the set lacks":      {"shop.region", "", "ALTER DATABASE"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := drillFolder(t)
			w.rewriteContents(t, w.find(t, set.ID), func(c *backup.Contents) {
				c.Server = slices.DeleteFunc(slices.Clone(recorded), func(p postgres.Parameter) bool { return strings.EqualFold(p.Name, tc.setting) })
				if tc.lacks != "" {
					c.Server = append(c.Server, postgres.Parameter{Name: tc.setting, Value: tc.lacks})
				}
			})
			_, err := restore.Drill(t.Context(), w.job, w.env, w.find(t, set.ID), restore.DrillRequest{Dir: dir, SocketDir: dir, Unconfined: true}, nil)
			wantCode(t, err, fault.Refused)
			if !strings.Contains(fault.Remedy(err), tc.remedy) || !strings.Contains(err.Error(), tc.setting) {
				t.Errorf("%v (%s)", err, fault.Remedy(err))
			}
		})
	}
}

// What stands in a set is as good as whoever wrote it.
func TestOfASetOnlySettingsThatMeanSomethingAreGivenToADrill(t *testing.T) {
	long := strings.Repeat("x", 5000)
	planted := []postgres.Parameter{
		{Name: "session_preload_libraries", Value: "evil"},
		{Name: "archive_command", Value: "rm"},
		{Name: "datestyle", Value: "ISO"},
		{Name: `a.b" = 1; DROP`, Value: "x"},
		{Name: "a.b", Value: long},
		{Name: "a.c", Value: "x\x00"},
		{Name: "a.d", Value: "\xff"},
		{Name: "a.e", Value: "good"},
		{Role: "postgres", Name: "a.f", Value: "x"},
		{Name: "Shared_Preload_Libraries", Value: "evil"},
	}
	kept := postgres.Settings{Parameters: []postgres.Parameter{{Name: "DateStyle", Value: "German"}}}.FromServer(planted)
	if len(kept.Parameters) != 1 || kept.Parameters[0].Name != "a.e" {
		t.Errorf("%+v", kept.Parameters)
	}
	for range 1000 {
		planted = append(planted, postgres.Parameter{Name: "a.e", Value: "good"})
	}
	if n := len(postgres.Meaningful(planted)); n > 200 {
		t.Errorf("%d settings", n)
	}
}
