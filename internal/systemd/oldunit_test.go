package systemd

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const dumpService = `[Unit]
Description=Nightly dump
[Service]
User=postgres
Environment=DB_NAME=production "S3_BUCKET=from the unit"
EnvironmentFile=-/etc/default/dump
ExecStart=-/usr/bin/env bash /usr/local/bin/dump.sh --now
`

const dumpScript = `#!/bin/bash
# DB_NAME=commented
DB_NAME="${DB_NAME:-other}"
DB_USER=${DB_USER:-postgres}
export AWS_REGION='eu-central-1'   # plain text wins over the unit
RETENTION_DAYS="${RETENTION_DAYS:-14}"
STAMP=$(date +%s)
TARGET="s3://$S3_BUCKET/nightly/dumps/$STAMP"
BACKUP_DIR="$HOME/dumps"
rm -rf /must-never-run
`

func TestAnOldUnitIsReadWithItsDropInsEnvironmentAndScript(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "/etc/systemd/system/dump.service", dumpService)
	put(t, dir, "/etc/systemd/system/dump.service.d/10-more.conf", "[Service]\nEnvironment=AWS_REGION=us-west-2\n")
	put(t, dir, "/etc/default/dump", "S3_BUCKET=\"company-backups\"\n")
	put(t, dir, "/usr/local/bin/dump.sh", dumpScript)
	put(t, dir, "/usr/lib/systemd/system/dump.timer", "[Timer]\nOnCalendar=*-*-* 01:45:00\nRandomizedDelaySec=900\n")
	put(t, dir, "/etc/systemd/system/dump.timer.d/x.conf", "[Timer]\nOnCalendar=\nOnCalendar=Mon 04:00\n")
	old, err := root(dir).oldUnit("dump.service")
	if err != nil {
		t.Fatal(err)
	}
	want := OldUnit{
		Service: "dump.service", Timer: "dump.timer", User: "postgres", Script: "/usr/local/bin/dump.sh", Prefix: "nightly/dumps",
		Calendar: []string{"Mon 04:00"}, Delay: "900", Variables: map[string]string{
			"DB_NAME": "production", "S3_BUCKET": "company-backups", "AWS_REGION": "eu-central-1", "RETENTION_DAYS": "14",
			"DB_USER": "postgres",
		},
	}
	if diff := cmp.Diff(want, old); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoOldUnitIsRefused(t *testing.T) {
	dir := t.TempDir()
	mustInstall(t, InstallOptions{Root: dir})
	for name, want := range map[string]fault.Code{
		"none.service": fault.NotFound, "postgres-backup.service": fault.Refused, "dump.timer": fault.Usage, "../dump.service": fault.Usage,
	} {
		if _, err := root(dir).oldUnit(name); fault.CodeOf(err) != want || fault.Remedy(err) == "" {
			t.Errorf("%s: %v, code %d", name, err, fault.CodeOf(err))
		}
	}
}

func TestPlainUnitsOfOthersCanStayUntilTheyAreSetAside(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, plainService, dumpService)
	put(t, dir, plainTimer, "[Timer]\nOnCalendar=daily\n")
	mustInstall(t, InstallOptions{Root: dir, LeavePlain: true})
	after := tree(t, dir)
	if _, text, _ := strings.Cut(after[plainService], "\n"); text != dumpService {
		t.Errorf("the service is %q", text)
	}
	if after[unitDir+"/postgres-backup@.service"] == "" || after[unitDir+"/postgres-backup-drill@.timer"] == "" {
		t.Error("the other units were not installed")
	}
	old, err := root(dir).oldUnit("postgres-backup.service")
	if err != nil {
		t.Fatal(err)
	}
	report := &Report{}
	for range 2 { // as after a kill
		if err := root(dir).setAside(old, report); err != nil {
			t.Fatal(err)
		}
	}
	mustInstall(t, InstallOptions{Root: dir})
	for _, name := range []string{plainService, plainTimer} {
		if text, err := os.ReadFile(dir + name); err != nil || !isOurs(text) {
			t.Errorf("%s is not ours: %v", name, err)
		}
		if _, err := os.Stat(dir + name + adoptedSuffix); err != nil {
			t.Error(err)
		}
	}
	if len(report.Steps) != 2 {
		t.Errorf("%+v", report.Steps)
	}
}

func FuzzScript(f *testing.F) {
	f.Add(dumpScript)
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range scriptVariables(text, nil) {
			if name == "" || strings.ContainsAny(value, "$`\n") {
				t.Errorf("%q is %q", name, value)
			}
		}
		uploadPrefix(text)
	})
}
