package seed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// loaded is a new server with one seeded database: Load changes roles, which a shared server keeps.
func loaded(t *testing.T, options Options) (*pgtest.Server, string) {
	t.Helper()
	server := pgtest.Start(t)
	db := server.CreateDatabase(t)
	if err := Load(t.Context(), server.DSN(db), options); err != nil {
		t.Fatal(err)
	}
	return server, db
}

func TestTheSizeIsTheOneAskedFor(t *testing.T) {
	const want = 96 << 20
	server, db := loaded(t, Options{SizeBytes: want})
	got := server.QueryInt(t, db, "SELECT pg_database_size(current_database())")
	if got < want*8/10 || got > want*12/10 {
		t.Errorf("%d bytes, asked for %d", got, want)
	}
	rows := server.QueryString(t, db, `SELECT string_agg(format('%s: %s rows, %s bytes', relid::regclass, n, size), E'\n')
		FROM (SELECT parent AS relid, sum(reltuples) AS n, sum(pg_total_relation_size(oid)) AS size FROM
			(SELECT oid, reltuples, coalesce(pg_partition_root(oid), oid) AS parent FROM pg_class WHERE relkind = 'r' AND relnamespace >= 16384) parts
			GROUP BY parent ORDER BY size DESC LIMIT 6) big`)
	t.Log("\n" + rows)
}

func TestEveryKindOfObjectIsThere(t *testing.T) {
	server, db := loaded(t, Options{})
	for what, sql := range map[string]string{
		"schemas":             "SELECT count(*) FROM pg_namespace WHERE oid >= 16384",
		"extensions":          "SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'",
		"partitions":          "SELECT count(*) FROM pg_class WHERE relispartition",
		"large objects":       "SELECT count(*) FROM pg_largeobject_metadata",
		"generated columns":   "SELECT count(*) FROM pg_attribute WHERE attgenerated <> ''",
		"identity columns":    "SELECT count(*) FROM pg_attribute WHERE attidentity <> ''",
		"materialised views":  "SELECT count(*) FROM pg_matviews",
		"row security":        "SELECT count(*) FROM pg_policies",
		"default privileges":  "SELECT count(*) FROM pg_default_acl",
		"column grants":       "SELECT count(*) FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384",
		"database settings":   "SELECT count(*) FROM pg_db_role_setting WHERE setdatabase <> 0",
		"role settings":       "SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = 0",
		"triggers":            "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal",
		"inheritance":         "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE NOT relispartition",
		"exclusion":           "SELECT count(*) FROM pg_constraint WHERE contype = 'x'",
		"foreign tables":      "SELECT count(*) FROM pg_foreign_table",
		"names with newlines": `SELECT count(*) FROM pg_class WHERE relname ~ '\n'`,
		"roles":               "SELECT count(*) FROM pg_roles WHERE oid >= 16384",
	} {
		if n := server.QueryInt(t, db, sql); n == 0 {
			t.Errorf("no %s", what)
		}
	}
}

func TestTheSameSeedGivesTheSameDump(t *testing.T) {
	server, one := loaded(t, Options{Seed: 7})
	two := server.CreateDatabase(t)
	if err := Load(t.Context(), server.DSN(two), Options{Seed: 7}); err != nil {
		t.Fatalf("a second database in the same cluster: %v", err)
	}
	if a, b := dump(t, server, one), dump(t, server, two); a != b {
		t.Error("the dumps differ")
	}
	other := server.CreateDatabase(t)
	if err := Load(t.Context(), server.DSN(other), Options{Seed: 8}); err != nil {
		t.Fatal(err)
	}
	if dump(t, server, one) == dump(t, server, other) {
		t.Error("another seed gave the same rows")
	}
}

func TestADumpOfItRestoresWithoutAnError(t *testing.T) {
	server, db := loaded(t, Options{})
	copied := server.CreateDatabase(t)
	archive := filepath.Join(t.TempDir(), "dump")
	command(t, server, db, "pg_dump", "-Fc", "-Z0", "-f", archive)
	command(t, server, copied, "pg_restore", "--exit-on-error", "-d", copied, archive)
	if got := server.QueryInt(t, copied, "SELECT count(*) FROM sales.orders"); got == 0 {
		t.Error("no orders in the copy")
	}
}

func TestRolesCanBeDroppedOnceTheDatabaseIsGone(t *testing.T) {
	server, db := loaded(t, Options{})
	server.DropDatabase(t, db)
	for _, role := range Roles() {
		server.Exec(t, "postgres", `DROP ROLE "`+strings.ReplaceAll(role, `"`, `""`)+`"`)
	}
	if left := server.QueryInt(t, "postgres", "SELECT count(*) FROM pg_roles WHERE oid >= 16384"); left != 0 {
		t.Errorf("%d roles of the seed are not in Roles()", left)
	}
}

// dump is the plain dump without the lines that no two dumps share.
func dump(t *testing.T, server *pgtest.Server, db string) string {
	t.Helper()
	text := command(t, server, db, "pg_dump")
	lines := strings.Split(text, "\n")
	kept := lines[:0]
	for _, line := range lines {
		if !strings.HasPrefix(line, `\restrict `) && !strings.HasPrefix(line, `\unrestrict `) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func command(t *testing.T, server *pgtest.Server, db, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(server.BinDir, program), args...)
	cmd.Env = server.Env(db)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out)
}
