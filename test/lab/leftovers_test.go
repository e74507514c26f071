package lab

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestAnInterruptedOwnerLeavesNothing(t *testing.T) {
	need.All(t, "a lab")
	need.Root(t)
	cmd, name := startOwner(t)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("the owner did not die of the signal: %v", err)
	}
	if left := traces(name); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestTheNextBootRemovesAKilledOwnersLab(t *testing.T) {
	need.All(t, "a lab")
	need.Root(t)
	cmd, name := startOwner(t)
	alive, live := startOwner(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	Start(t, Options{NoPostgreSQL: true})
	if left := traces(name); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if left := traces(live); len(left) == 0 {
		t.Error("the lab of a living owner was removed")
	}
	_ = alive.Process.Signal(syscall.SIGTERM)
	_ = alive.Wait()
	if left := traces(live); len(left) > 0 {
		t.Errorf("left behind by SIGTERM: %q", left)
	}
}
