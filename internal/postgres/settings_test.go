package postgres

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// servers are all servers of this machine: the packaged one, and those that the glob
// PGBTUI_TEST_SERVERS names (folders with initdb and postgres), one for each major version.
func servers(t *testing.T, test func(t *testing.T, s *pgtest.Server)) {
	dirs, err := filepath.Glob(os.Getenv("PGBTUI_TEST_SERVERS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("packaged", func(t *testing.T) { test(t, pgtest.Shared(t)) })
	for _, dir := range dirs {
		t.Run(dir, func(t *testing.T) { test(t, pgtest.StartWith(t, pgtest.Options{BinDir: dir})) })
	}
}

// define gives a database everything that Settings keep.
func define(t *testing.T, s *pgtest.Server, db string) {
	t.Helper()
	owner, member := role(t, s, ""), role(t, s, "")
	q := QuoteIdent(db)
	s.Exec(t, "postgres", "ALTER DATABASE "+q+" OWNER TO "+owner+`;
		REVOKE ALL ON DATABASE `+q+" FROM PUBLIC; GRANT CONNECT, CREATE ON DATABASE "+q+" TO "+member+` WITH GRANT OPTION;
		REVOKE TEMPORARY ON DATABASE `+q+" FROM "+owner+`;
		ALTER DATABASE `+q+` SET search_path = "$user", public, 'Odd, "one"', 'UPPER';
		ALTER DATABASE `+q+` SET temp_tablespaces = '';
		ALTER DATABASE `+q+` SET "my.Setting" = 'it''s \ "quoted", listed';
		ALTER DATABASE `+q+` SET default_transaction_read_only = on;
		ALTER DATABASE `+q+` SET DateStyle = 'ISO, DMY';
		ALTER ROLE `+member+" IN DATABASE "+q+` SET work_mem = '12MB';
		ALTER ROLE `+member+" IN DATABASE "+q+` SET search_path = a, "B c";
		COMMENT ON DATABASE `+q+` IS 'it''s \ a comment';
		ALTER DATABASE `+q+` CONNECTION LIMIT 17`)
	t.Cleanup(func() { s.Exec(t, "postgres", "ALTER DATABASE "+q+" OWNER TO postgres") })
}

func TestSettingsMakeAnEqualDatabaseUnderAnotherName(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		source, copied := s.CreateDatabase(t), `copy "of" `+random()
		define(t, s, source)
		before, err := connect(t, target(s, source)).Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var stored Settings
		b, err := json.Marshal(before)
		if err == nil {
			err = json.Unmarshal(b, &stored)
		}
		if err != nil || !reflect.DeepEqual(stored, before) {
			t.Fatalf("JSON loses something: %s: %v", b, err)
		}
		main := connect(t, target(s, "postgres"))
		if err := main.CreateDatabase(t.Context(), copied, stored); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.DropDatabase(t, copied) })
		for _, apply := range []func(context.Context, string, Settings) ([]string, error){main.ApplyParameters, main.ApplySettings} {
			problems, err := apply(t.Context(), copied, stored)
			if err != nil || len(problems) > 0 {
				t.Fatalf("%q, %v", problems, err)
			}
		}
		after, err := connect(t, target(s, copied)).Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		if len(before.Parameters) != 7 || len(before.Grants) != 4 || before.ConnLimit != 17 {
			t.Errorf("the source was not read whole: %s", b)
		}
	})
}

func TestSettingsOfAnUntouchedDatabaseAreTheDefaults(t *testing.T) {
	s := pgtest.Shared(t)
	c, err := connect(t, target(s, s.CreateDatabase(t))).Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{Owner: "postgres", Tablespace: "pg_default", ConnLimit: -1, Locale: Locale{Encoding: "UTF8", Collate: "C.UTF-8", Ctype: "C.UTF-8", Provider: "libc"}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestForeignLocalesAreKept(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		c := connect(t, target(s, "postgres"))
		f, err := c.Facts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		options := []string{"ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"}
		if f.Major() >= 15 {
			options = append(options, "LOCALE_PROVIDER icu ICU_LOCALE 'de' LC_COLLATE 'C' LC_CTYPE 'C'")
		}
		if f.Major() >= 17 {
			options = append(options, "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'")
		}
		for _, o := range options {
			source, copied := "l_"+random(), "l_"+random()
			if err := s.TryExec("postgres", "CREATE DATABASE "+source+" TEMPLATE template0 "+o); err != nil {
				t.Logf("not supported by this server's build: %s: %v", o, err)
				continue
			}
			t.Cleanup(func() { s.DropDatabase(t, source); s.DropDatabase(t, copied) })
			before, err := connect(t, target(s, source)).Settings(t.Context())
			if err == nil {
				err = c.CreateDatabase(t.Context(), copied, before)
			}
			if err != nil {
				t.Fatalf("%s: %v", o, err)
			}
			after, err := connect(t, target(s, copied)).Settings(t.Context())
			if diff := cmp.Diff(before.Locale, after.Locale); diff != "" || err != nil {
				t.Errorf("%s: %v\n%s", o, err, diff)
			}
		}
	})
}

