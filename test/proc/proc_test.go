package proc

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

func TestAChildIsSeenWithWhatItWasGivenUntilItIsGone(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	cmd.Env = []string{"CANARY=yes"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if !slices.Contains(Children(os.Getpid()), pid) {
		t.Error("it is no child of ours")
	}
	if argv, env := Strings(pid, "cmdline"), Strings(pid, "environ"); !slices.Equal(argv, []string{"sleep", "1000"}) || !slices.Equal(env, cmd.Env) {
		t.Errorf("started with %q and %q", argv, env)
	}
	if PeakRSS(pid) == 0 || Started(pid) == "" {
		t.Errorf("peak %d, started %q", PeakRSS(pid), Started(pid))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // its status says that it was killed
	if Started(pid) != "" || PeakRSS(pid) != 0 || slices.Contains(Children(os.Getpid()), pid) {
		t.Error("it is still there")
	}
}
