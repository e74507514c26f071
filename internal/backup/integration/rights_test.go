package integration

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What a restore must not give away: a superuser's rights, or those that come close.

// trapSchema is what a role without any rights can leave for a restore to find: each routine runs with its
// owner's rights, and says whose those are.
const trapSchema = `
CREATE SCHEMA trap AUTHORIZATION %1; GRANT USAGE ON SCHEMA trap TO PUBLIC; SET ROLE %1;
CREATE TABLE trap.secret AS SELECT 'secret' AS word;
CREATE FUNCTION trap.who() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
CREATE FUNCTION trap.reads() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT word FROM trap.secret';
CREATE PROCEDURE trap.does() LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN ALTER ROLE %1 SUPERUSER; END';
CREATE FUNCTION trap.add(text, text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
CREATE AGGREGATE trap.sum(text) (SFUNC = trap.add, STYPE = text, INITCOND = '');
CREATE FUNCTION trap.fires() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
	'BEGIN IF session_user = ''%1'' THEN ALTER ROLE %1 SUPERUSER; END IF; END';
RESET ROLE; CREATE EVENT TRIGGER fires ON ddl_command_start EXECUTE FUNCTION trap.fires();
`

// as is what a statement says to somebody who logged in as the role, or its error.
func (w *world) as(t *testing.T, role, database, sql string) (string, error) {
	t.Helper()
	cmd := exec.Command(filepath.Join(w.pg.BinDir, "psql"), "-XAtqw", "-vON_ERROR_STOP=1", "-c", sql)
	cmd.Env = append(append(cmd.Environ(), w.pg.Env(database)...), "PGUSER="+role)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (w *world) trapped(t *testing.T) (set *backup.Set, role string) {
	t.Helper()
	role = "trapper_" + w.job.Database
	w.pg.Exec(t, "postgres", "CREATE ROLE "+role+" LOGIN")
	w.pg.Exec(t, w.job.Database, strings.ReplaceAll(trapSchema, "%1", role))
	t.Cleanup(func() {
		w.pg.DropDatabase(t, w.job.Database)
		w.pg.Exec(t, "postgres", "DROP ROLE "+role)
	})
	return w.find(t, w.run(t).Manifest.ID), role
}

func TestNobodyGetsASuperusersRightsByARestoreWithoutOwners(t *testing.T) {
	w := newWorld(t)
	set, role := w.trapped(t)
	to := w.job.Database + "_bare"
	for name, req := range map[string]restore.Request{
		"whole": {}, "by parallel sessions": {Jobs: 2}, "a part": {Schemas: []string{"trap"}}, "by request": {ForOperator: true},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.pg.DropDatabase(t, to)
			req.To, req.NoOwner = to, true
			if restored, err := restore.Run(t.Context(), w.job, w.env, set, req, nil); err != nil || !restored.Compared {
				t.Fatalf("%+v, %v", restored, err)
			}
			if _, err := w.as(t, role, to, "SELECT 1"); err == nil {
				t.Error("whoever likes may connect")
			}
			// A person makes the copy useful, as people do.
			w.pg.Exec(t, to, "GRANT CONNECT, TEMPORARY ON DATABASE "+to+" TO PUBLIC; GRANT USAGE ON SCHEMA trap TO PUBLIC")
			for _, sql := range []string{"SELECT trap.who()", "SELECT trap.reads()", "CALL trap.does()", "SELECT trap.sum('a')", "SELECT trap.add('a', 'b')"} {
				if got, err := w.as(t, role, to, sql); err == nil {
					t.Errorf("%s: %s", sql, got)
				}
			}
			_, _ = w.as(t, role, to, "CREATE TEMPORARY TABLE t (a int)") // fires the trigger
			if w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = $1 AND rolsuper", role) != 0 {
				t.Fatal("the role is a superuser now")
			}
			if owner := w.pg.QueryString(t, to, "SELECT string_agg(DISTINCT pg_get_userbyid(proowner), ' ') FROM pg_proc WHERE pronamespace = 'trap'::regnamespace"); owner != postgres.NobodyRole {
				t.Errorf("routines belong to %s", owner)
			}
			// Even granted, they run with nobody's rights.
			w.pg.Exec(t, to, "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA trap TO PUBLIC")
			if got, err := w.as(t, role, to, "SELECT trap.who()"); err != nil || got != postgres.NobodyRole {
				t.Errorf("runs as %q, %v", got, err)
			}
			if _, err := w.as(t, role, to, "CALL trap.does()"); err == nil {
				t.Error("a superuser was made")
			}
		})
	}
}

