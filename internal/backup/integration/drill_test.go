package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// drillFolder is a short folder that the private server's user may pass; it must be empty at the end.
func drillFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "drilltest") //nolint:usetesting // a socket's path is short
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("the drill left %v", left)
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

func (w *world) drill(t *testing.T, set *backup.Set) (*restore.Drilled, error) {
	t.Helper()
	dir := drillFolder(t)
	return restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Dir: dir, SocketDir: dir, Unconfined: true}, nil)
}

// named makes the shared server the one that drills go into; none of their databases may be left.
func (w *world) named(t *testing.T) {
	t.Helper()
	w.job.Drill.Server = config.DrillServer{Host: w.pg.Host, Port: w.pg.Port, User: w.pg.User}
	t.Cleanup(func() {
		if n := w.pg.QueryInt(t, "postgres", `SELECT count(*) FROM pg_database WHERE datname LIKE 'pgbtui\_drill\_%'`); n > 0 {
			t.Errorf("%d databases of drills are left", n)
		}
	})
}

// hardToRestore has owners, grants, policies, odd names, an extension, settings of its own.
func (w *world) hardToRestore(t *testing.T) {
	t.Helper()
	db := w.job.Database
	w.pg.Exec(t, "postgres", "CREATE ROLE owner_"+db+"; CREATE ROLE reader_"+db+"; CREATE ROLE policed_"+db)
	w.pg.Exec(t, db, sampleSchema+`
		CREATE EXTENSION pgcrypto;
		ALTER TABLE items OWNER TO owner_`+db+`;
		ALTER SCHEMA "odd ""name""" OWNER TO owner_`+db+`;
		GRANT USAGE ON SCHEMA "odd ""name""" TO reader_`+db+`;
		GRANT SELECT ON items, "odd ""name"""."数据
表" TO reader_`+db+`;
		CREATE POLICY p ON items TO policed_`+db+` USING (true);
		ALTER DATABASE `+db+` OWNER TO owner_`+db+`;
		ALTER DATABASE `+db+` SET work_mem = '8MB';
		ALTER DATABASE `+db+` CONNECTION LIMIT 0;`)
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+db+" IS_TEMPLATE true")
	t.Cleanup(func() {
		w.pg.Exec(t, "postgres", "ALTER DATABASE "+db+" IS_TEMPLATE false")
		w.pg.DropDatabase(t, db)
		w.pg.Exec(t, "postgres", "DROP ROLE owner_"+db+", reader_"+db+", policed_"+db)
	})
}

func TestADrillRestoresIntoAServerOfItsOwnProvesItAndLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.hardToRestore(t)
	w.job.Drill = config.Drill{Amcheck: true, Expect: []config.Expectation{
		{SQL: "SELECT count(*) FROM items", Result: "5000"},
		{SQL: "SHOW work_mem", Result: "8MB"},
		{SQL: "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()", Result: "owner_" + w.job.Database},
		{SQL: "SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres'", Result: "t"},
	}}
	w.env.InvocationID = strings.Repeat("ab", 16)
	set := w.find(t, w.run(t).Manifest.ID)
	drilled, err := w.drill(t, set)
	if err != nil || len(drilled.Warnings) > 0 {
		t.Fatalf("%+v, %v", drilled, err)
	}
	now := w.find(t, set.ID)
	p := now.Proofs[0]
	if level, _ := now.Proven(); level != backup.LevelRestored || p.Kind != "drill" || !p.OK || p.Rows != 6003 || p.Tables != 4 || p.Bytes == 0 ||
		p.InvocationID != w.env.InvocationID || p.Host != "testhost" || len(p.NotProven) > 0 {
		t.Errorf("%+v", p)
	}
	f := p.Drill
	if f == nil || !f.Private || !f.Amcheck || f.Expectations != 4 || f.Owners < 6 || f.Grants < 3 || f.Server == "" ||
		!slices.ContainsFunc(f.Extensions, func(e backup.DrillExtension) bool { return e.Name == "pgcrypto" && e.Source == e.Here && e.Here != "" }) {
		t.Errorf("%+v", f)
	}
	var stages []string
	for _, s := range p.Stages {
		stages = append(stages, string(s.Stage))
	}
	if got := strings.Join(stages, " "); got != "server preflight globals create restore finish compare check" {
		t.Errorf("stages: %s", got)
	}
	if e, ok := backup.RestoreTime(nil, now); !ok || e.From.Kind != "drill" {
		t.Errorf("%+v, %v", e, ok)
	}
	for _, name := range []string{event.DrillStarted, event.DrillOK} {
		if !strings.Contains(w.log.text(), "event="+name) {
			t.Errorf("no event %s", name)
		}
	}
}

