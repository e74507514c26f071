package integration

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// An operator's strongest role on a managed service is no superuser, but may create databases and roles.
func TestAnOrdinaryRolesRestoreIsToldWhatItMayNotDo(t *testing.T) {
	w := newWorld(t)
	admin, app, other := "admin_"+w.job.Instance, "app_"+w.job.Instance, "other_"+w.job.Instance
	w.pg.Exec(t, "postgres", "CREATE ROLE "+admin+" LOGIN CREATEDB CREATEROLE; CREATE ROLE "+app+" NOLOGIN ROLE "+admin+"; CREATE ROLE "+other)
	t.Cleanup(func() {
		for _, db := range []string{"_app", "_part", "_mine"} {
			w.pg.DropDatabase(t, w.job.Instance+db)
		}
		w.pg.DropDatabase(t, w.job.Database)
		w.pg.Exec(t, "postgres", "DROP ROLE "+app+", "+admin+", "+other)
	})
	w.pg.Exec(t, w.job.Database, `CREATE EXTENSION pg_trgm; CREATE SCHEMA app; CREATE TABLE app.t (i int); INSERT INTO app.t VALUES (1);
		CREATE SCHEMA sys; CREATE TABLE sys.t (i int); INSERT INTO sys.t VALUES (1); ALTER SCHEMA app OWNER TO `+app+"; ALTER TABLE app.t OWNER TO "+app)
	owned := w.find(t, w.run(t).Manifest.ID)
	w.pg.Exec(t, w.job.Database, "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION file_fdw; CREATE FOREIGN DATA WRAPPER fdw; "+
		"ALTER TABLE sys.t OWNER TO "+other)
	untrusted := w.find(t, w.run(t).Manifest.ID)
	superuser := w.job.Postgres.User
	w.job.Postgres.User = admin
	to := w.job.Instance

	if c := w.check(t, owned, restore.Request{To: to + "_x"}, "owners"); c.OK || !strings.HasSuffix(c.Detail, superuser) || !strings.Contains(c.Remedy, "--no-owner") {
		t.Errorf("%+v", c)
	}
	if c := w.check(t, untrusted, restore.Request{To: to + "_x", NoOwner: true}, "rights"); c.OK || strings.Contains(c.Detail, "pg_trgm") ||
		!strings.Contains(c.Detail, "extension file_fdw, extension pg_stat_statements, foreign data wrapper fdw") || !strings.Contains(c.Remedy, "superuser") {
		t.Errorf("%+v", c)
	}
	_, err := restore.Run(t.Context(), w.job, w.env, untrusted, restore.Request{To: to + "_x"}, nil)
	wantCode(t, err, fault.Refused)
	if w.exists(t, to+"_x") || !strings.Contains(err.Error(), other) || !strings.Contains(fault.Remedy(err), "--no-owner") {
		t.Errorf("%v (%s)", err, fault.Remedy(err))
	}
	// What is said to work works.
	for name, req := range map[string]restore.Request{
		"_app":  {To: to + "_app", Schemas: []string{"app"}},
		"_mine": {To: to + "_mine", NoOwner: true},
	} {
		set := map[string]*backup.Set{"_app": untrusted, "_mine": owned}[name]
		for _, check := range []string{"owners", "rights"} {
			if c := w.check(t, set, req, check); !c.OK {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if restored, err := restore.Run(t.Context(), w.job, w.env, set, req, nil); err != nil || !restored.Compared {
			t.Errorf("%s: %v (%s)", name, err, fault.Remedy(err))
		}
	}
	// A superuser is asked nothing of this.
	w.job.Postgres.User = superuser
	checks, _, err := restore.Preflight(t.Context(), w.job, w.env, untrusted, restore.Request{To: to + "_x"}, nil)
	if err != nil || slices.ContainsFunc(checks, func(c restore.Check) bool { return c.Name == "rights" || !c.OK }) {
		t.Errorf("%+v, %v", checks, err)
	}
}
