package installed

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func (h *host) uninstalls(t *testing.T) {
	sets := len(h.sets(t))
	report := h.root(t, "pgbtui", "units", "uninstall")
	t.Log(report)
	for _, pattern := range []string{
		"etc/systemd/system/postgres-*.service", "etc/systemd/system/postgres-*.timer", "etc/systemd/system/*.wants/postgres-*",
		"etc/polkit-1/rules.d/*pgbtui*", "etc/sysusers.d/*pgbtui*", "etc/tmpfiles.d/*pgbtui*",
	} {
		if left, _ := filepath.Glob(filepath.Join(h.lab.Root(), pattern)); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	if timers := h.root(t, "systemctl", "list-timers", "--all", "--no-legend", "postgres-*"); strings.TrimSpace(timers) != "" {
		t.Errorf("timers left: %s", timers)
	}
	if _, said := h.refused(t, "root", "systemctl", "start", shopUnit); !strings.Contains(said, "not found") {
		t.Errorf("starting what was removed: %s", said)
	}
	// What was copied from the bucket is gone, and what stays is listed with the reason.
	if left, _ := filepath.Glob(filepath.Join(h.lab.Root(), "var/lib/pgbtui/*/documents")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	folders, err := os.ReadDir(filepath.Join(h.lab.Root(), "var/lib/pgbtui"))
	if err != nil || len(folders) == 0 {
		t.Errorf("%v in /var/lib/pgbtui, %v", folders, err)
	}
	for _, f := range folders {
		if !regexp.MustCompile(`kept +/var/lib/pgbtui/` + f.Name() + ` \(\w`).MatchString(report) {
			t.Errorf("/var/lib/pgbtui/%s stays, and nothing says why", f.Name())
		}
	}
	for _, kept := range []string{configFile, credentialsFile, "/etc/systemd/system/postgres-backup.service.before-pgbtui"} {
		if _, err := os.Stat(filepath.Join(h.lab.Root(), kept)); err != nil {
			t.Error(err)
		}
	}
	if now := len(h.sets(t)); now != sets || now == 0 {
		t.Errorf("%d sets before, %d after", sets, now)
	}
}