func TestADrillIntoANamedServerLeavesItAsItWas(t *testing.T) {
	w := newWorld(t)
	w.hardToRestore(t)
	w.named(t)
	dead := "pgbtui_drill_" + "20200101t000000z_00000a"
	foreign := "pgbtui_drill_" + "of_somebody"
	w.pg.CreateDatabaseNamed(t, dead)
	w.pg.CreateDatabaseNamed(t, foreign)
	before := w.pg.QueryString(t, "postgres", "SELECT string_agg(rolname, ',' ORDER BY 1) FROM pg_roles")
	set := w.find(t, w.run(t).Manifest.ID)
	drilled, err := w.drill(t, set)
	if err != nil || drilled.Proof.Drill.Private || drilled.Proof.Rows != 6003 {
		t.Fatalf("%+v, %v", drilled, err)
	}
	if got := w.pg.QueryString(t, "postgres", "SELECT string_agg(rolname, ',' ORDER BY 1) FROM pg_roles"); got != before {
		t.Errorf("roles: %s, before: %s", got, before)
	}
	if w.exists(t, dead) || !w.exists(t, foreign) {
		t.Error("the copy of a killed drill is left, or somebody's database was taken for one")
	}
	w.pg.DropDatabase(t, foreign)
}

func TestADrillThatNeedsRolesWhichANamedServerLacksSaysWhatItDoesNotShow(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database
	w.pg.Exec(t, db, "CREATE ROLE gone_"+db+"; CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO gone_"+db)
	set := w.find(t, w.run(t).Manifest.ID)
	w.pg.Exec(t, db, "DROP TABLE t; DROP ROLE gone_"+db)
	w.named(t)
	drilled, err := w.drill(t, set)
	if err != nil || !slices.ContainsFunc(drilled.Proof.NotProven, func(s string) bool { return strings.Contains(s, "gone_"+db) }) {
		t.Errorf("%+v, %v", drilled, err)
	}
}

// provenWrong expects evidence against the set, and that a later good drill answers it.
func (w *world) provenWrong(t *testing.T, set *backup.Set, says string) {
	t.Helper()
	drilled, err := w.drill(t, w.find(t, set.ID))
	wantCode(t, err, fault.Integrity)
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Fatalf("%v", err)
	}
	f := w.find(t, set.ID).LastFailure()
	if drilled == nil || drilled.Recorded == "" || f == nil || f.Kind != "drill" || !strings.Contains(f.Error, says) {
		t.Errorf("%+v, recorded %+v", drilled, f)
	}
}

// provesNothing expects that the drill could not be carried out, and no evidence.
func (w *world) provesNothing(t *testing.T, set *backup.Set, want fault.Code, says string) {
	t.Helper()
	drilled, err := w.drill(t, w.find(t, set.ID))
	wantCode(t, err, want)
	if err == nil || !strings.Contains(err.Error()+fault.Remedy(err), says) || fault.Remedy(err) == "" {
		t.Errorf("%v, remedy %q", err, fault.Remedy(err))
	}
	if n := len(w.find(t, set.ID).Proofs); drilled != nil || n != len(set.Proofs) {
		t.Errorf("%d proofs, %d before", n, len(set.Proofs))
	}
	if !strings.Contains(w.log.text(), "event="+event.DrillFailed) {
		t.Error("no event tells of the failure")
	}
}

