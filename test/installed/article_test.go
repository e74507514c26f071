package installed

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A host that ran the article's way: a service and a timer of its own, a script, settings in the
// environment, BACKUP_DIR for dumps that pgbtui never writes.

const (
	articleService = `[Unit]
Description=Nightly dump of the shop
After=postgresql.service
Requires=postgresql.service
ConditionPathExists=/var/run/postgresql/.s.PGSQL.5432

[Service]
Type=oneshot
User=postgres
Environment=DB_NAME=shop
Environment=DB_USER=postgres
Environment=BACKUP_DIR=/tmp/pg_backups
Environment="S3_BUCKET=backups" "AWS_REGION=us-east-1"
Environment=RETENTION_DAYS=30
EnvironmentFile=-/etc/default/nightly-dump
ExecStart=/usr/local/bin/nightly-dump.sh
PrivateTmp=true
ReadWritePaths=/tmp/pg_backups
CPUQuota=50%
TimeoutStartSec=3600
Restart=on-failure
StartLimitBurst=3
StartLimitIntervalSec=86400

[Install]
WantedBy=multi-user.target
`
	articleTimer = `[Unit]
Description=Nightly dump of the shop
Requires=postgres-backup.service

[Timer]
OnCalendar=*-*-* 01:45:00
RandomizedDelaySec=1800
Persistent=true
AccuracySec=4h

[Install]
WantedBy=timers.target
`
	storeEnvironment = "AWS_ACCESS_KEY_ID=" + accessKey + "\nAWS_SECRET_ACCESS_KEY=" + secretKey + "\nAWS_ENDPOINT_URL=http://127.0.0.1:9000\n"

	plainUnit  = "postgres-backup.service"
	plainTimer = "postgres-backup.timer"
)

func (h *host) adoptsTheArticlesUnits(t *testing.T) {
	h.quietWatch(t)
	h.write(t, "/etc/systemd/system/"+plainUnit, articleService)
	h.write(t, "/etc/systemd/system/"+plainTimer, articleTimer)
	h.write(t, "/usr/local/bin/nightly-dump.sh", "#!/bin/sh\nexit 1\n")
	if err := h.lab.WriteFile("/etc/default/nightly-dump", storeEnvironment, 0o600); err != nil {
		t.Fatal(err)
	}
	h.root(t, "systemctl", "enable", plainUnit, plainTimer)

	if code, said := h.refused(t, "root", "pgbtui", "units", "install", "--database-role"); code != 4 || !strings.Contains(said, "--adopt") {
		t.Errorf("units of somebody else: exit %d\n%s", code, said)
	}
	t.Log(h.root(t, "pgbtui", "units", "install", "--adopt", "--database-role"))
	for _, name := range []string{plainUnit, plainTimer} {
		kept := filepath.Join(h.lab.Root(), "etc/systemd/system", name+".before-pgbtui")
		if _, err := os.Stat(kept); err != nil {
			t.Error(err)
		}
	}
	if timer := h.show(t, plainTimer); !strings.Contains(timer["TimersCalendar"], "01:45:00") || timer["UnitFileState"] != "enabled" || strings.Contains(timer["Requires"], "postgres-backup") {
		t.Errorf("the timer is %s, at %s, requires %s", timer["UnitFileState"], timer["TimersCalendar"], timer["Requires"])
	}
	if service := h.show(t, plainUnit); service["WantedBy"] != "" || service["User"] != "pgbtui" {
		t.Errorf("the service is wanted by %q, runs as %s", service["WantedBy"], service["User"])
	}
	h.begin(t, plainUnit)
	h.ends(t, plainUnit, "success", "0")
	if _, err := os.Stat(filepath.Join(h.lab.Root(), "tmp/pg_backups")); err == nil {
		t.Error("something was written to BACKUP_DIR")
	}
}

func (h *host) needsOnlyTheArticlesEnvironment(t *testing.T) {
	h.root(t, "mv", "/etc/pgbtui/environment", "/etc/pgbtui/environment.old")
	defer h.root(t, "rm", "/etc/pgbtui/environment.old")
	h.dropIn(t, plainUnit, "[Service]\nEnvironment=DB_NAME=shop S3_BUCKET=backups AWS_REGION=us-east-1 RETENTION_DAYS=30\n"+
		"EnvironmentFile=/etc/default/nightly-dump\n")
	before := strings.Count(h.root(t, "ls", "/var/lib/store/backups/keys"), "\n")
	h.begin(t, plainUnit)
	h.ends(t, plainUnit, "success", "0")
	if after := strings.Count(h.root(t, "ls", "/var/lib/store/backups/keys"), "\n"); after <= before {
		t.Errorf("%d objects before the run, %d after", before, after)
	}
}

// isConfigured moves the host to a configuration file, jobs and operators.
func (h *host) isConfigured(t *testing.T) {
	if out := h.root(t, "pgbtui", "units", "install", "--database-role"); strings.Contains(out, "created") || strings.Contains(out, "updated") {
		t.Errorf("installing again changed something:\n%s", out)
	}
	h.root(t, "systemctl", "disable", "--now", plainTimer)
	h.configure(t, configuration, secretKey)
	for user, groups := range map[string][]string{operator: {"pgbtui", "systemd-journal"}, blind: {"pgbtui"}, guest: nil} {
		if err := h.lab.AddUser(t.Context(), user, groups...); err != nil {
			t.Fatal(err)
		}
	}
	out, err := h.lab.Output(context.WithoutCancel(t.Context()), "pgbtui", "pgbtui", "config", "check")
	if err != nil {
		t.Error(err)
	}
	t.Log(out)
	if sets := h.setsOf(t, "shop"); len(sets) != 2 {
		t.Errorf("of the two runs of the old ways there are %+v", sets)
	}
}