func TestARoleThatMayDoMoreThanNothingIsNotMadeTheOwner(t *testing.T) {
	w, set := smallSet.world(t)
	for _, more := range []string{"LOGIN", "SUPERUSER", "CREATEROLE", "IN ROLE pg_read_server_files"} {
		w.pg.Exec(t, "postgres", "DROP ROLE IF EXISTS "+postgres.NobodyRole+"; CREATE ROLE "+postgres.NobodyRole+" "+more)
		_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: w.job.Instance + "_bare", NoOwner: true}, nil)
		wantCode(t, err, fault.Refused)
		if err == nil || !strings.Contains(err.Error(), postgres.NobodyRole) || w.exists(t, w.job.Instance+"_bare") {
			t.Errorf("%s: %v", more, err)
		}
	}
	w.pg.Exec(t, "postgres", "DROP ROLE "+postgres.NobodyRole)
}

// pg_restore creates each object as itself, and gives it to its owner by the next statement.
func TestNobodyGetsIntoANewDatabaseBeforeEverythingInItHasItsOwner(t *testing.T) {
	w := newWorld(t)
	set, role := w.trapped(t)
	to := w.job.Database + "_copy"
	defer w.pg.DropDatabase(t, to)
	got, tried := error(nil), false
	w.atFirst(s3server.OpGetObject, backup.DumpName, func() *s3server.Fault {
		if w.exists(t, to) {
			tried = true
			_, got = w.as(t, role, to, "SELECT 1")
		}
		return nil
	})
	if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil); err != nil {
		t.Fatal(err)
	}
	if !tried || got == nil {
		t.Errorf("tried: %v, %v", tried, got)
	}
	if _, err := w.as(t, role, to, "SELECT trap.who()"); err != nil {
		t.Errorf("the finished copy lets nobody in: %v", err)
	}
	if n := w.pg.QueryInt(t, "postgres", "SELECT datconnlimit FROM pg_database WHERE datname = $1", to); n != -1 {
		t.Errorf("a limit of %d connections is left", n)
	}
}

func TestARequestMapsNobodyToARoleWithRightsOverTheServer(t *testing.T) {
	w := newWorld(t)
	set, role := w.trapped(t)
	db := w.job.Database
	made := []string{
		"super_" + db + " SUPERUSER", "programs_" + db + " IN ROLE pg_execute_server_program", "reads_" + db + " IN ROLE pg_read_server_files",
		"makes_" + db + " CREATEROLE", "copies_" + db + " REPLICATION", "passes_" + db + " BYPASSRLS", "monitors_" + db + " IN ROLE pg_monitor",
	}
	made = append(made, "heir_"+db+" NOINHERIT IN ROLE programs_"+db)
	granted := w.pg.QueryInt(t, "postgres", "SELECT current_setting('server_version_num')::int") >= 150000 // GRANT … ON PARAMETER
	if granted {
		made = append(made, "sets_"+db, "alters_"+db, "setheir_"+db+" IN ROLE sets_"+db)
	}
	made = append(made, "plain_"+db+" CREATEDB") // last, since it gets the database
	for _, m := range made {
		w.pg.Exec(t, "postgres", "CREATE ROLE "+m)
	}
	if granted {
		w.pg.Exec(t, "postgres", "GRANT SET ON PARAMETER session_preload_libraries TO sets_"+db+"; GRANT ALTER SYSTEM ON PARAMETER archive_command TO alters_"+db)
	}
	to := db + "_mapped"
	t.Cleanup(func() {
		w.pg.DropDatabase(t, to)
		for _, m := range made {
			name, _, _ := strings.Cut(m, " ")
			w.pg.Exec(t, "postgres", "DROP OWNED BY "+name+"; DROP ROLE "+name)
		}
	})
	for _, m := range append([]string{w.pg.User}, made...) {
		name, _, _ := strings.Cut(m, " ")
		_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Roles: map[string]string{role: name}, ForOperator: true}, nil)
		if name == "plain_"+db {
			if err != nil {
				t.Errorf("to an ordinary role: %v", err)
			}
			continue
		}
		wantCode(t, err, fault.Refused)
		if err == nil || !strings.Contains(err.Error(), name) || w.exists(t, to) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARequestGivesNobodyWhatAnotherMayDoOnTheServer(t *testing.T) {
	w := newWorld(t)
	_, role := w.trapped(t)
	w.pg.Exec(t, w.job.Database, "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO "+role)
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.job.Database + "_mapped"
	req := restore.Request{To: to, Roles: map[string]string{role: role}, ForOperator: true}
	_, err := restore.Run(t.Context(), w.job, w.env, set, req, nil)
	wantCode(t, err, fault.Refused)
	if err == nil || !strings.Contains(err.Error(), "own functions") || w.exists(t, to) {
		t.Error(err)
	}
}