func TestWhatIsWrongWithASetIsRecordedByItsDrill(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world, *testing.T, *backup.Set)
		says   string
	}{
		"a byte of the dump": {func(w *world, t *testing.T, s *backup.Set) { w.change(t, s.Dir+s.Manifest.Dump.Key, flip(5000)) }, ""},
		"a row is missing": {func(w *world, t *testing.T, s *backup.Set) {
			w.rewriteContents(t, s, func(c *backup.Contents) { c.Archive.Data[0].Rows++ })
		}, "public.t: 5000 rows restored, 5001 dumped"},
		"an owner differs": {func(w *world, t *testing.T, s *backup.Set) {
			w.rewriteContents(t, s, func(c *backup.Contents) {
				for i, e := range c.Archive.Entries {
					if e.Desc == "TABLE" {
						c.Archive.Entries[i].Owner = "pg_monitor"
					}
				}
			})
		}, `public.t belongs to "postgres", in the dump to "pg_monitor"`},
		"a grant is missing": {func(w *world, t *testing.T, s *backup.Set) {
			w.rewriteContents(t, s, func(c *backup.Contents) {
				e := c.Archive.Entries[0]
				e.Desc, e.Namespace, e.Tag = "ACL", "public", "TABLE t"
				c.Archive.Entries = append(c.Archive.Entries, e)
			})
		}, "the grants on public.t are missing"},
		"an expectation": {func(w *world, _ *testing.T, _ *backup.Set) {
			w.job.Drill.Expect = []config.Expectation{{SQL: "SELECT count(*) > 0 FROM t", Result: "t"}, {SQL: "SELECT 'secret answer of somebody'", Result: "x"}}
		}, `expectation 2 (SELECT …): the answer is another text, of 25 bytes, not "x"`},
		"a table that is expected": {func(w *world, _ *testing.T, _ *backup.Set) {
			w.job.Drill.Expect = []config.Expectation{{SQL: "SELECT count(*) FROM orders", Result: "1"}}
		}, `relation "orders" does not exist`},
		"an answer without a row": {func(w *world, _ *testing.T, _ *backup.Set) {
			w.job.Drill.Expect = []config.Expectation{{SQL: "SELECT 1 WHERE false", Result: "1"}}
		}, "not one row: 0 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			w, set := smallSet.world(t)
			w.named(t)
			c.change(w, t, set)
			w.provenWrong(t, set, c.says)
			want := backup.FaultRestore
			if name == "a byte of the dump" {
				want = backup.FaultBytes
			}
			if f := w.find(t, set.ID).LastFailure(); f.Fault != want {
				t.Errorf("recorded as %q", f.Fault)
			}
		})
	}
}

func TestADrillThatCannotBeCarriedOutProvesNothing(t *testing.T) {
	pg, small := smallDatabase(t)
	for name, c := range map[string]struct {
		prepare func(*world, *testing.T, *backup.Set)
		code    fault.Code
		says    string
	}{
		"an extension is not installed": {func(w *world, t *testing.T, s *backup.Set) {
			w.rewriteContents(t, s, func(c *backup.Contents) {
				e := c.Archive.Entries[0]
				e.Desc, e.Tag, e.Owner = "EXTENSION", "no_such_extension", ""
				c.Archive.Entries = append(c.Archive.Entries, e)
			})
		}, fault.Refused, "no_such_extension"},
		"no server programs": {func(w *world, t *testing.T, _ *backup.Set) {
			w.job.Drill.Server = config.DrillServer{}
			w.job.Postgres.BinDir = clientsOnly(t, w)
		}, fault.Refused, "Install postgresql-"},
		"the named server is not there": {func(w *world, t *testing.T, _ *backup.Set) {
			w.job.Drill.Server.Host, w.job.ConnectWait = t.TempDir(), 0
		}, fault.Unavailable, "PostgreSQL runs"},
		"a statement that is no SQL": {func(w *world, _ *testing.T, _ *backup.Set) {
			w.job.Drill.Expect = []config.Expectation{{SQL: "SELEKT 1", Result: "1"}}
		}, fault.Config, "Correct the statement"},
		"the store refuses": {func(w *world, _ *testing.T, _ *backup.Set) {
			w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: backup.DumpName, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
		}, fault.NotPermitted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, set := smallSet.world(t)
			w.named(t)
			c.prepare(w, t, set)
			w.provesNothing(t, set, c.code, c.says)
		})
	}
	t.Run("no key", func(t *testing.T) {
		w := newWorldOn(t, pg, small)
		w.encrypt(t)
		w.provesNothing(t, w.find(t, w.run(t).Manifest.ID), fault.Refused, "age-identity")
	})
}

