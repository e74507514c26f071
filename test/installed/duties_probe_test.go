package installed

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What the code of each unit, and other code of its user, can read: a probe in the place of the program finds out.

// codeReadsItsOwnAlone puts a probe in the place of each unit's program, with all its settings. All of them run at
// once, so that each could find what the others have.
func (h *host) codeReadsItsOwnAlone(t *testing.T) {
	for _, name := range []string{"signing-key", "age-identity", "database-password", "alert-urls", "heartbeat-url"} {
		h.secret(t, secretDir+name, planted()[name]+"\n")
	}
	environment := "AWS_SESSION_TOKEN=" + planted()["environment's key"] +
		"\nPGPASSWORD=" + planted()["environment's password"] +
		"\nSLACK_WEBHOOK_URL=http://" + planted()["environment's hook"] + "\n"
	if err := h.lab.WriteFile("/etc/pgbtui/environment", environment, 0o600); err != nil {
		t.Fatal(err)
	}
	h.root(t, "mkdir", "-p", "-m", "0755", probeDir)
	for unit := range duties() {
		h.dropIn(t, unit, "[Service]\nExecStart=\nExecStart=/usr/local/bin/prober hold\nExecStopPost=\n"+
			"WatchdogSec=0\nRestart=no\nTimeoutStartSec=infinity\n")
	}
	for unit := range duties() {
		h.begin(t, unit)
	}
	for unit := range duties() {
		until(t, unit+" to run", func() error {
			if now := h.show(t, unit); now["MainPID"] == "0" {
				return fmt.Errorf("%s", standing(now))
			}
			return nil
		})
	}
	h.root(t, "touch", probeLook)
	for unit, want := range duties() {
		if got := h.probed(t, unit); !slices.Equal(got, want) {
			t.Errorf("code in %s reads %q, want %q", unit, got, want)
		}
	}
	for user, want := range shells() {
		if got := foundBy(h.lab.Run(t, user, "prober", "scan")); !slices.Equal(got, want) {
			t.Errorf("user %s reads %q while the units run, want %q", user, got, want)
		}
	}
	h.root(t, "touch", probeEnd)
	for unit := range duties() {
		h.ends(t, unit, "success", "0")
	}
	for user := range shells() {
		got := foundBy(h.lab.Run(t, user, "prober", "scan"))
		if got = slices.DeleteFunc(got, func(name string) bool { return name == "people" }); len(got) > 0 {
			t.Errorf("user %s reads %q when no unit runs", user, got)
		}
	}
	h.root(t, "rm", "/etc/pgbtui/environment")
}

// probed is what the probe in a unit's place has found.
func (h *host) probed(t *testing.T, unit string) (found []string) {
	t.Helper()
	until(t, "the probe in "+unit, func() error {
		lines := h.lastLines(t, unit)
		if _, _, there := strings.Cut(lines, "found: "); !there {
			return errStillLooking
		}
		found = foundBy(lines)
		return nil
	})
	return found
}

func foundBy(lines string) []string {
	_, names, _ := strings.Cut(lines, "found: ")
	names, _, _ = strings.Cut(names, "\n")
	if names = strings.TrimSpace(names); names == "" {
		return nil
	}
	return strings.Split(names, ", ")
}

// memoryIsHidden: a program of the same user, outside of any unit, cannot look into a run's memory and environment.
func (h *host) memoryIsHidden(t *testing.T) {
	h.root(t, "systemctl", "stop", "store.service")
	defer h.root(t, "systemctl", "start", "store.service")
	cmd := h.lab.Command(t.Context(), "pgbtui", "env", "AWS_MAX_ATTEMPTS=50", "pgbtui", "verify", "latest")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	until(t, "the run to hide its memory", func() error {
		out, err := h.lab.Output(t.Context(), "pgbtui", "sh", "-c", `stat -c %U /proc/$(pgrep -u pgbtui -x pgbtui)/environ`)
		if strings.TrimSpace(out) != "root" {
			return fmt.Errorf("it belongs to %q: %w", out, err)
		}
		return nil
	})
	for _, file := range []string{"environ", "mem", "maps", "root/etc/hostname"} {
		code, said := h.refused(t, "pgbtui", "sh", "-c", `head -c 1 /proc/$(pgrep -u pgbtui -x pgbtui)/`+file)
		if !strings.Contains(said, "ermission denied") {
			t.Errorf("/proc/PID/%s: exit %d: %s", file, code, said)
		}
	}
}
