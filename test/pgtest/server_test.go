package pgtest

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServerIsUsableStoppedKilledAndStartedAgain(t *testing.T) {
	s := Start(t)
	db := s.CreateDatabase(t)
	s.Exec(t, db, "CREATE TABLE a (i int); INSERT INTO a SELECT generate_series(1, 10)")
	s.Restart(t)
	s.Kill(t)
	if s.TryExec(db, "SELECT 1") == nil {
		t.Fatal("a killed server answered")
	}
	s.Run(t)
	if n := s.QueryInt(t, db, "SELECT count(*) FROM a"); n != 10 {
		t.Fatalf("rows after a crash = %d", n)
	}
}

func TestHostileDatabaseNamesAreLiteral(t *testing.T) {
	s := Shared(t)
	for _, name := range []string{"dbname=template1", "postgresql://x", `a"b`, "x/../y", "数据库", "a\nb", `it's \ a`} {
		s.CreateDatabaseNamed(t, name)
		if got := s.QueryString(t, name, "SELECT current_database()"); got != name {
			t.Errorf("connected to %q, want %q", got, name)
		}
	}
}

// The child is this test binary: it starts a server, prints where, and is killed.
func TestNothingIsLeftWhenTheTestBinaryIsKilled(t *testing.T) {
	if os.Getenv("PGTEST_CHILD") == "1" {
		s := Shared(t)
		os.Stdout.WriteString("\nSERVER " + s.Dir + " " + strconv.Itoa(s.cmd.Process.Pid) + "\n")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	binDir(t)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PGTEST_CHILD=1")
	out, _ := cmd.Output()
	_, line, ok := strings.Cut(string(out), "SERVER ")
	if !ok {
		t.Fatalf("child did not start a server: %s", out)
	}
	f := strings.Fields(line)
	runs := func() bool { // a zombie that nobody has waited for yet has no command line
		b, _ := os.ReadFile("/proc/" + f[1] + "/cmdline")
		return len(b) > 0
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, err := os.Stat(f[0]); err == nil || runs(); _, err = os.Stat(f[0]) {
		if time.Now().After(deadline) {
			t.Fatalf("still there: %s or process %s", f[0], f[1])
		}
		time.Sleep(50 * time.Millisecond)
	}
}
