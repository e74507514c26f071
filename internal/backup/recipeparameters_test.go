package backup

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestTheRecipeGivesACopyItsParametersWhateverTheyHold(t *testing.T) {
	pg := pgtest.Shared(t)
	source, copied := pg.CreateDatabase(t), "it's \"x\" $$ $(id) \\ % copy"
	pg.CreateDatabaseNamed(t, copied)
	for _, setting := range []string{
		`app.region = E'eu "x" \\ ''y''\n$$ %s'`, `search_path = "odd "" name", "$user", public, "a;b"`, "default_transaction_read_only = on",
		"DateStyle = 'German, DMY'", `temp_tablespaces = ''`,
	} {
		pg.Exec(t, "postgres", "ALTER DATABASE "+source+" SET "+setting)
	}
	s, err := postgres.Connect(t.Context(), postgres.Target{Host: pg.Host, Port: pg.Port, User: pg.User, Database: source}, 0)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := s.Settings(t.Context())
	_ = s.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings.Parameters = append(settings.Parameters, postgres.Parameter{Role: "nobody here", Name: "work_mem", Value: "1MB"})
	contents, err := (&Contents{Schema: ManifestSchema, Database: &settings}).Pack()
	if err != nil || !json.Valid(contents) {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", setParameters(copied))
	cmd.Env, cmd.Stdin = pg.Env("postgres"), strings.NewReader(string(contents))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const stored = `SELECT string_agg(c, E'\n' ORDER BY c) FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c WHERE d.datname = $1`
	if got, want := pg.QueryString(t, "postgres", stored, copied), pg.QueryString(t, "postgres", stored, source); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