func TestCreateDatabaseRefusesWhatItCannotDo(t *testing.T) {
	s := pgtest.Shared(t)
	c, name := connect(t, target(s, "postgres")), s.CreateDatabase(t)
	wantCode(t, c.CreateDatabase(t.Context(), name, Settings{}), fault.Refused)
	wantCode(t, c.CreateDatabase(t.Context(), "", Settings{}), fault.Usage)
	wantCode(t, c.CreateDatabase(t.Context(), strings.Repeat("x", 64), Settings{}), fault.Usage)
	wantCode(t, c.CreateDatabase(t.Context(), "new", Settings{Tablespace: "missing"}), fault.Refused)
	wantCode(t, c.CreateDatabase(t.Context(), "new", Settings{Locale: Locale{Collate: "xx_XX", Ctype: "xx_XX"}}), fault.Refused)
	to := target(s, "postgres")
	to.User = role(t, s, "")
	wantCode(t, connect(t, to).CreateDatabase(t.Context(), "new", Settings{}), fault.NotPermitted)
	if found, err := c.Exists(t.Context(), "new"); found || err != nil {
		t.Errorf("a refused database exists: %v", err)
	}
}

func TestApplySettingsNamesWhatTheServerRefuses(t *testing.T) {
	s := pgtest.Shared(t)
	c, name := connect(t, target(s, "postgres")), s.CreateDatabase(t)
	problems, err := c.ApplySettings(t.Context(), name, Settings{
		Owner: "nobody", ConnLimit: 5, Comment: "kept", CustomACL: true,
		Grants: []Grant{{Privilege: "CONNECT"}, {Role: "x", Privilege: "ALL ON DATABASE postgres TO PUBLIC; --"}},
	})
	if err != nil || len(problems) != 2 || !strings.Contains(strings.Join(problems, ""), `role "nobody" does not exist`) {
		t.Errorf("%q, %v", problems, err)
	}
	if n := s.QueryInt(t, "postgres", "SELECT datconnlimit FROM pg_database WHERE datname = $1", name); n != 5 {
		t.Errorf("what was possible was not done: limit %d", n)
	}
}

func TestFactsTellSizeRightsAndWhatADumpWouldStumbleOver(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		reader := role(t, s, "") // dropped after what refers to it
		db := s.CreateDatabase(t)
		s.Exec(t, db, `CREATE TABLE a (i int); ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE TABLE b AS SELECT generate_series(1, 10000);
			GRANT SELECT ON a TO `+reader+`; SELECT lo_from_bytea(0, 'x'); SELECT lo_from_bytea(4711, 'x'); GRANT SELECT ON LARGE OBJECT 4711 TO `+reader)
		admin, err := connect(t, target(s, db)).Facts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if admin.SystemIdentifier == "" || !admin.Superuser || !admin.BypassRLS || !admin.ReadAllData ||
			admin.Tables != 2 || admin.Unreadable != 0 || admin.RowSecurity != 0 || admin.LargeObjects != 2 || admin.Unowned != 0 {
			t.Errorf("superuser: %+v", admin)
		}
		if admin.SizeBytes < 1<<20 || len(admin.Tablespaces) != 1 || admin.Tablespaces[0] != (Tablespace{"pg_default", admin.SizeBytes}) ||
			admin.InRecovery || admin.Database != db || !strings.HasPrefix(admin.Version, "1") || admin.Major() < 13 {
			t.Errorf("server: %+v", admin)
		}
		to := target(s, db)
		to.User = reader
		plain, err := connect(t, to).Facts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if plain.Role != reader || plain.Superuser || plain.BypassRLS || plain.ReadAllData ||
			plain.Tables != 2 || plain.Unreadable != 1 || plain.RowSecurity != 1 || plain.LargeObjects != 2 || plain.Unowned != 1 {
			t.Errorf("plain role: %+v", plain)
		}
	})
}

// pg_read_all_data covers large objects from 19 on: pg_dump itself says what is right.
func TestLargeObjectsAreMissedExactlyWherePgDumpMissesThem(t *testing.T) {
	s := pgtest.Shared(t)
	reader := role(t, s, "")
	s.Exec(t, "postgres", "GRANT pg_read_all_data TO "+reader)
	db := s.CreateDatabase(t)
	s.Exec(t, db, "SELECT lo_from_bytea(0, 'x')")
	to := target(s, db)
	to.User = reader
	f, err := connect(t, to).Facts(t.Context())
	if err != nil || f.LargeObjects != 1 {
		t.Fatalf("%+v, %v", f, err)
	}
	_, dumped := tryDump(t, tools(t, s), to, DumpOptions{})
	if (f.Unowned == 0) != (dumped == nil) {
		t.Errorf("%d of 1 large objects cannot be read; pg_dump: %v", f.Unowned, dumped)
	}
}

func TestFactsDivideASizeByTablespace(t *testing.T) {
	s := pgtest.Start(t)
	db := s.CreateDatabase(t)
	location := filepath.Join(s.Data, "..", "space")
	if err := os.Mkdir(location, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(location, 0o777); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		info, err := os.Stat(s.Data)
		if err != nil {
			t.Fatal(err)
		}
		chownLike(t, location, info)
	}
	s.Exec(t, "postgres", "CREATE TABLESPACE far LOCATION '"+location+"'")
	s.Exec(t, db, "CREATE TABLE a TABLESPACE far AS SELECT generate_series(1, 10000) AS i")
	f, err := connect(t, target(s, db)).Facts(t.Context())
	if err != nil || len(f.Tablespaces) != 2 || f.Tablespaces[1].Name != "far" || f.Tablespaces[1].SizeBytes < 300_000 ||
		f.Tablespaces[0].SizeBytes+f.Tablespaces[1].SizeBytes != f.SizeBytes {
		t.Errorf("%+v, %v", f.Tablespaces, err)
	}
}

func TestListsAreTakenApartAsTheServerStoresThem(t *testing.T) {
	for list, want := range map[string][]string{
		"":                       nil,
		`""`:                     {""},
		`"$user", public`:        {"$user", "public"},
		`a,"b, c" , "d""e",  f `: {"a", "b, c", `d"e`, "f"},
	} {
		if got := splitList(list); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