func TestRolesThatARequestCreatesHaveNothingButTheirNames(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database
	id := w.encrypt(t) // so that passwords are in the set
	w.pg.Exec(t, "postgres", "CREATE ROLE gone_"+db+" SUPERUSER LOGIN CREATEROLE PASSWORD 'known' IN ROLE pg_write_server_files; CREATE ROLE team_"+db+
		"; GRANT team_"+db+" TO gone_"+db+"; CREATE ROLE unused_"+db+" SUPERUSER; ALTER ROLE gone_"+db+" SET work_mem = '5MB'")
	w.pg.Exec(t, db, "CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO gone_"+db+"; GRANT SELECT ON t TO team_"+db)
	set := w.find(t, w.run(t).Manifest.ID)
	w.pg.Exec(t, db, "DROP TABLE t")
	drop := func() {
		w.pg.DropDatabase(t, db+"_copy")
		w.pg.Exec(t, "postgres", "DROP ROLE IF EXISTS gone_"+db+", team_"+db+", unused_"+db)
	}
	drop()
	t.Cleanup(drop)
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: db + "_copy", Globals: true, ForOperator: true}, []age.Identity{id})
	if err != nil || len(restored.Globals) != 2 || !strings.Contains(strings.Join(restored.Notes, "\n"), "by name only") {
		t.Fatalf("%+v, %v", restored, err)
	}
	if n := w.pg.QueryInt(t, "postgres", `SELECT count(*) FROM pg_authid AS r WHERE rolname IN ($1, $2, $3) AND (rolname = $3 OR rolsuper OR rolcreaterole OR rolcanlogin OR rolpassword IS NOT NULL
		OR EXISTS (SELECT FROM pg_db_role_setting WHERE setrole = r.oid) OR pg_has_role(r.oid, 'pg_write_server_files', 'MEMBER'))`, "gone_"+db, "team_"+db, "unused_"+db); n != 0 {
		t.Errorf("%d roles have more than their names", n)
	}
	if n := w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_auth_members WHERE roleid = $1::text::regrole AND member = $2::text::regrole", "team_"+db, "gone_"+db); n != 1 {
		t.Error("the membership between them did not come")
	}
}

func TestARequestTakesAnotherHostsWordOnlyWhenItIsSigned(t *testing.T) {
	w, set := smallSet.world(t)
	here := w.job
	here.Instance = "another"
	to := w.job.Instance + "_stranger"
	_, err := restore.Run(t.Context(), here, w.env, set, restore.Request{To: to, ForOperator: true}, nil)
	wantCode(t, err, fault.Refused)
	if err == nil || !strings.Contains(err.Error(), "another instance") || w.exists(t, to) {
		t.Error(err)
	}
	set.Signature = backup.SignatureGood
	defer w.pg.DropDatabase(t, to)
	if _, err := restore.Run(t.Context(), here, w.env, set, restore.Request{To: to, ForOperator: true}, nil); err != nil {
		t.Error(err)
	}
}

