package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// rolesSchema uses three roles in all the ways that pg_dump writes: %1 owns, %2 and %3 are granted
// rights and named by policies.
const rolesSchema = `
CREATE SCHEMA s AUTHORIZATION %1; CREATE TABLE s.t (a int, b int); ALTER TABLE s.t OWNER TO %1;
CREATE FUNCTION s.f("to" int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION s.f OWNER TO %2; GRANT EXECUTE ON FUNCTION s.f TO %3;
GRANT USAGE ON SCHEMA s TO %2; GRANT SELECT, UPDATE (a) ON s.t TO %2 WITH GRANT OPTION;
SET ROLE %2; GRANT SELECT ON s.t TO %3; RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE %1 IN SCHEMA s GRANT SELECT ON TABLES TO %2;
ALTER DEFAULT PRIVILEGES FOR ROLE %2 REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE POLICY p ON s.t FOR SELECT TO %2, %3 USING (a > 0 AND current_user <> ' TO app; '); CREATE POLICY q ON s.t USING (true);
CREATE TYPE s.y AS ENUM ('a'); ALTER TYPE s.y OWNER TO %3; CREATE SEQUENCE s.q; ALTER SEQUENCE s.q OWNER TO %1;
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER srv TO %2;
CREATE USER MAPPING FOR %2 SERVER srv OPTIONS (password 'GRANT x TO app');
INSERT INTO s.t VALUES (1, 2);
`

// uses are who owns, may do and is named by what in a database.
const usesQuery = `SELECT string_agg(DISTINCT r.rolname || ' ' || d.deptype::text || ' ' || pg_describe_object(d.classid, d.objid, d.objsubid), E'\n')
	FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
	WHERE d.refclassid = 'pg_authid'::regclass AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

const aclQuery = `SELECT coalesce(string_agg(pg_get_userbyid(a.grantor) || ' ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END
		|| ' ' || a.privilege_type || a.is_grantable, E'\n' ORDER BY 1), '') FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.relname = 't'`

// swapped is a listing with the new names for the old, its lines sorted again.
func swapped(text string, roles map[string]string) string {
	for _, old := range slices.Sorted(maps.Keys(roles)) {
		text = strings.ReplaceAll(text, old, roles[old])
	}
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestRolesAreMappedInAllThatTheyOwnMayDoAndAreNamedBy(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database
	old := []string{"app " + db, `b" TO "x; -- ` + db, "пользователь\n" + db}
	if len(w.pg.Names(t, old)) < len(old) {
		old[2] = "пользователь " + db
	}
	renamed := []string{"new_" + db, "new; DROP TABLE x; '" + db, `new"3" ` + db}
	roles := map[string]string{}
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	schema := rolesSchema
	for i := range old {
		roles[old[i]] = renamed[i]
		w.pg.Exec(t, "postgres", "CREATE ROLE "+quote(old[i])+"; CREATE ROLE "+quote(renamed[i]))
		schema = strings.ReplaceAll(schema, "%"+string(rune('1'+i)), quote(old[i]))
	}
	w.pg.Exec(t, db, schema)
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+quote(db)+" OWNER TO "+quote(old[0])+"; GRANT CREATE ON DATABASE "+quote(db)+" TO "+quote(old[1])+
		"; ALTER ROLE "+quote(old[2])+" IN DATABASE "+quote(db)+" SET work_mem TO '5MB'")
	uses, acls := w.pg.QueryString(t, db, usesQuery), w.pg.QueryString(t, db, aclQuery)
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.job.Instance + "_mapped"
	drop := func() {
		w.pg.DropDatabase(t, to)
		w.pg.DropDatabase(t, db)
		for i := range old {
			w.pg.Exec(t, "postgres", "DROP ROLE IF EXISTS "+quote(old[i])+", "+quote(renamed[i]))
		}
	}
	t.Cleanup(drop)
	for name, req := range map[string]restore.Request{
		"whole": {}, "by parallel sessions": {Jobs: 2}, "a part": {Schemas: []string{"s"}},
	} {
		req.To, req.Roles = to, roles
		w.pg.DropDatabase(t, to)
		restored, err := restore.Run(t.Context(), w.job, w.env, set, req, nil)
		if err != nil || !restored.Compared {
			t.Fatalf("%s: %+v, %v", name, restored, err)
		}
		for _, q := range []struct{ what, query, source string }{{"uses", usesQuery, uses}, {"grants", aclQuery, acls}} {
			want, got := swapped(q.source, roles), swapped(w.pg.QueryString(t, to, q.query), nil)
			if name == "a part" && q.what == "uses" {
				want = without(want, "server srv", "new functions") // of no schema
			}
			if got != want {
				t.Errorf("%s: %s are\n%s\nwant\n%s", name, q.what, got, want)
			}
		}
		if got := w.pg.QueryString(t, "postgres", "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1", to); got != renamed[0] {
			t.Errorf("%s: the database belongs to %q", name, got)
		}
		if n := w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_roles AS r ON r.oid = s.setrole JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = $1 AND r.rolname = $2", to, renamed[2]); n != 1 {
			t.Errorf("%s: the setting of a role did not follow", name)
		}
	}
	// The old roles are untouched, and need not exist.
	if got := w.pg.QueryString(t, db, usesQuery); got != uses {
		t.Errorf("the source changed:\n%s", got)
	}
	w.pg.DropDatabase(t, to)
	w.pg.DropDatabase(t, db)
	for _, name := range old {
		w.pg.Exec(t, "postgres", "DROP ROLE "+quote(name))
	}
	if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Roles: roles}, nil); err != nil {
		t.Error(err)
	}
	w.pg.DropDatabase(t, to)
	delete(roles, old[1])
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Roles: roles}, nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), old[1]) || strings.Contains(err.Error(), old[0]) || w.exists(t, to) {
		t.Errorf("the unmapped role: %v", err)
	}
}

func without(text string, words ...string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
	})
	return strings.Join(lines, "\n")
}
