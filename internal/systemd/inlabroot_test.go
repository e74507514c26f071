package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// rootVerificationHasTwoSteps: a warning of the first does not keep the second from its turn.
func rootVerificationHasTwoSteps(t *testing.T) {
	bus, ctx := inside(t)
	for job, want := range map[string]Outcome{
		"exit0":  {RunOK, "", fault.OK},
		"exit3":  {RunWarn, "done, with warnings", fault.Warnings},
		"exit65": {RunFailed, "exit code 65", fault.Integrity},
	} {
		unit := BackupVerifyService(job)
		u, got := start(ctx, t, bus, unit)
		if got != want {
			t.Errorf("%s: %+v, want %+v", unit, got, want)
		}
		out, err := exec.CommandContext(ctx, "journalctl", "-o", "cat", "--no-pager", "_SYSTEMD_INVOCATION_ID="+u.InvocationID).CombinedOutput()
		if sampled := strings.Contains(string(out), "--read-data-subset=5%"); err != nil || sampled != (job != "exit65") || !strings.Contains(string(out), "--unproven") {
			t.Errorf("%s, %v:\n%s", unit, err, out)
		}
	}
}

// rootRetentionIsItsOwnAlert: a plan that is refused fails the prune unit and no other, at once.
func rootRetentionIsItsOwnAlert(t *testing.T) {
	bus, ctx := inside(t)
	before, err := bus.Unit(ctx, BackupService("exit4"))
	if err != nil {
		t.Fatal(err)
	}
	for job, want := range map[string]Outcome{
		"exit0": {RunOK, "", fault.OK},
		"exit3": {RunWarn, "done, with warnings", fault.Warnings},
		"exit4": {RunFailed, "exit code 4", fault.Refused},
	} {
		u, got := start(ctx, t, bus, BackupPruneService(job))
		if got != want || u.Service.Restarts != 0 {
			t.Errorf("%s: %+v, want %+v, %d restarts", u.Name, got, want, u.Service.Restarts)
		}
	}
	after, err := bus.Unit(ctx, BackupService("exit4"))
	if err != nil || after.InvocationID != before.InvocationID {
		t.Errorf("the backup was started by its retention: %+v, %v", after, err)
	}
}

// missRun makes systemd believe that the timer last fired two days ago, and starts it.
func missRun(ctx context.Context, t *testing.T, bus *Bus, timer string) {
	t.Helper()
	if out, err := exec.CommandContext(ctx, "systemctl", "stop", timer).CombinedOutput(); err != nil { // waits, unlike Bus.Stop
		t.Fatalf("%v: %s", err, out)
	}
	old := time.Now().Add(-48 * time.Hour)
	stamp := "/var/lib/systemd/timers/stamp-" + timer
	if err := errors.Join(os.WriteFile(stamp, nil, 0o644), os.Chtimes(stamp, old, old)); err != nil {
		t.Fatal(err)
	}
	if err := bus.StartTimer(ctx, timer); err != nil {
		t.Fatal(err)
	}
}

// A missed run is due at the time of the boot plus the random delay, so soon after a boot it
// waits for the rest of the delay; without a delay it starts at once.
func rootTimerCatchesUpAMissedRunOnce(t *testing.T) {
	bus, ctx := inside(t)
	timer, service := BackupTimer("exit0"), BackupService("exit0")
	missRun(ctx, t, bus, timer)
	if got, err := bus.Timer(ctx, timer); err != nil || got.Next.After(time.Now().Add(31*time.Minute)) {
		t.Errorf("a missed run is due at %s, %v", got.Next, err)
	}
	if out, err := exec.CommandContext(ctx, "systemctl", "stop", timer).CombinedOutput(); err != nil { // or the reload would fire it
		t.Fatalf("%v: %s", err, out)
	}
	dropIn := filepath.Join(unitDir, timer+".d", "now.conf")
	if err := errors.Join(os.MkdirAll(filepath.Dir(dropIn), 0o755), os.WriteFile(dropIn, []byte("[Timer]\nRandomizedDelaySec=0\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := bus.reload(ctx); err != nil {
		t.Fatal(err)
	}
	// Where the machine's delay is next to nothing, the first miss is being caught up by now: a
	// second start would be merged into that run.
	before, err := bus.Unit(ctx, service)
	for err == nil && before.Running() {
		time.Sleep(50 * time.Millisecond)
		before, err = bus.Unit(ctx, service)
	}
	if err != nil {
		t.Fatal(err)
	}
	changes, err := bus.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	missRun(ctx, t, bus, timer)
	for {
		u, err := bus.Unit(ctx, service)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomeOf(before, u); got.State == RunOK {
			break
		}
		if _, ok := <-changes; !ok {
			t.Fatalf("no run was caught up: %+v", u)
		}
	}
	got, err := bus.Timer(ctx, timer)
	if err != nil || got.Last.IsZero() || got.State != TimerOn || got.Next.Before(time.Now()) || !slices.Equal(got.DropInPaths, []string{dropIn}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func rootStoppingARunLeavesItsTimer(t *testing.T) {
	bus, ctx := inside(t)
	run, err := bus.Start(ctx, BackupService("slow"))
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Stop(ctx, run.Unit); err != nil {
		t.Fatal(err)
	}
	if _, got, err := bus.Wait(ctx, run, nil); err != nil || got.State != RunCancelled {
		t.Errorf("%+v, %v", got, err)
	}
	if timer, err := bus.Timer(ctx, BackupTimer("slow")); err != nil || timer.State != TimerOn {
		t.Errorf("%+v, %v", timer, err)
	}
}

func rootAlertKnowsWhatFailed(t *testing.T) {
	bus, ctx := inside(t)
	u, _ := start(ctx, t, bus, BackupService("exit66"))
	awaitJournal(ctx, t, []string{"-u", "postgres-backup-alert@postgres-backup@exit66.service.service"},
		"MONITOR_SERVICE_RESULT=exit-code", "MONITOR_EXIT_STATUS=66", "MONITOR_UNIT=postgres-backup@exit66.service", "MONITOR_INVOCATION_ID="+u.InvocationID)
}

func rootEnvironmentReachesTheRunUnchanged(t *testing.T) {
	bus, ctx := inside(t)
	want := map[string]string{"PROBE_A": "two words", "PROBE_B": `q"u'o\te $HOME 100%`, "PROBE_C": "数据库"}
	text := ""
	for name, value := range want {
		text += environmentLine(variable{name, value}) + "\n"
	}
	if err := os.WriteFile(envFile, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(envFile)
	u, _ := start(ctx, t, bus, BackupService("exit0"))
	lines := []string{}
	for name, value := range want {
		lines = append(lines, fmt.Sprintf("stand-in: env %q", name+"="+value))
	}
	awaitJournal(ctx, t, []string{"_SYSTEMD_INVOCATION_ID=" + u.InvocationID}, lines...)
}

func rootWatchSurvivesARestartOfTheBus(t *testing.T) {
	bus, ctx := inside(t)
	changes, err := bus.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(ctx, "systemctl", "restart", "dbus.service").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lost := false
	for c := range changes {
		lost = lost || c.Err != nil
		if lost && c.Err == nil {
			break
		}
	}
	if !lost || ctx.Err() != nil {
		t.Fatal("the watcher did not say that the bus was gone and back")
	}
	if _, err := bus.Units(ctx); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if _, err := bus.Start(ctx, BackupService("exit0")); err != nil {
		t.Error(err)
	}
	for c := range changes {
		if slices.Contains(c.Units, BackupService("exit0")) {
			return
		}
	}
	t.Error("no change is seen after the restart of the bus")
}
