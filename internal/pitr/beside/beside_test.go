package beside

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// copiesDir is where a test has its copies: short enough for a socket, and open to the owner of the server's files.
func copiesDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("/tmp", "copies") //nolint:usetesting // test folders are closed to the server's user, and long
	if err == nil {
		err = os.Chmod(parent, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "c")
	t.Cleanup(func() {
		copies, _ := Copies(dir)
		for _, one := range copies {
			_ = one.remove()
		}
		_ = os.RemoveAll(parent)
	})
	return dir
}

// ask asks a copy's database.
func ask(t *testing.T, c *Copy, database, sql string) string {
	t.Helper()
	session, err := postgres.Connect(t.Context(), c.Database(database), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close(t.Context()) }()
	answer, err := session.Ask(t.Context(), sql, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// now is the server's time, as it is written in WAL.
func now(t *testing.T, lab *pitrlab.Lab) time.Time {
	t.Helper()
	at, err := ParseTime(lab.Postgres.QueryString(t, "postgres", "SELECT clock_timestamp()::timestamptz(6) AT TIME ZONE 'UTC' || ' UTC'"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		t.Errorf("left: %s", entry.Name())
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if at, _ := os.Readlink(link); strings.HasPrefix(at, dir+"/") {
			t.Errorf("a process is left in %s", at)
		}
	}
}

func TestATableThatWasDroppedIsBackAsOfTheMomentBefore(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	dir := copiesDir(t)
	lab.Backup(t, config.FullBackup)
	lab.Postgres.Exec(t, "postgres", `CREATE DATABASE shop`)
	lab.Postgres.Exec(t, "shop", `CREATE TABLE "Or'ders" AS SELECT generate_series(1, 1000) AS id`)
	lab.Postgres.Exec(t, "postgres", `SELECT pg_create_restore_point('before the drop')`)
	time.Sleep(20 * time.Millisecond)
	before := now(t, lab)
	time.Sleep(20 * time.Millisecond)
	lab.Postgres.Exec(t, "shop", `DROP TABLE "Or'ders"`)
	// For a while the server had more than it has now, and than the base backup knows of.
	lab.Postgres.Exec(t, "postgres", `ALTER SYSTEM SET max_connections = 90`)
	lab.Postgres.Restart(t)
	lab.Postgres.Exec(t, "postgres", `ALTER SYSTEM RESET max_connections`)
	lab.Postgres.Restart(t)
	lab.Postgres.Exec(t, "shop", `CREATE TABLE later AS SELECT 1 AS id`)
	lab.SwitchWAL(t)

	refused(t, lab, dir, plannedEnd(t, lab, dir))

	for _, after := range []time.Duration{500 * time.Millisecond, 2500 * time.Millisecond} {
		killed(t, lab, dir, after)
	}

	var c, end *Copy
	var two sync.WaitGroup // two at once
	two.Go(func() { c = restored(t, lab, dir, Target{Time: before}) })
	two.Go(func() { end = restored(t, lab, dir, Target{End: true}) })
	two.Wait()
	if t.Failed() {
		return
	}
	if got := ask(t, end, "shop", `SELECT count(*) FROM later`); got != "1" {
		t.Errorf("%s rows at the end", got)
	}
	if seen, err := end.See(t.Context()); err != nil || !seen.Paused || end.Phase != Ready {
		t.Errorf("%+v, %v", seen, err)
	}
	if raised := end.raised(); len(raised) > 0 {
		t.Errorf("it runs with too little: %v", raised)
	}
	if got := ask(t, end, "postgres", "SHOW max_connections"); got != "90" {
		t.Errorf("max_connections is %s", got)
	}
	// The dropped table was locked by the transaction that dropped it: only a promoted copy shows it.
	if got := ask(t, c, "shop", `SELECT count(*) FROM "Or'ders"`); got != "1000" || c.Phase != Promoted {
		t.Errorf("%s rows, %s", got, c.Phase)
	}
	live := c.Live(lab.Engine)
	order := Extract{Database: "shop", Table: postgres.Table{Schema: "public", Name: "Or'ders"}, Into: "shop", Live: live}
	done, err := c.Extract(t.Context(), order)
	if err != nil || done.Rows != 1000 {
		t.Errorf("%+v, %v", done, err)
	}
	if got := lab.Postgres.QueryString(t, "shop", `SELECT count(*)::text FROM "Or'ders"`); got != "1000" {
		t.Errorf("%s rows are back", got)
	}
	if _, err := c.Extract(t.Context(), order); fault.CodeOf(err) != fault.Refused {
		t.Errorf("over what is there: %v", err)
	}
	done, err = end.Extract(t.Context(), Extract{Database: "shop", Into: "shop 'then'", Live: live})
	if err != nil || done.Tables != 1 || done.Rows != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	look, err := c.Look(t.Context(), LookOptions{Database: "shop", Amcheck: true})
	if err != nil || !strings.Contains(look.Psql, c.place().socket()) {
		t.Errorf("%+v, %v", look, err)
	}
	if i := slices.IndexFunc(look.Databases, func(d DatabaseLook) bool { return d.Name == "shop" }); i < 0 ||
		look.Databases[i].Amcheck != "good" || len(look.Databases[i].Tables) != 1 || look.Databases[i].Tables[0].Rows != 1000 {
		t.Errorf("%+v", look.Databases)
	}
	ask(t, c, "postgres", "SELECT pg_switch_wal()::text")
	ask(t, c, "postgres", "SELECT pg_sleep(1)::text")
	if archived := lab.PgBackRest(t, "repo-ls", "--recurse", "archive"); strings.Contains(archived, "00000002") {
		t.Errorf("the promoted copy has written to the live cluster's archive:\n%s", archived)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if err := c.Start(t.Context(), lab.Engine); err != nil || !c.Running() {
		t.Error(err)
	}
	for _, one := range []*Copy{c, end} {
		if err := one.Discard(); err != nil {
			t.Error(err)
		}
	}
	nothingLeft(t, dir)
}

func restored(t *testing.T, lab *pitrlab.Lab, dir string, target Target) *Copy {
	c, _, err := Restore(t.Context(), lab.Engine, Order{Target: target, Dir: dir}, nil)
	if err != nil {
		t.Errorf("%s: %v; remedy %q", target, err, fault.Remedy(err))
	}
	return c
}

// plannedEnd is the last commit, as a plan finds it, of which the restore point is looked up.
func plannedEnd(t *testing.T, lab *pitrlab.Lab, dir string) Plan {
	t.Helper()
	plan, err := Prepare(t.Context(), lab.Engine, Order{Target: Target{Name: "before the drop"}, Dir: dir}, nil)
	if err != nil || len(plan.Around) < 3 {
		t.Fatalf("%+v, %v", plan, err)
	}
	return plan
}

// refused are the targets that a server would accept and end at.
func refused(t *testing.T, lab *pitrlab.Lab, dir string, plan Plan) {
	t.Helper()
	full := func(string) (room.Disk, error) { return room.Disk{Free: 1 << 20, Size: 1 << 40}, nil }
	for name, one := range map[string]struct {
		target Target
		disks  room.Disks
		code   fault.Code
		remedy string
	}{
		"the last commit itself": {Target{Time: plan.LastKnown}, nil, fault.Refused, "--to-end"},
		"before the base backup": {Target{Time: plan.Backup}, nil, fault.NotFound, "behind"},
		"no room":                {Target{Time: plan.LastKnown.Add(-time.Microsecond)}, full, fault.NoSpace, "--at"},
	} {
		_, _, err := Restore(t.Context(), lab.Engine, Order{Target: one.target, Dir: dir}, one.disks)
		if fault.CodeOf(err) != one.code || !strings.Contains(fault.Remedy(err), one.remedy) {
			t.Errorf("%s: %v; remedy %q", name, err, fault.Remedy(err))
		}
	}
	nothingLeft(t, dir)
}
