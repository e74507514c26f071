package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestABackupIsVerifiedAndRestoredEqual(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		w := newWorld(t)
		var identities []age.Identity
		if encrypted {
			id := w.encrypt(t)
			identities = []age.Identity{id}
		}
		w.pg.Exec(t, w.job.Database, sampleSchema)
		w.pg.Exec(t, w.job.Database, `ALTER DATABASE `+w.job.Database+` SET work_mem = '7MB'`)
		result := w.run(t)
		m := result.Manifest
		if m.Summary.Rows != 5000+1000+3 || m.Summary.Tables != 4 || m.Summary.LargeObjects != 3 || len(m.Warnings) != 0 {
			t.Fatalf("summary %+v, warnings %q", m.Summary, m.Warnings)
		}
		set := w.find(t, m.ID)
		v, err := verify.Whole(t.Context(), w.job, w.env, set, identities)
		if err != nil || v.Proof.Rows != m.Summary.Rows || v.Recorded == "" {
			t.Fatalf("verify: %+v, %v", v, err)
		}
		if level, _ := w.find(t, m.ID).Proven(); level != backup.LevelReadable {
			t.Errorf("proven %v after verification", level)
		}
		for _, jobs := range []int{1, 2} {
			to := w.job.Database + "_copy" + string(rune('0'+jobs))
			restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: jobs}, identities)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.pg.DropDatabase(t, to) })
			if !restored.Compared || restored.Rows != m.Summary.Rows || restored.Tables != 4 {
				t.Errorf("restored %+v", restored)
			}
			if got := w.pg.QueryString(t, to, "SHOW work_mem"); got != "7MB" {
				t.Errorf("the database's setting is %s", got)
			}
			if n := w.pg.QueryInt(t, to, "SELECT count(*) FROM totals"); n != 1 {
				t.Errorf("materialised view: %d", n)
			}
		}
	}
}

func TestHostileDatabaseNamesAreBackedUpAndRestoredUnderTheirOwnName(t *testing.T) {
	pg := pgtest.Shared(t)
	for _, name := range pg.Names(t, []string{
		"dbname=template1", "postgresql://x/template1", `a"b`, "x/../y", "数据库", "line\nbreak", "..", ".", "%41", "-rf", "a b; DROP", "$(id)", "\x1b]52;c;x\a", "tail/",
	}) {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			t.Parallel()
			pg.CreateDatabaseNamed(t, name)
			pg.Exec(t, name, "CREATE TABLE t AS SELECT 42 AS answer")
			w := newWorldOn(t, pg, name)
			set := w.find(t, w.run(t).Manifest.ID)
			if set.Database != name || set.Instance != w.job.Instance {
				t.Errorf("listed as %q of %q", set.Database, set.Instance)
			}
			to := name + " copy"
			t.Cleanup(func() { pg.DropDatabase(t, to) })
			if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil); err != nil {
				t.Fatal(err)
			}
			if n := pg.QueryInt(t, to, "SELECT answer FROM t"); n != 42 {
				t.Errorf("answer %d", n)
			}
		})
	}
}

func TestAnEmptyDatabaseIsABackupButNotAfterOneWithTables(t *testing.T) {
	w := newWorld(t)
	w.run(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t (a int)")
	w.run(t)
	w.pg.Exec(t, w.job.Database, "DROP TABLE t")
	before := w.keys(t)
	_, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: backup.NewID(time.Now())})
	if fault.CodeOf(err) != fault.Refused || !strings.Contains(fault.Remedy(err), "--accept-empty") {
		t.Fatalf("suddenly empty: %v", err)
	}
	w.noLitter(t, before)
	if _, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: backup.NewID(time.Now()), AcceptEmpty: true}); err != nil {
		t.Fatal(err)
	}
}

func TestARestoreNeverTouchesAnExistingDatabase(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t AS SELECT 1 AS a")
	m := w.run(t).Manifest
	for _, to := range []string{w.job.Database, "postgres", ""} {
		_, err := restore.Run(t.Context(), w.job, w.env, w.find(t, m.ID), restore.Request{To: to}, nil)
		if fault.CodeOf(err) != fault.Refused {
			t.Errorf("restore to %q: %v", to, err)
		}
	}
	if n := w.pg.QueryInt(t, w.job.Database, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("the source has %d rows", n)
	}
}

func TestMissingRolesAreNamedBeforeAnythingIsCreatedAndGlobalsBringThem(t *testing.T) {
	w := newWorld(t)
	role := "owner_" + w.job.Database
	w.pg.Exec(t, "postgres", `CREATE ROLE `+role+` LOGIN CONNECTION LIMIT 7`)
	w.pg.Exec(t, w.job.Database, `CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO `+role)
	m := w.run(t).Manifest
	w.pg.Exec(t, w.job.Database, `DROP TABLE t`)
	w.pg.Exec(t, "postgres", `DROP ROLE `+role)
	to := w.job.Database + "_copy"
	_, err := restore.Run(t.Context(), w.job, w.env, w.find(t, m.ID), restore.Request{To: to}, nil)
	if fault.CodeOf(err) != fault.Refused || !strings.Contains(err.Error(), role) || !strings.Contains(fault.Remedy(err), "--globals") {
		t.Fatalf("%v; %s", err, fault.Remedy(err))
	}
	if _, err := restore.Run(t.Context(), w.job, w.env, w.find(t, m.ID), restore.Request{To: to, Globals: true}, nil); err != nil {
		t.Fatal(err)
	}
	owner := w.pg.QueryString(t, to, "SELECT tableowner FROM pg_tables WHERE tablename = 't'")
	limit := w.pg.QueryInt(t, "postgres", "SELECT rolconnlimit FROM pg_roles WHERE rolname = '"+role+"'")
	if owner != role || limit != 7 {
		t.Errorf("owner %s, connection limit %d", owner, limit)
	}
	w.pg.DropDatabase(t, to)
	w.pg.Exec(t, "postgres", `DROP ROLE `+role)
}
