package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// The backups, as some nights would have made them.

// noDelay takes the timers' random delay away. On a machine that has just booted systemd counts a
// missed run's delay from the boot: up to half an hour, which nobody wants to watch.
const noDelay = "[Timer]\nRandomizedDelaySec=0\n"

// services are the units of one kind, of all databases.
func services(unit func(job string) string) (names []string) {
	for _, job := range databases {
		names = append(names, unit(job))
	}
	return names
}

// fireTimers makes systemd find that last night was missed: stamps two days old, then the timers
// are switched on, as everywhere. Nobody starts the services.
func (d *demo) fireTimers(ctx context.Context) (string, error) {
	if err := d.machine.WriteFile("/etc/systemd/system/postgres-backup@.timer.d/demo.conf", noDelay, 0o644); err != nil {
		return "", err
	}
	stamps := []string{"touch", "-d", "2 days ago"}
	for _, timer := range services(systemd.BackupTimer) {
		stamps = append(stamps, "/var/lib/systemd/timers/stamp-"+timer)
	}
	for _, argv := range [][]string{
		{"systemctl", "daemon-reload"},
		{"mkdir", "-p", "/var/lib/systemd/timers"},
		stamps,
		{"pgbtui", "units", "install", "--enable", strings.Join(databases, ",")},
	} {
		if _, err := d.machine.Output(ctx, "root", argv...); err != nil {
			return "", err
		}
	}
	for _, service := range services(systemd.BackupService) {
		if err := d.waitFor(ctx, service); err != nil {
			return "", err
		}
	}
	trigger, err := d.property(ctx, systemd.BackupTimer(database), "LastTriggerUSec")
	return "fired at " + trigger, err
}

// start starts units and returns when all of them have ended. Each has its own call: of several in one, systemd 262 does
// not tell polkit which they are, so that no operator may start them.
func (d *demo) start(ctx context.Context, units ...string) error {
	for _, unit := range units {
		if _, err := d.machine.Output(ctx, operator, "systemctl", "start", unit); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) backUpAgain(ctx context.Context) (string, error) {
	return "", d.start(ctx, services(systemd.BackupService)...)
}

// proveSets gives the sets the levels of proof that a console shows.
func (d *demo) proveSets(ctx context.Context) (string, error) {
	return "", d.start(ctx, systemd.BackupVerifyService(database), systemd.BackupVerifyService(analytics),
		systemd.BackupDrillService(crm))
}

// failToBackUp starts the backup that has to refuse, and leaves what it says to do on the console.
func (d *demo) failToBackUp(ctx context.Context) (string, error) {
	service := systemd.BackupService(crm)
	if err := d.start(ctx, service); err == nil {
		return "", fmt.Errorf("%s committed a database without tables", service)
	}
	status, err := d.property(ctx, service, "ExecMainStatus")
	if err == nil && status != refused {
		err = fmt.Errorf("%s ended with %s, not %s", service, status, refused)
	}
	return "refused, exit " + status, err
}

// refused is the exit code of a run that a check stopped.
const refused = "4"

// waitFor waits until service has run: it is inactive again and has a new result.
func (d *demo) waitFor(ctx context.Context, service string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		out, err := d.machine.Output(ctx, "root", "systemctl", "show", service, "--property=ActiveState,Result,ExecMainExitTimestampMonotonic,ExecMainStatus")
		if err != nil {
			return err
		}
		state := properties(out)
		switch {
		case state["ActiveState"] == "failed":
			return fmt.Errorf("%s failed: %s, status %s", service, state["Result"], state["ExecMainStatus"])
		case state["ActiveState"] == "inactive" && state["ExecMainExitTimestampMonotonic"] != "0":
			if state["Result"] != "success" {
				return fmt.Errorf("%s ended with %s, status %s", service, state["Result"], state["ExecMainStatus"])
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (%v)", service, ctx.Err(), state)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func properties(show string) map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(show) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			found[name] = value
		}
	}
	return found
}

func (d *demo) property(ctx context.Context, unit, name string) (string, error) {
	out, err := d.machine.Output(ctx, "root", "systemctl", "show", unit, "--property="+name, "--value")
	return strings.TrimSpace(out), err
}

// listed is what the demo reads of `pgbtui list --json`, see docs/json.md.
type listed struct {
	Sets []struct {
		ID       string `json:"id"`
		Database string `json:"database"`
		Stored   int64  `json:"storedBytes"`
		Proof    string `json:"proof"`
	} `json:"sets"`
}

func (d *demo) list(ctx context.Context) (listed, error) {
	var found listed
	out, err := d.machine.Output(ctx, operator, "pgbtui", "list", "--json")
	if err != nil {
		return found, err
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		return found, fmt.Errorf("read the list: %w", err)
	}
	return found, nil
}

// runsOfEach is how many sets each database has when the console opens.
const runsOfEach = 2

// findSets remembers the newest set of production, which the report restores.
func (d *demo) findSets(ctx context.Context) (string, error) {
	found, err := d.list(ctx)
	if err != nil {
		return "", err
	}
	count := map[string]int{}
	var stored int64
	for _, set := range found.Sets { // the newest first
		if count[set.Database]++; set.Database == database && d.set == "" {
			d.set = set.ID
		}
		stored += set.Stored
	}
	for _, name := range databases {
		if count[name] != runsOfEach {
			return "", fmt.Errorf("%d sets of %s, not %d: %+v", count[name], name, runsOfEach, found.Sets)
		}
	}
	return fmt.Sprintf("%d sets, %d MiB stored", len(found.Sets), stored>>20), nil
}

// readJournal looks for the run as an operator does: the commit's entry names the set.
func (d *demo) readJournal(ctx context.Context) (string, error) {
	out, err := d.machine.Output(ctx, operator, "journalctl", "--no-pager", "-o", "json",
		"_SYSTEMD_UNIT="+systemd.BackupService(database), "PGBTUI_EVENT=backup-committed", "-n", "1")
	if err != nil {
		return "", err
	}
	var entry struct {
		Message string `json:"MESSAGE"`
		RunID   string `json:"PGBTUI_RUN_ID"`
	}
	if strings.TrimSpace(out) == "" {
		return "", errors.New("no entry backup-committed")
	}
	if err := json.Unmarshal([]byte(out), &entry); err != nil {
		return "", fmt.Errorf("read the entry: %w", err)
	}
	return fmt.Sprintf("run %s: %s", entry.RunID, entry.Message), nil
}
