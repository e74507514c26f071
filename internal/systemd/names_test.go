package systemd

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestEscapeIsSystemdsOwn(t *testing.T) {
	tool := need.Program(t, "systemd-escape")
	for _, s := range []string{"sales", "a b", "x/../y", ".hidden", "数据库", "new\nline", `back\slash`, "dash-ed", "%i", "a@b", "\x01\x7f", `\x2d`} {
		out, err := exec.CommandContext(t.Context(), tool, "--", s).Output()
		if err != nil {
			t.Fatalf("systemd-escape %q: %v", s, err)
		}
		if got, want := Escape(s), strings.TrimSuffix(string(out), "\n"); got != want {
			t.Errorf("Escape(%q) = %q, systemd-escape says %q", s, got, want)
		}
	}
}

func TestEveryJobNameComesBackFromItsUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := rapid.StringN(1, 40, 200).Draw(t, "job")
		for _, unit := range append(JobTimers(job), BackupService(job), BackupVerifyService(job), BackupPruneService(job), BackupPruneTimer(job), BackupDrillService(job), BackupDrillTimer(job)) {
			got, plain, ok := ScheduledJobOf(unit)
			if !ok || plain || got != job {
				t.Fatalf("ScheduledJobOf(%q) = %q, %v, %v; want %q", unit, got, plain, ok, job)
			}
			if back := unitOfPath(unitObjectPath(unit)); back != unit {
				t.Fatalf("%q comes back from the bus as %q", unit, back)
			}
		}
	})
}

func TestJobOfKnowsOnlyBackups(t *testing.T) {
	for _, unit := range []string{"", "postgres-backup", "postgres-backup@.timer", "postgres-verify@x.service", "postgres-backup-verify@x.timer", "postgres-backup-prune@x.service", "postgres-backup-alert@x.service", "postgres-backup.socket"} {
		if job, _, ok := JobOf(unit); ok {
			t.Errorf("JobOf(%q) = %q, want none", unit, job)
		}
	}
	if _, plain, ok := JobOf("postgres-backup.timer"); !plain || !ok {
		t.Error("the plain timer is not known as plain")
	}
}

func TestIDsThatCannotBePartOfAUnitNameAreRefused(t *testing.T) {
	unit, err := VerifyService("20261122T020000Z-1a2b3c")
	if err != nil || unit != "postgres-verify@20261122T020000Z-1a2b3c.service" || InstanceOf(unit) != "20261122T020000Z-1a2b3c" {
		t.Errorf("VerifyService = %q, %v", unit, err)
	}
	for _, bad := range []string{"", "-x", "--help", "a b", "a/b", "../x", `a\x2d`, "%i", "x\n", "ü", strings.Repeat("x", 300)} {
		if unit, err := RestoreService(bad); fault.CodeOf(err) != fault.Usage {
			t.Errorf("RestoreService(%q) = %q, %v; want a usage error", bad, unit, err)
		}
	}
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"", "-", `\x`, `\x2d`, `a\x0ab-c`, `\xzz`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plain := Unescape(s)
		if Unescape(Escape(plain)) != plain {
			t.Errorf("%q: %q does not survive", s, plain)
		}
	})
}
