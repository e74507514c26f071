package lab

import (
	"os"
	"strings"
	"testing"
)

func TestALabOfANewerSystemIsAWholeMachine(t *testing.T) {
	for _, system := range Newer() {
		t.Run(system.String(), func(t *testing.T) {
			t.Parallel()
			l := Start(t, Options{System: system, NoPostgreSQL: true})
			if got := l.Run(t, "root", "cat", "/etc/os-release"); !strings.Contains(got, system.Suite) {
				t.Errorf("os-release: %s", got)
			}
			if failed := l.Run(t, "root", "systemctl", "list-units", "--failed", "--plain", "--no-legend"); failed != "" {
				t.Errorf("failed units:\n%s", failed)
			}
			t.Log(l.Run(t, "root", "systemctl", "--version"))
			out, err := l.Command(t.Context(), "nobody", "busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
				"org.freedesktop.systemd1.Manager", "StartUnit", "ss", "systemd-tmpfiles-clean.service", "replace").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "enied") && !strings.Contains(string(out), "authentication required") {
				t.Errorf("a stranger starts a unit: %v: %s", err, out)
			}
			l.Run(t, "root", "systemctl", "is-active", "polkit.service")
			if _, err := os.Stat(l.Root() + "/usr/lib/systemd/systemd"); err != nil {
				t.Error(err)
			}
		})
	}
}
