package integration

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// A limit that was set for applications holds backups back, too, unless their role is a superuser.
func TestAConnectionLimitThatIsTooSmallForABackupIsNamedAndNotTriedAgain(t *testing.T) {
	w := newWorld(t)
	db, role := w.job.Database, "limited_"+w.job.Instance
	w.pg.Exec(t, db, "CREATE TABLE t (i int); INSERT INTO t VALUES (1)")
	w.pg.Exec(t, "postgres", "CREATE ROLE "+role+" LOGIN IN ROLE pg_read_all_data")
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP ROLE "+role) })
	w.job.Postgres.User, w.job.ConnectWait = role, 0
	limit := func(of, n string) { w.pg.Exec(t, "postgres", "ALTER "+of+" CONNECTION LIMIT "+n) }
	for _, tc := range []struct{ of, limit string }{
		{"DATABASE " + db, "0"}, {"DATABASE " + db, "1"}, {"ROLE " + role, "1"},
	} {
		limit(tc.of, tc.limit)
		err := w.failed(t, t.Context(), fault.Config)
		if kind, name, _ := strings.Cut(tc.of, " "); !strings.Contains(fault.Remedy(err), "ALTER "+kind+" "+postgres.QuoteIdent(name)+" CONNECTION LIMIT 2") {
			t.Errorf("%s %s: %v (%s)", tc.of, tc.limit, err, fault.Remedy(err))
		}
		limit(tc.of, "-1")
	}
	// What is said to be enough is enough.
	limit("DATABASE "+db, "2")
	limit("ROLE "+role, "2")
	w.run(t)
	// A limit that others use up now is no fault of the configuration.
	limit("ROLE "+role, "-1")
	for range 2 {
		s, err := postgres.Connect(t.Context(), postgres.Target{Host: w.pg.Host, Port: w.pg.Port, User: role, Database: db}, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close(t.Context()) }()
	}
	err := w.failed(t, t.Context(), fault.Temporary)
	if remedy := fault.Remedy(err); !strings.Contains(remedy, "ALTER DATABASE") || strings.Contains(remedy, "max_connections") {
		t.Errorf("%v (%s)", err, remedy)
	}
	limit("DATABASE "+db, "0") // superusers are not held back
	w.job.Postgres.User = w.pg.User
	w.run(t)
}
