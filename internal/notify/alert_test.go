package notify

import (
	"strings"
	"testing"
	"time"
)

func TestAlertSaysWhatWhyAndWhatNext(t *testing.T) {
	env := map[string]string{
		"MONITOR_UNIT": "postgres-backup@sales.service", "MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_CODE": "exited",
		"MONITOR_EXIT_STATUS": "77", "MONITOR_INVOCATION_ID": "0123456789abcdef0123456789abcdef",
	}
	a := FromMonitor("ignored.service", func(k string) string { return env[k] })
	a.Job, a.Database, a.Host, a.Reason = "sales", "sales_db", "db1", "s3: put x: access denied"
	a.When = time.Date(2026, 11, 22, 2, 0, 5, 0, time.UTC)
	want := `PostgreSQL backup failed: database sales_db on db1
Reason: s3: put x: access denied
Result: exit code 77, not permitted
Unit: postgres-backup@sales.service
Job: sales
When: 2026-11-22T02:00:05Z
Do: Check the database role, the S3 policy and the modes of the files that the journal names.
Journal: journalctl _SYSTEMD_INVOCATION_ID=0123456789abcdef0123456789abcdef
Then: pgbtui`
	if got := a.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAdviceOfTheRunGoesBeforeThatOfItsExitCode(t *testing.T) {
	a := Alert{Unit: "postgres-backup.service", Result: "exit-code", ExitCode: "exited", ExitStatus: "77", Remedy: "check the\nsecret key"}
	if text := a.Text(); !strings.Contains(text, "\nDo: check the secret key\n") || strings.Contains(text, "S3 policy") {
		t.Error(text)
	}
}

func TestAlertNeverCallsAFailureDone(t *testing.T) {
	for _, result := range []string{"", "exit-code", "signal", "core-dump", "timeout", "watchdog", "oom-kill", "start-limit-hit", "resources", "protocol", "news"} {
		for _, status := range []string{"", "0", "1", "69", "KILL", "x"} {
			for _, exit := range []string{"", "exited", "killed"} {
				text := Alert{Unit: "postgres-backup.service", Result: result, ExitCode: exit, ExitStatus: status}.Text()
				if !strings.Contains(text, "failed") || strings.Contains(text, "done") || strings.HasSuffix(strings.TrimSpace(text), ",") {
					t.Errorf("%q %q %q:\n%s", result, exit, status, text)
				}
			}
		}
	}
}

func TestAlertAboutAStoppedRunSaysSo(t *testing.T) {
	a := Alert{Unit: "postgres-backup.service", Result: "exit-code", ExitCode: "exited", ExitStatus: "143"}
	if !strings.Contains(a.Subject(), "stopped") {
		t.Error(a.Subject())
	}
	if early := (Alert{Unit: "postgres-backup.service", Result: "signal", ExitCode: "killed", ExitStatus: "TERM"}).Subject(); !strings.Contains(early, "stopped") {
		t.Error(early)
	}
	a.Result = "watchdog"
	if text := a.Text(); strings.Contains(a.Subject(), "stopped before") || !strings.Contains(text, "nothing moved") {
		t.Error(text)
	}
}

func TestGivingUpNamesTheLastTry(t *testing.T) {
	a := Alert{Unit: "postgres-backup.service", Result: "start-limit-hit", ExitCode: "exited", ExitStatus: "69"}
	if text := a.Text(); !strings.Contains(text, "gave up after several tries; the last one: exit code 69, PostgreSQL or S3 cannot be reached") {
		t.Error(text)
	}
}

func TestAStartThatWasOnlyRefusedSaysHowToLiftThat(t *testing.T) {
	a := Alert{Unit: "postgres-backup@x.service", Result: "start-limit-hit", ExitCode: "exited", ExitStatus: "0"}
	if text := a.Text(); !strings.Contains(text, "systemctl reset-failed postgres-backup@x.service") {
		t.Error(text)
	}
}

func TestHostileNamesStayInTheirLine(t *testing.T) {
	a := Alert{Unit: "postgres-backup@x'; rm -rf ~.service", Job: "a\nResult: fine", Database: "d\x1b]52;c;x\x07\nPostgreSQL backup ok", Reason: "x\u2028y\r\nz", InvocationID: "'; reboot #"}
	text := a.Text()
	if strings.ContainsAny(text, "\x1b\x07\r\u2028") || strings.Contains(text, "\nResult: fine") || strings.Contains(text, "\nPostgreSQL backup ok") {
		t.Errorf("%q", text)
	}
	if !strings.Contains(text, `'postgres-backup@x'\''; rm -rf ~.service'`) || strings.Contains(text, "reboot") {
		t.Errorf("%q", text)
	}
}

func TestAnAlertNamesWhatFailedByItsUnit(t *testing.T) {
	for unit, want := range map[string]string{
		"postgres-backup.service": "PostgreSQL backup failed", "postgres-backup@shop.service": "PostgreSQL backup failed",
		"postgres-backup-verify@shop.service": "PostgreSQL backup verification failed", "postgres-verify@x.service": "PostgreSQL backup verification failed",
		"postgres-backup-drill@shop.service": "PostgreSQL restore drill failed", "postgres-drill@x.service": "PostgreSQL restore drill failed",
		"postgres-backup-prune@shop.service": "PostgreSQL backup retention failed", "postgres-restore@x.service": "PostgreSQL restore failed",
	} {
		if got := (Alert{Unit: unit, Result: "exit-code", ExitCode: "exited", ExitStatus: "1"}).Subject(); !strings.HasPrefix(got, want+":") {
			t.Errorf("%s: %q, want %q", unit, got, want)
		}
	}
}
