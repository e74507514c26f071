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

// The backup, as the night would have made it.

// noDelay takes the timer's random delay away. On a machine that has just booted systemd counts a
// missed run's delay from the boot: up to half an hour, which nobody wants to watch.
const noDelay = "[Timer]\nRandomizedDelaySec=0\n"

// fireTimer makes systemd find that last night was missed: a stamp two days old, then the timers
// are switched on, as everywhere. Nobody starts the service.
func (d *demo) fireTimer(ctx context.Context) (string, error) {
	timer, service := systemd.BackupTimer(""), systemd.BackupService("")
	if err := d.machine.WriteFile("/etc/systemd/system/"+timer+".d/demo.conf", noDelay, 0o644); err != nil {
		return "", err
	}
	for _, argv := range [][]string{
		{"systemctl", "daemon-reload"},
		{"mkdir", "-p", "/var/lib/systemd/timers"},
		{"touch", "-d", "2 days ago", "/var/lib/systemd/timers/stamp-" + timer},
		{"pgbtui", "units", "install", "--enable-plain"},
	} {
		if _, err := d.machine.Output(ctx, "root", argv...); err != nil {
			return "", err
		}
	}
	if err := d.waitFor(ctx, service); err != nil {
		return "", err
	}
	// The other timers, of which a console without them has to warn. They have nothing to catch up.
	if _, err := d.machine.Output(ctx, "root", "pgbtui", "units", "install", "--enable-plain"); err != nil {
		return "", err
	}
	trigger, err := d.property(ctx, timer, "LastTriggerUSec")
	return "fired at " + trigger, err
}

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

func (d *demo) findSet(ctx context.Context) (string, error) {
	found, err := d.list(ctx)
	if err != nil {
		return "", err
	}
	if len(found.Sets) != 1 || found.Sets[0].Database != database {
		return "", fmt.Errorf("expected one set of %s, the list has %+v", database, found.Sets)
	}
	set := found.Sets[0]
	d.set = set.ID
	return fmt.Sprintf("%s, %d MiB stored", set.ID, set.Stored>>20), nil
}

// readJournal looks for the run as an operator does: the commit's entry names the set.
func (d *demo) readJournal(ctx context.Context) (string, error) {
	out, err := d.machine.Output(ctx, operator, "journalctl", "--no-pager", "-o", "json",
		"_SYSTEMD_UNIT="+systemd.BackupService(""), "PGBTUI_EVENT=backup-committed")
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
