package beside

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/pitr/backrest"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// restoreVariable holds the order of a process of this test that restores, to be killed.
const restoreVariable = "PGBTUI_TEST_BESIDE"

type restoreOrder struct {
	Tool *backrest.PgBackRest
	Dir  string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(restoreVariable); text != "" {
		os.Exit(restoreAsOrdered(text))
	}
	os.Exit(m.Run())
}

func restoreAsOrdered(text string) int {
	var order restoreOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return 2
	}
	_, _, err := Restore(context.Background(), order.Tool.Engine(), Order{Target: Target{End: true}, Dir: order.Dir}, nil)
	if err != nil {
		return 1
	}
	return 0
}

// killed restores in a process of its own, and kills it with SIGKILL that long after its record is there.
func killed(t *testing.T, lab *pitrlab.Lab, dir string, after time.Duration) {
	t.Helper()
	order, err := json.Marshal(restoreOrder{Tool: lab.Tool, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), restoreVariable+"="+string(order))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if copies, _ := Copies(dir); len(copies) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no record after a minute")
		}
	}
	time.Sleep(after)
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	copies, problems := Copies(dir)
	if len(copies) != 1 || len(problems) > 0 {
		t.Fatalf("%d copies, %v", len(copies), problems)
	}
	if state := copies[0].State(); state != Unfinished && state != Ready && state != Promoted {
		t.Errorf("killed after %s, it is %s", after, state)
	}
	if swept, err := Sweep(dir, time.Now()); err != nil {
		t.Errorf("%+v, %v", swept, err)
	}
	for _, one := range copies {
		if one.State() != Unfinished { // it was faster
			_ = one.Discard()
		}
	}
	nothingLeft(t, dir)
	if processes := naming(dir); len(processes) > 0 {
		t.Errorf("killed after %s, these are left: %q", after, processes)
	}
	if got := lab.Postgres.QueryString(t, "postgres", "SELECT pg_is_in_recovery()::text"); got != "false" {
		t.Errorf("the live server: %s", got)
	}
}

// naming are the processes with a folder in their arguments.
func naming(dir string) (lines []string) {
	out, _ := exec.Command("ps", "-eo", "args").Output()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "="+dir+"/") {
			lines = append(lines, line)
		}
	}
	return lines
}
