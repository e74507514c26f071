package postgres

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func chownLike(t *testing.T, path string, info os.FileInfo) {
	t.Helper()
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
}

// space makes a folder that the server may use as a tablespace.
func space(t *testing.T, s *pgtest.Server, name string) string {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	info, err := os.Stat(s.Data)
	if err == nil {
		err = os.Mkdir(path, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		chownLike(t, path, info)
	}
	return path
}

func globals(t *testing.T, s *pgtest.Server, withPasswords bool) string {
	t.Helper()
	p, err := tools(t, s).Globals(t.Context(), target(s, "not used"), withPasswords)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	b, err := io.ReadAll(p)
	if err == nil {
		err = p.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const roles = `CREATE ROLE "odd ""; role" LOGIN PASSWORD 'top secret' CONNECTION LIMIT 3 VALID UNTIL '2030-01-01';
	CREATE ROLE staff; CREATE ROLE anna IN ROLE staff; GRANT staff TO "odd ""; role" WITH ADMIN OPTION;
	CREATE ROLE kept LOGIN;
	COMMENT ON ROLE staff IS 'it''s; \ "odd" $$ /*';
	ALTER ROLE "odd ""; role" SET search_path = a, "B; c"; ALTER ROLE anna SET work_mem = '7MB'`

func TestGlobalsAreRestoredOnAnEmptyCluster(t *testing.T) {
	from, to := pgtest.Start(t), pgtest.Start(t)
	from.Exec(t, "postgres", roles)
	location := space(t, from, "space")
	from.Exec(t, "postgres", `CREATE TABLESPACE "far away" OWNER anna LOCATION '`+location+`'`)
	from.Exec(t, "postgres", `ALTER TABLESPACE "far away" SET (seq_page_cost = 2); GRANT CREATE ON TABLESPACE "far away" TO staff`)
	if plain := globals(t, from, false); strings.Contains(plain, "SCRAM") {
		t.Error("password verifiers without being asked")
	}
	script := globals(t, from, true)
	script = strings.ReplaceAll(script, location, space(t, to, "space"))

	c := connect(t, target(to, "postgres"))
	report, err := ApplyGlobals(t.Context(), c, strings.NewReader(script))
	if err != nil {
		t.Fatalf("%+v: %v", report, err)
	}
	if len(report.CreatedRoles) != 4 || !slices.Equal(report.ExistingRoles, []string{"postgres"}) || report.Memberships != 2 ||
		!slices.Equal(report.CreatedTablespaces, []string{"far away"}) || len(report.Ignored) > 0 {
		t.Errorf("%+v", report)
	}
	strip := func(script string) string { return strings.Join(dropLines(script, `\`, "-- "), "\n") }
	if got, want := strip(globals(t, to, true)), strip(script); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := ApplyGlobals(t.Context(), c, strings.NewReader(script))
	if err != nil || len(again.CreatedRoles) > 0 || len(again.ExistingRoles) != 5 || again.Memberships > 0 || len(again.ExistingTablespaces) != 1 {
		t.Errorf("the second time: %+v, %v", again, err)
	}
}

func dropLines(script string, prefixes ...string) []string {
	return slices.DeleteFunc(strings.Split(script, "\n"), func(line string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) })
	})
}

func TestGlobalsLeaveExistingRolesAsTheyAre(t *testing.T) {
	from, to := pgtest.Start(t), pgtest.Start(t)
	from.Exec(t, "postgres", roles)
	from.Exec(t, "postgres", "ALTER ROLE kept SUPERUSER; GRANT kept TO staff; COMMENT ON ROLE kept IS 'changed'")
	to.Exec(t, "postgres", "CREATE ROLE kept NOLOGIN; CREATE ROLE staff")
	report, err := ApplyGlobals(t.Context(), connect(t, target(to, "postgres")), strings.NewReader(globals(t, from, true)))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(report.ExistingRoles, []string{"kept", "postgres", "staff"}) || report.Memberships != 2 {
		t.Errorf("%+v", report)
	}
	if n := to.QueryInt(t, "postgres", `SELECT count(*) FROM pg_authid WHERE rolname = 'kept' AND NOT rolsuper AND NOT rolcanlogin
		AND NOT pg_has_role('staff', oid, 'MEMBER') AND shobj_description(oid, 'pg_authid') IS NULL`); n != 1 {
		t.Error("an existing role was changed")
	}
}

func TestGlobalsRunNothingButGlobals(t *testing.T) {
	s := pgtest.Start(t)
	script := `\! touch /tmp/hacked
		DROP ROLE postgres; CREATE TABLE evil (i int); ALTER SYSTEM SET archive_command = 'x'; DO $$BEGIN END$$;
		ALTER ROLE postgres NOSUPERUSER; GRANT ALL ON SCHEMA public TO PUBLIC; SET session_authorization = x;
		GRANT pg_execute_server_program TO postgres; COPY (SELECT 1) TO PROGRAM 'x'; CREATE ROLE good;
		GRANT pg_read_all_data TO good GRANTED BY "other superuser";`
	report, err := ApplyGlobals(t.Context(), connect(t, target(s, "postgres")), strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(report.CreatedRoles, []string{"good"}) || report.Memberships != 1 || len(report.Ignored) != 6 {
		t.Errorf("%+v", report)
	}
	if s.QueryInt(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'postgres' AND rolsuper") != 1 {
		t.Error("an existing role was changed")
	}
}

func TestGlobalsNameWhatFailedAndDoTheRest(t *testing.T) {
	s := pgtest.Start(t)
	script := `CREATE TABLESPACE far LOCATION '/nowhere/at/all'; ALTER TABLESPACE far SET (seq_page_cost = 2);
		CREATE ROLE a; ALTER ROLE a WITH PASSWORD 'top secret' NONSENSE; CREATE ROLE b; GRANT a TO b;`
	report, err := ApplyGlobals(t.Context(), connect(t, target(s, "postgres")), strings.NewReader(script))
	wantCode(t, err, fault.Refused)
	if len(report.Failed) != 2 || !slices.Equal(report.CreatedRoles, []string{"a", "b"}) || report.Memberships != 1 {
		t.Errorf("%+v", report)
	}
	if text := err.Error(); !strings.Contains(text, "far") || !strings.Contains(text, "folder must exist") || strings.Contains(text, "secret") {
		t.Error(text)
	}
	to := target(s, "postgres")
	s.Exec(t, "postgres", "CREATE ROLE plain LOGIN")
	to.User = "plain"
	_, err = ApplyGlobals(t.Context(), connect(t, to), strings.NewReader("CREATE ROLE c;"))
	wantCode(t, err, fault.Refused)
}

func TestUnreadableGlobalsAreAnIntegrityError(t *testing.T) {
	s := pgtest.Shared(t)
	c := connect(t, target(s, "postgres"))
	for _, script := range []string{"CREATE ROLE x", "COMMENT ON ROLE x IS 'half", "/* half", `CREATE ROLE "half`, "DO $x$ half"} {
		_, err := ApplyGlobals(t.Context(), c, strings.NewReader(script))
		wantCode(t, err, fault.Integrity)
	}
	broken := errors.New("reset")
	if _, err := ApplyGlobals(t.Context(), c, failing{broken}); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
}

func TestGlobalsWithoutTheRightToPasswordsIsNotPermitted(t *testing.T) {
	s := pgtest.Shared(t)
	to := target(s, "postgres")
	to.User = role(t, s, "")
	for withPasswords, code := range map[bool]fault.Code{true: fault.NotPermitted, false: fault.OK} {
		p, err := tools(t, s).Globals(t.Context(), to, withPasswords)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(p)
		wantCode(t, p.Wait(), code)
		p.Close()
	}
}

func TestGrantorsAreAdministratorsBeforeTheyGrant(t *testing.T) {
	script := `GRANT staff TO anna GRANTED BY chief; GRANT staff TO deputy WITH ADMIN OPTION GRANTED BY chief;
		GRANT staff TO bert GRANTED BY deputy; GRANT other TO chief; GRANT staff TO carl GRANTED BY boot;
		GRANT staff TO chief WITH ADMIN TRUE, INHERIT FALSE GRANTED BY boot; GRANT x TO y WITH ADMIN OPTION GRANTED BY y;
		GRANT r TO a WITH ADMIN OPTION GRANTED BY b; GRANT r TO b WITH ADMIN OPTION GRANTED BY a`
	var all []membership
	if err := splitSQL(strings.NewReader(script+";"), func(st statement) error {
		m, ok := asMembership(st)
		if !ok {
			t.Errorf("not read: %s", st.sql)
		}
		all = append(all, m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range administratorsFirst(all) {
		got = append(got, m.role+" "+m.member)
	}
	want := []string{"other chief", "staff carl", "staff chief", "staff anna", "staff deputy", "staff bert", "x y", "r a", "r b"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestMembershipsAreReadWhateverTheRolesAreCalled(t *testing.T) {
	for sql, want := range map[string]membership{
		`GRANT granted TO admin`:                                          {role: "granted", member: "admin", plain: "GRANT granted TO admin"},
		`GRANT admin TO granted GRANTED BY admin`:                         {role: "admin", member: "granted", grantor: "admin", plain: "GRANT admin TO granted "},
		`GRANT a TO "GRANTED" WITH ADMIN FALSE, SET TRUE GRANTED BY "by"`: {role: "a", member: "GRANTED", grantor: "by", plain: `GRANT a TO "GRANTED" WITH ADMIN FALSE, SET TRUE `},
		`GRANT a TO b WITH ADMIN OPTION, INHERIT TRUE GRANTED BY c`:       {role: "a", member: "b", grantor: "c", admin: true, plain: "GRANT a TO b WITH ADMIN OPTION, INHERIT TRUE "},
	} {
		err := splitSQL(strings.NewReader(sql+";"), func(st statement) error {
			got, ok := asMembership(st)
			if !ok || got.role != want.role || got.member != want.member || got.grantor != want.grantor || got.admin != want.admin || got.plain != want.plain {
				t.Errorf("%s: %+v", sql, got)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAGrantorThatIsMissingIsLeftOutWhateverTheRolesAreCalled(t *testing.T) {
	s := pgtest.Start(t)
	script := `CREATE ROLE granted; CREATE ROLE admin; GRANT granted TO admin WITH ADMIN OPTION GRANTED BY "who is it";`
	report, err := ApplyGlobals(t.Context(), connect(t, target(s, "postgres")), strings.NewReader(script))
	if err != nil || report.Memberships != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestARefusalNamesTheStatementAndItsRoles(t *testing.T) {
	s := pgtest.Start(t)
	script := `CREATE ROLE a; GRANT pg_monitor TO a WITH NONSENSE; GRANT a TO a; GRANT SET ON PARAMETER "no such; one" TO a;
		COMMENT ON ROLE a IS NONSENSE; SECURITY LABEL FOR nobody ON ROLE a IS 'x';`
	report, err := ApplyGlobals(t.Context(), connect(t, target(s, "postgres")), strings.NewReader(script))
	wantCode(t, err, fault.Refused)
	var got []string
	for _, failed := range report.Failed {
		title, _, _ := strings.Cut(failed, ": ")
		got = append(got, title)
	}
	want := []string{
		`GRANT ON PARAMETER "no such; one"`, `COMMENT ON ROLE "a"`, `SECURITY LABEL ON ROLE "a"`,
		`GRANT "pg_monitor" TO "a"`, `GRANT "a" TO "a"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