// clientsOnly is a folder as a machine without PostgreSQL's server package has it.
func clientsOnly(t *testing.T, w *world) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"pg_dump", "pg_dumpall", "pg_restore"} {
		if err := os.Symlink(filepath.Join(w.pg.BinDir, program), filepath.Join(dir, program)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAHostThatCannotDrillRefusesAndSaysTheWaysOut(t *testing.T) {
	need.Root(t)
	w, set := smallSet.world(t)
	dir := drillFolder(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
	_, err := restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Dir: dir, Unconfined: true}, nil)
	w.refusesToDrill(t, err, "1.0 MiB free", "spool_dir")
	facts := postgres.Facts{VersionNum: set.Manifest.Server.VersionNum, SizeBytes: set.Manifest.Server.SizeBytes}
	_, err = restore.Drillable(t.Context(), w.job, facts, restore.DrillRequest{Dir: filepath.Join(dir, "not", "there")})
	w.refusesToDrill(t, err, "1.0 MiB free", "spool_dir")
	w.job.SpoolDir = dir // where a drill by hand goes
	_, err = restore.Drillable(t.Context(), w.job, facts, restore.DrillRequest{})
	w.refusesToDrill(t, err, "1.0 MiB free", "spool_dir")

	w.job.Postgres.BinDir = clientsOnly(t, w)
	_, err = w.drill(t, set)
	w.refusesToDrill(t, err, "initdb", "Install postgresql-")
	_, err = restore.Drillable(t.Context(), w.job, facts, restore.DrillRequest{Dir: "/tmp"})
	w.refusesToDrill(t, err, "initdb", "Install postgresql-")
	if again := w.find(t, set.ID); len(again.Proofs) > 1 {
		t.Errorf("a drill that could not be carried out is evidence: %+v", again.Proofs)
	}

	w.named(t)
	if where, err := restore.Drillable(t.Context(), w.job, facts, restore.DrillRequest{Dir: dir}); err != nil || !strings.Contains(where, w.pg.Host) {
		t.Errorf("a host without server programs and room, but with a server for drills: %q, %v", where, err)
	}
}

// refusesToDrill expects a refusal, with the reason, the remedy, and the way to leave it.
func (w *world) refusesToDrill(t *testing.T, err error, reason, remedy string) {
	t.Helper()
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), reason) || !strings.Contains(fault.Remedy(err), remedy) || !strings.Contains(fault.Remedy(err), "drill.by: hand") {
		t.Errorf("%v; remedy %s", err, fault.Remedy(err))
	}
}

func TestASetOfTheOldScriptIsDrilledAndNotRecorded(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.named(t)
	w.script(t, small)
	drilled, err := w.drill(t, w.find(t, w.sets(t)[0].ID))
	if err != nil || drilled.Recorded != "" || drilled.Proof.Level != backup.LevelReadable.String() || len(drilled.Proof.NotProven) < 2 || len(drilled.Warnings) == 0 {
		t.Errorf("%+v, %v", drilled, err)
	}
}
