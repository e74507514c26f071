package installed

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// The drill in its sandbox: by its timer, beside other units of its user, and stopped in the middle.

const weekly = "postgres-backup-drill@production"

// holdsRestore waits until the drill's pg_restore runs, and stops it there.
func (h *host) holdsRestore(t *testing.T, unit string) {
	t.Helper()
	for range 10 * patience {
		if _, err := h.lab.Output(t.Context(), "root", "pkill", "-STOP", "-u", "pgbtui", "-x", "pg_restore"); err == nil {
			return
		}
	}
	t.Fatalf("nothing is restored: %s\n%s", standing(h.show(t, unit)), h.lastLines(t, unit))
}

// nothingOfADrill looks for what a drill's server could leave, once systemd has cleared its unit away.
func (h *host) nothingOfADrill(t *testing.T) {
	t.Helper()
	until(t, "the drill's server to be gone", func() error {
		return h.finds(t, `pgrep -l -u pgbtui-drill; pgrep -l -u pgbtui -x postgres
			systemctl list-units --all --plain --no-legend 'postgres-drill-server@*'
			find /run/pgbtui-drill -mindepth 1 ! -name control ! -path '/run/pgbtui-drill/root*'
			find /var/lib/pgbtui/drill -mindepth 1 ! -path '*/drill/documents*'; ls -d /var/tmp/pgbtui-server-* /tmp/pgbtui-server-* /tmp/systemd-private-*drill* /var/tmp/systemd-private-*drill*
			find / -xdev -name 'canary-of-mallory'; find /dev/shm /run -name 'canary-of-mallory'`)
	})
}

// finds is an error with everything that a script for the shell prints.
func (h *host) finds(t *testing.T, script string) error {
	t.Helper()
	if out := h.root(t, "sh", "-c", "{ "+script+"; } 2>/dev/null; true"); out != "" {
		return fmt.Errorf("%s", out)
	}
	return nil
}

func (h *host) drillsEveryWeek(t *testing.T) {
	set := h.setsOf(t, "production")[0].ID
	console := h.open(t, operator)
	if frame := console.sees(t, "production", "stored"); strings.Contains(frame, "restored") {
		t.Error("something is shown as restored before anything was")
	}
	h.dropIn(t, weekly+".timer", "[Timer]\nRandomizedDelaySec=0\n")
	h.root(t, "touch", "-d", "8 days ago", "/var/lib/systemd/timers/stamp-"+weekly+".timer")
	if out := h.root(t, "pgbtui", "units", "install", "--enable", "production,shop"); !strings.Contains(out, weekly+".timer") {
		t.Errorf("what the installation says of drills:\n%s", out)
	}
	if state := h.show(t, "postgres-backup-drill@shop.timer")["ActiveState"]; state != "inactive" {
		t.Errorf("drills of shop are for people, and its timer is %s", state)
	}
	h.holdsRestore(t, weekly+".service")
	until(t, "progress", func() error {
		if status := h.show(t, weekly+".service")["StatusText"]; !strings.HasPrefix(status, "drill: restore ") {
			return fmt.Errorf("status %q", status)
		}
		return nil
	})
	environment := h.root(t, "sh", "-c", `for p in $(pgrep -u pgbtui-drill; pgrep -u pgbtui -x pg_restore); do tr '\0' '\n' </proc/$p/environ; done`)
	for _, secret := range append(canaries(), "NOTIFY_SOCKET", "AWS_") {
		if strings.Contains(environment, secret) {
			t.Errorf("%s is in the environment of the server or pg_restore", secret)
		}
	}
	// The end of another unit of this user removes the user's shared memory.
	h.lab.Run(t, operator, "systemctl", "--no-ask-password", "start", shopUnit)
	h.root(t, "pkill", "-CONT", "-u", "pgbtui", "-x", "pg_restore")
	invocation := h.ends(t, weekly+".service", "success", "0")["InvocationID"]
	console.sees(t, "✓ OK    production", "restored") // nobody touched a key
	h.nothingOfADrill(t)

	proofs := h.details(t, set).Proofs
	i := slices.IndexFunc(proofs, func(p backup.Proof) bool { return p.Kind == "drill" })
	if i < 0 {
		t.Fatalf("no evidence: %+v", proofs)
	}
	p := proofs[i]
	if !p.OK || p.Level != "restored" || p.Host != "db1" || p.InvocationID != invocation || p.Rows != 1234+4321+72000 || p.Drill == nil || !p.Drill.Private || len(p.Warnings) > 0 {
		t.Errorf("%+v, %+v", p, p.Drill)
	}
	if out := h.lab.Run(t, operator, "pgbtui", "status", "--job=production"); !strings.Contains(out, "restore takes about") || !strings.Contains(out, "(drilled <1m ago on this host") {
		t.Errorf("status does not say how long a restore takes:\n%s", out)
	}
}

func (h *host) stoppedDrillLeavesNothing(t *testing.T) {
	set := h.setsOf(t, "production")[0].ID
	unit := "postgres-drill@" + set + ".service"
	proofs := len(h.details(t, set).Proofs)
	h.lab.Run(t, operator, "systemctl", "--no-ask-password", "start", "--no-block", unit)
	h.holdsRestore(t, unit)
	h.lab.Run(t, operator, "systemctl", "--no-ask-password", "stop", unit)
	h.ends(t, unit, "exit-code", "143")
	h.nothingOfADrill(t)

	// Killed, it has no say: its server ends with its connection.
	h.root(t, "systemctl", "reset-failed", unit)
	h.root(t, "systemctl", "start", "--no-block", unit)
	h.holdsRestore(t, unit)
	h.root(t, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit)
	h.ends(t, unit, "signal", "9")
	h.nothingOfADrill(t)
	if now := len(h.details(t, set).Proofs); now != proofs {
		t.Errorf("%d proofs before, %d after", proofs, now)
	}
	h.root(t, "systemctl", "reset-failed", unit)
	h.root(t, "systemctl", "start", unit)
	h.nothingOfADrill(t)
}
