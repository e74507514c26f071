package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// half starts a dump of a bulky table and reads its beginning, so that pg_dump is in mid-COPY.
func half(t *testing.T, ctx context.Context, s *pgtest.Server, db string) *Process {
	t.Helper()
	p, err := tools(t, s).Dump(ctx, target(s, db), DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	if _, err := io.ReadFull(p, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAServerKilledInMidDumpIsUnavailable(t *testing.T) {
	s := pgtest.Start(t)
	db := s.CreateDatabase(t)
	bulky(t, s, db)
	for name, fail := range map[string]func(){
		"terminated": func() {
			s.QueryInt(t, "postgres", "SELECT count(pg_terminate_backend(pid, 0)) FROM pg_stat_activity WHERE datname = $1", db)
		},
		"killed":  func() { s.Kill(t) },
		"stopped": func() { s.Stop(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s.Run(t)
			p := half(t, t.Context(), s, db)
			fail()
			if _, err := io.Copy(io.Discard, p); err != nil {
				t.Fatal(err)
			}
			wantCode(t, p.Wait(), fault.Unavailable)
		})
	}
	s.Run(t)
}

func TestACancelledDumpLeavesNoProcessAndNoBackend(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	bulky(t, s, db)
	why := fault.New(fault.Terminated, "told to stop", "", nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	p := half(t, ctx, s, db)
	cancel(why)
	err := p.Wait() // nobody reads: it must end all the same
	if !errors.Is(err, why) {
		t.Errorf("err = %v", err)
	}
	gone(t, s, db)
}

func TestClosingADumpEndsIt(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	bulky(t, s, db)
	leaks := goleak.IgnoreCurrent()
	p := half(t, t.Context(), s, db)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if p.Wait() == nil {
		t.Error("half a dump is called whole")
	}
	goleak.VerifyNone(t, leaks)
	gone(t, s, db)
}

func gone(t *testing.T, s *pgtest.Server, db string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for s.QueryInt(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", db) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("backends are left")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// The child is this test binary: it starts a dump that nobody reads, and is killed.
func TestADumpDoesNotOutliveUs(t *testing.T) {
	if host := os.Getenv("PGBTUI_TEST_CHILD_HOST"); host != "" {
		to := Target{Host: host, Port: os.Getenv("PGBTUI_TEST_CHILD_PORT"), User: "postgres", Database: os.Getenv("PGBTUI_TEST_CHILD_DB")}
		p, err := Tools{Dir: os.Getenv("PGBTUI_TEST_CHILD_BIN")}.Dump(t.Context(), to, DumpOptions{})
		if err == nil {
			_, err = io.ReadFull(p, make([]byte, 1<<20))
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	bulky(t, s, db)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PGBTUI_TEST_CHILD_HOST="+s.Host, "PGBTUI_TEST_CHILD_PORT="+s.Port,
		"PGBTUI_TEST_CHILD_DB="+db, "PGBTUI_TEST_CHILD_BIN="+s.BinDir)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() >= 0 {
		t.Fatalf("child was not killed: %v\n%s", err, out)
	}
	gone(t, s, db)
}

func TestDumpSaysWhyItMayNotRead(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	plain, reader := role(t, s, ""), role(t, s, "")
	s.Exec(t, "postgres", "GRANT pg_read_all_data TO "+reader)
	s.Exec(t, db, "CREATE TABLE a (i int)")
	dumpAs := func(user string) error {
		to := target(s, db)
		to.User = user
		_, err := tryDump(t, tools(t, s), to, DumpOptions{})
		return err
	}
	check := func(err error, remedy string) {
		t.Helper()
		wantCode(t, err, fault.NotPermitted)
		if got := fault.Remedy(err); !strings.Contains(got, remedy) {
			t.Errorf("remedy %q, want %q", got, remedy)
		}
	}
	check(dumpAs(plain), "pg_read_all_data")
	if err := dumpAs(reader); err != nil {
		t.Errorf("pg_read_all_data is not enough: %v", err)
	}
	s.Exec(t, db, "SELECT lo_from_bytea(0, 'x')")
	if s.Major(t) < 19 { // there pg_read_all_data is enough
		check(dumpAs(reader), "LARGE OBJECT")
	}
	s.Exec(t, db, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata; ALTER TABLE a ENABLE ROW LEVEL SECURITY")
	check(dumpAs(reader), "BYPASSRLS")
	s.Exec(t, "postgres", "ALTER ROLE "+reader+" BYPASSRLS")
	if err := dumpAs(reader); err != nil {
		t.Errorf("BYPASSRLS is not enough: %v", err)
	}
}

func TestDumpGivesUpOnALockedTable(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	s.Exec(t, db, "CREATE TABLE a (i int)")
	c := connect(t, target(s, db))
	for _, sql := range []string{"BEGIN", "LOCK TABLE public.a IN ACCESS EXCLUSIVE MODE"} {
		if err := c.exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	_, err := tryDump(t, tools(t, s), target(s, db), DumpOptions{LockWait: 50 * time.Millisecond})
	wantCode(t, err, fault.Temporary)
}

func TestDumpOfADamagedTableIsAnIntegrityError(t *testing.T) {
	s := pgtest.Start(t)
	db := s.CreateDatabase(t)
	s.Exec(t, db, "CREATE TABLE a AS SELECT generate_series(1, 10000) AS i")
	path := s.QueryString(t, db, "SELECT pg_relation_filepath('a')")
	s.Stop(t)
	f, err := os.OpenFile(filepath.Join(s.Data, path), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 100), 8192+10); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s.Run(t)
	_, err = tryDump(t, tools(t, s), target(s, db), DumpOptions{})
	wantCode(t, err, fault.Integrity)
}

// stand writes shell scripts in the programs' place.
func stand(t *testing.T, version, script string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) %s'; exit; fi\n%s\n", version, script)
	for _, program := range clientPrograms.programs {
		if err := os.WriteFile(filepath.Join(dir, program), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStandardErrorIsBoundedAndHandedOn(t *testing.T) {
	dir := stand(t, "15.1", `i=0; while [ $i -lt 1000 ]; do echo "line $i" >&2; i=$((i+1)); done
		head -c 1000000 /dev/zero | tr '\0' x >&2; echo >&2; printf 'pg_dump: error: No space left on device' >&2; exit 1`)
	var lines []string
	_, err := tryDump(t, Tools{Dir: dir}, Target{}, DumpOptions{OnLine: func(l string) { lines = append(lines, l) }})
	wantCode(t, err, fault.NoSpace)
	var exit *ExitError
	if !errors.As(err, &exit) || len(exit.Lines) != keptLines || len(lines) != 1002 || len(lines[1000]) != lineBytes {
		t.Errorf("%d lines, error: %v", len(lines), err)
	}
}

func TestTheFirstErrorIsNotPushedOutByWhatFollowsIt(t *testing.T) {
	dir := stand(t, "15.1", `echo 'pg_dump: reading' >&2; echo 'pg_dump: error: permission denied for table salaries' >&2
		i=0; while [ $i -lt 100 ]; do echo "line $i of the statement" >&2; i=$((i+1)); done; echo 'pg_dump: error: the last' >&2; exit 1`)
	_, err := tryDump(t, Tools{Dir: dir}, Target{}, DumpOptions{})
	var exit *ExitError
	if !errors.As(err, &exit) || len(exit.Lines) != keptLines || !strings.Contains(exit.Lines[0], "salaries") ||
		exit.Lines[keptLines-1] != "pg_dump: error: the last" {
		t.Errorf("error: %v", err)
	}
}

func TestPgRestoreRefusesServersThatAreTooOldOrTooNewForIt(t *testing.T) {
	for _, c := range []struct {
		client, server int
		works          bool
	}{{15, 15, true}, {16, 15, true}, {17, 15, false}, {17, 16, false}, {18, 16, false}, {17, 17, true}, {18, 17, true}, {19, 18, true}, {17, 19, true}, {18, 19, false}, {18, 18, true}} {
		err := Tools{Major: c.client}.CheckInto(c.server)
		if c.works != (err == nil) {
			t.Errorf("%d into %d: %v", c.client, c.server, err)
		}
		if package_ := fmt.Sprintf("postgresql-client-%d ", c.server); err != nil && !strings.Contains(fault.Remedy(err), package_) {
			t.Errorf("remedy %q", fault.Remedy(err))
		}
	}
}

// Servers 15 and 17 were seen to keep it, in minor versions of 2026; pg_dump 17 leaves it out, pg_dump 18 does not.
func TestADumpThatNewerServersDoNotKnowIsForeseen(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	s.Exec(t, db, `CREATE TABLE t (a int); UPDATE pg_attribute SET attoptions = '{n_distinct=5,pg_attver=7}'
		WHERE attrelid = 't'::regclass AND attname = 'a'`)
	f, err := connect(t, target(s, db)).Facts(t.Context())
	if err != nil || !f.ColumnVersions {
		t.Errorf("%+v, %v", f, err)
	}
	s.Exec(t, db, "ALTER TABLE t DROP COLUMN a")
	if f, err = connect(t, target(s, db)).Facts(t.Context()); err != nil || f.ColumnVersions {
		t.Errorf("of a dropped column: %+v, %v", f, err)
	}
	for _, c := range []struct {
		client, server int
		kept, works    bool
	}{{15, 15, true, true}, {17, 17, true, true}, {18, 17, true, false}, {18, 17, false, true}, {19, 17, true, false}, {19, 18, true, true}, {17, 15, false, false}} {
		err := Tools{Major: c.client}.CheckFrom(Facts{VersionNum: c.server * 10000, ColumnVersions: c.kept})
		if c.works != (err == nil) || err != nil && !strings.Contains(fault.Remedy(err), fmt.Sprintf("postgresql-client-%d ", c.server)) {
			t.Errorf("pg_dump %d of server %d: %v (%s)", c.client, c.server, err, fault.Remedy(err))
		}
	}
}

func TestAProgramKilledByTheSystemIsAnError(t *testing.T) {
	_, err := tryDump(t, Tools{Dir: stand(t, "15.1", "kill -9 $$")}, Target{}, DumpOptions{})
	wantCode(t, err, fault.Failed)
	if !strings.Contains(fault.Remedy(err), "out-of-memory") {
		t.Errorf("remedy %q", fault.Remedy(err))
	}
	_, err = Tools{Dir: t.TempDir()}.Dump(t.Context(), Target{}, DumpOptions{})
	wantCode(t, err, fault.Failed)
}

func TestAProgramThatIgnoresTERMIsKilledWithItsChildren(t *testing.T) {
	dir := stand(t, "15.1", `trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000`)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Tools{Dir: dir}.Dump(ctx, Target{}, DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscan(p, &child); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := p.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
		if len(b) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a child is left")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestFindToolsPicksTheOldestThatIsNewEnough(t *testing.T) {
	var dirs []string
	for _, v := range []string{"17.2", "14.5 (Debian 14.5-1)", "16beta1", "13.3"} {
		dirs = append(dirs, stand(t, v, ""))
	}
	for server, want := range map[int]int{13: 13, 14: 14, 15: 16, 16: 16, 17: 17} {
		got, err := clientPrograms.in(t.Context(), dirs, server)
		if err != nil || got.Major != want {
			t.Errorf("server %d: %+v, %v", server, got, err)
		}
	}
	_, err := clientPrograms.in(t.Context(), dirs, 18)
	wantCode(t, err, fault.Refused)
	for _, text := range []string{"14.5 (Debian", "17.2", dirs[0]} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error does not name %q: %v", text, err)
		}
	}
	if !strings.Contains(fault.Remedy(err), "postgresql-client-18") {
		t.Errorf("remedy %q", fault.Remedy(err))
	}
}

func TestFindToolsSearchesOnlyAConfiguredFolder(t *testing.T) {
	_, err := FindTools(t.Context(), stand(t, "14.1", ""), 15)
	wantCode(t, err, fault.Refused)
	_, err = FindTools(t.Context(), t.TempDir(), 13)
	wantCode(t, err, fault.Refused)
}

func TestFindToolsFindsTheInstalledOnesAndNotTheWrapper(t *testing.T) {
	s := pgtest.Shared(t)
	f, err := connect(t, target(s, "postgres")).Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := FindTools(t.Context(), "", f.Major())
	if err != nil || found.Major < f.Major() {
		t.Fatalf("%+v, %v", found, err)
	}
	wrapped := t.TempDir()
	for _, program := range clientPrograms.programs {
		if err := os.Symlink(filepath.Join(wrapped, "pg_wrapper"), filepath.Join(wrapped, program)); err != nil {
			t.Fatal(err)
		}
	}
	script := "#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n"
	if err := os.WriteFile(filepath.Join(wrapped, "pg_wrapper"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := clientPrograms.in(t.Context(), []string{wrapped}, 13); err == nil {
		t.Error("pg_wrapper was taken for pg_dump")
	}
}
