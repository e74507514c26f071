package supply

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The package on a host, from one state to the next.
func TestThePackageComesIsUpgradedAndGoesAndTakesNoDataWithIt(t *testing.T) {
	release(t)
	h := newHost(t)
	for _, step := range []struct {
		name string
		test func(*host, *testing.T)
	}{
		{"InstalledItSwitchesNothingOn", (*host).installs},
		{"ItsUnitsRunItsProgram", (*host).unitsRunTheProgram},
		{"AnUpgradeBringsTheUnitsAlongAndLeavesARunGoing", (*host).isUpgraded},
		{"RemovedInTheMiddleOfARunItLetsTheRunEndAndSaysSo", (*host).isRemoved},
		{"APurgeKeepsKeysAndBackupsAndSaysSo", (*host).isPurged},
		{"InstalledAgainItFindsEverything", (*host).isBack},
		{"WhereNoSystemdRunsItGoesAllTheSame", (*host).goesFromAnImage},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(h, t) }) {
			t.FailNow()
		}
	}
}

func (h *host) installs(t *testing.T) {
	said := h.dpkg(t, "--install", deb)
	if !strings.Contains(said, "pgbtui: nothing runs yet") {
		t.Errorf("it does not say what comes next: %s", said)
	}
	if changed := h.dpkg(t, "--verify", "pgbtui"); changed != "" {
		t.Errorf("files differ from the package: %s", changed)
	}
	if units := h.found("etc/systemd/system/postgres-*", "usr/lib/systemd/system/postgres-*"); len(units) > 0 {
		t.Errorf("there are units already: %q", units)
	}
	if where := strings.TrimSpace(h.root(t, "which", "pgbtui")); where != "/usr/bin/pgbtui" {
		t.Errorf("the program is %s", where)
	}
	if pages := h.found("usr/share/man/man1/pgbtui*.1.gz"); len(pages) < 20 {
		t.Errorf("its manual pages are %q", pages)
	}
}

func (h *host) unitsRunTheProgram(t *testing.T) {
	h.root(t, "pgbtui", "units", "install", "--database-role")
	for file, text := range map[string]string{configFile: configuration, keyFile: credentials} {
		if err := h.lab.WriteFile(file, text, 0o640); err != nil {
			t.Fatal(err)
		}
		h.root(t, "chgrp", "pgbtui", file)
	}
	h.root(t, "pgbtui", "units", "install", "--enable", "production")
	if unit := h.read(t, unitFile); !strings.Contains(unit, "\nExecStart=:/usr/bin/pgbtui --headless") {
		t.Errorf("the unit runs something else:\n%s", unit)
	}
	before := h.manifests(t)
	h.root(t, "systemctl", "start", runUnit)
	h.ends(t, before)
}

// isUpgraded installs over units that an older version wrote, while one of them runs.
func (h *host) isUpgraded(t *testing.T) {
	units := h.read(t, unitFile)
	h.write(t, unitFile, strings.Replace(units, "\nNice=10\n", "\nNice=9\n", 1))
	h.root(t, "systemctl", "daemon-reload")
	before := h.manifests(t)
	letGo := h.holdRun(t)
	run := h.property(t, "InvocationID")

	said := h.dpkg(t, "--install", deb)
	if !strings.Contains(said, "are those of this version now") {
		t.Errorf("it does not say that the units are new: %s", said)
	}
	if h.read(t, unitFile) != units || h.property(t, "NeedDaemonReload") != "no" {
		t.Error("systemd does not have the units of this version")
	}
	if state, now := h.property(t, "ActiveState"), h.property(t, "InvocationID"); state != "activating" || now != run {
		t.Errorf("the run %s is now %s %s", run, state, now)
	}
	letGo()
	h.ends(t, before)
	if timer := h.root(t, "systemctl", "is-active", "postgres-backup@production.timer"); timer != "active\n" {
		t.Errorf("the timer is %s", timer)
	}
}