func TestARequestTouchesNoneOfTheServersOwnDatabasesNorNamesThatReplacementsGive(t *testing.T) {
	w, set := partsSet.world(t)
	rows := restore.Request{ForOperator: true, DataOnly: true, Tables: []string{"sales.orders"}}
	for _, name := range []string{"postgres", "template1"} {
		rows.To, rows.Confirm = name, name
		_, err := restore.Run(t.Context(), w.job, w.env, set, rows, nil)
		wantCode(t, err, fault.Refused)
		if err == nil || !strings.Contains(err.Error(), "server's own") {
			t.Error(err)
		}
	}
	for _, name := range []string{"shop_before_20261123T020000Z", "shop_undone_20261123T020000Z", "shop_restored_1a2b3c"} {
		_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{ForOperator: true, To: name}, nil)
		wantCode(t, err, fault.Refused)
		if w.exists(t, name) {
			t.Errorf("%s was created", name)
		}
	}
}

func TestRowsIntoALiveDatabaseWantItsNameTyped(t *testing.T) {
	w, set := partsSet.world(t)
	for _, confirm := range []string{"", "other"} {
		_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: w.job.Database, Confirm: confirm, DataOnly: true, Tables: []string{"sales.orders"}}, nil)
		wantCode(t, err, fault.Refused)
		if err == nil || !strings.Contains(err.Error(), "not confirmed") {
			t.Error(err)
		}
	}
}

// The function of a table's owner does what only a superuser may: it makes its owner one.
func TestRowsByRequestRunNoCodeOfTheTablesOwners(t *testing.T) {
	w := newWorld(t)
	role := "tenant_" + w.job.Database
	w.pg.Exec(t, "postgres", "CREATE ROLE "+role)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE notes AS SELECT i AS id, (SELECT string_agg(md5(i * n || ''), '') FROM generate_series(1, 10000) AS n) AS pad "+
		"FROM generate_series(1, 10) AS i; ALTER TABLE notes OWNER TO "+role) // more than is fetched with the list of contents
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.pg.CreateDatabase(t)
	t.Cleanup(func() {
		w.pg.DropDatabase(t, w.job.Database)
		w.pg.DropDatabase(t, to)
		w.pg.Exec(t, "postgres", "DROP ROLE "+role)
	})
	w.pg.Exec(t, to, "CREATE SCHEMA trap AUTHORIZATION "+role+"; SET ROLE "+role+
		"; CREATE FUNCTION trap.takes() RETURNS bool LANGUAGE plpgsql AS 'BEGIN RESET ROLE; ALTER ROLE "+role+" SUPERUSER; RETURN true; END'; RESET ROLE; "+
		"CREATE TABLE notes (id int CHECK (trap.takes()), pad text); ALTER TABLE notes OWNER TO "+role)
	req := restore.Request{To: to, Confirm: to, DataOnly: true, Tables: []string{"notes"}, ForOperator: true}
	_, err := restore.Run(t.Context(), w.job, w.env, set, req, nil)
	wantCode(t, err, fault.Refused)
	if err == nil || !strings.Contains(err.Error(), "trap.takes()") || !strings.Contains(fault.Remedy(err), "command line") {
		t.Error(err)
	}
	if n := w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname = $1", role); n != 0 {
		t.Error("the tables' owner became a superuser")
	}
	w.pg.Exec(t, to, "TRUNCATE notes; ALTER TABLE notes DROP CONSTRAINT notes_check")
	if r, err := restore.Run(t.Context(), w.job, w.env, set, req, nil); err != nil || r.Rows != 10 {
		t.Errorf("without that constraint: %+v, %v", r, err)
	}

	// Its owner adds the constraint behind the check, when the rows are fetched.
	w.pg.Exec(t, to, "TRUNCATE notes")
	tried := error(nil)
	w.onRequest(func(op s3server.Op, path string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.Contains(path, backup.DumpName) &&
			w.pg.QueryInt(t, to, "SELECT count(*) FROM pg_locks WHERE granted AND relation = 'notes'::regclass") > 0 {
			tried = w.pg.TryExec(to, "SET lock_timeout = '50ms'; SET ROLE "+role+"; ALTER TABLE notes ADD CHECK (trap.takes()) NOT VALID")
		}
		return nil
	})
	if r, err := restore.Run(t.Context(), w.job, w.env, set, req, nil); err != nil || r.Rows != 10 {
		t.Errorf("while a constraint was to be added: %+v, %v", r, err)
	}
	if tried == nil || !strings.Contains(tried.Error(), "55P03") {
		t.Errorf("adding a constraint while rows come: %v", tried)
	}
}
