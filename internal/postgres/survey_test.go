package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestASurveyIsTheSameOverASessionAndAsAnotherSystemUser(t *testing.T) {
	need.Root(t)
	need.Program(t, "runuser", "psql")
	s := pgtest.Start(t)
	for _, sql := range []string{
		`CREATE DATABASE "né ""q"" $x"`, "CREATE DATABASE closed", "ALTER DATABASE closed ALLOW_CONNECTIONS false", "CREATE ROLE pgbtui",
	} {
		s.Exec(t, "postgres", sql)
	}
	server, err := Connect(t.Context(), target(s, "postgres"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close(t.Context()) }()
	own, err := server.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	as, err := SurveyAs(t.Context(), "postgres", target(s, "postgres"))
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.Remedy(err))
	}
	if diff := cmp.Diff(own, as); diff != "" {
		t.Errorf("the two differ: %s", diff)
	}
	var names []string
	for _, d := range own.Databases {
		names = append(names, d.Name)
		if d.Bytes <= 0 {
			t.Errorf("%q has %d bytes", d.Name, d.Bytes)
		}
	}
	if got := strings.Join(names, "|"); got != `né "q" $x|postgres` || !own.Superuser || !own.OwnRole || own.Major() < 14 || own.Standby {
		t.Errorf("%+v", own)
	}
}

func TestASurveyThatFailsSaysWhatToDo(t *testing.T) {
	need.Root(t)
	need.Program(t, "runuser", "psql")
	for name, c := range map[string]struct {
		user   string
		at     Target
		code   fault.Code
		remedy string
	}{
		"no server":      {"postgres", Target{Host: t.TempDir(), Database: "postgres"}, fault.Unavailable, "Start PostgreSQL"},
		"no system user": {"nobody-such", Target{Database: "postgres"}, fault.NotFound, "Install PostgreSQL on this host"},
	} {
		_, err := SurveyAs(t.Context(), c.user, c.at)
		if fault.CodeOf(err) != c.code || !strings.Contains(fault.Remedy(err), c.remedy) {
			t.Errorf("%s: %v, code %d, remedy %q", name, err, fault.CodeOf(err), fault.Remedy(err))
		}
	}
	s := pgtest.StartWith(t, pgtest.Options{HBA: "local all other reject\nlocal all all trust\n"})
	_, err := SurveyAs(t.Context(), "postgres", Target{Host: s.Host, Port: s.Port, User: "other", Database: "postgres"})
	if fault.CodeOf(err) != fault.NotPermitted || !strings.Contains(fault.Remedy(err), "pg_hba.conf") {
		t.Errorf("refused login: %v, code %d, remedy %q", err, fault.CodeOf(err), fault.Remedy(err))
	}
}