func (h *host) isRemoved(t *testing.T) {
	before := h.manifests(t)
	letGo := h.holdRun(t)
	said := h.dpkg(t, "--remove", "pgbtui")
	t.Log(said)
	for _, want := range []string{
		runUnit + " (it is running and will finish)", "/etc/pgbtui", "/var/lib/pgbtui", "the users and group pgbtui",
		"PostgreSQL's role pgbtui", "every backup in the bucket",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if state := h.property(t, "ActiveState"); state != "activating" {
		t.Errorf("the run is %s", state)
	}
	letGo()
	h.ends(t, before)
	h.isGone(t)
	h.hasItsData(t)
}

// isGone expects no program, no unit and no timer.
func (h *host) isGone(t *testing.T) {
	t.Helper()
	if left := h.found("usr/bin/pgbtui", "etc/systemd/system/postgres-*", "etc/systemd/system/*.wants/postgres-*",
		"etc/polkit-1/rules.d/*pgbtui*", "usr/share/doc/pgbtui"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if timers := h.root(t, "systemctl", "list-timers", "--all", "--no-legend", "postgres-*"); strings.TrimSpace(timers) != "" {
		t.Errorf("timers left: %s", timers)
	}
}

// found are the host's files that match a pattern.
func (h *host) found(patterns ...string) (files []string) {
	for _, pattern := range patterns {
		some, _ := filepath.Glob(filepath.Join(h.lab.Root(), pattern))
		files = append(files, some...)
	}
	return files
}

func (h *host) hasItsData(t *testing.T) {
	t.Helper()
	if h.read(t, configFile) != configuration || h.read(t, keyFile) != credentials {
		t.Error("the configuration is not what it was")
	}
	if _, err := os.Stat(filepath.Join(h.lab.Root(), "var/lib/pgbtui/requests")); err != nil {
		t.Error(err)
	}
	h.root(t, "getent", "passwd", "pgbtui")
	h.root(t, "getent", "group", "pgbtui")
	if role, err := h.lab.SQL(t.Context(), "postgres", "SELECT rolname FROM pg_roles WHERE rolname = 'pgbtui'"); err != nil || role != "pgbtui" {
		t.Errorf("the database role is %q, %v", role, err)
	}
}

func (h *host) isPurged(t *testing.T) {
	said := h.dpkg(t, "--purge", "pgbtui")
	for _, want := range []string{"deletes no key and no backup", "rm -r /etc/pgbtui /var/lib/pgbtui", "DROP ROLE pgbtui"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	h.isGone(t)
	h.hasItsData(t)
}

func (h *host) isBack(t *testing.T) {
	h.dpkg(t, "--install", deb)
	var list struct {
		Sets []struct {
			ID   string
			Good bool
		}
	}
	if err := json.Unmarshal([]byte(h.root(t, "pgbtui", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Sets) != h.manifests(t) || len(list.Sets) != 3 {
		t.Errorf("it lists %+v, the store has %d", list.Sets, h.manifests(t))
	}
	for _, set := range list.Sets {
		if !set.Good {
			t.Errorf("%s is not good", set.ID)
		}
	}
	h.root(t, "pgbtui", "verify", "latest")
}

// goesFromAnImage removes it as in a chroot, where nobody can be asked to stop timers.
func (h *host) goesFromAnImage(t *testing.T) {
	const noSystemd = "mount -t tmpfs none /run/systemd && pgbtui units install --enable production && dpkg --remove pgbtui"
	said := h.root(t, "unshare", "--mount", "sh", "-ec", noSystemd)
	if !strings.Contains(said, "enabled    postgres-backup@production.timer") || !strings.Contains(said, "disabled   postgres-backup@production.timer") {
		t.Errorf("the timer was not switched on, or not off: %s", said)
	}
	h.isGone(t)
	h.hasItsData(t)
}
