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

// start starts a job's backup and follows it to its end.
func start(ctx context.Context, t *testing.T, bus *Bus, unit string) (UnitState, Outcome) {
	t.Helper()
	run, err := bus.Start(ctx, unit)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.Remedy(err))
	}
	u, outcome, err := bus.Wait(ctx, run, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u, outcome
}

func installTwice(t *testing.T) {
	unitsTwice(t, InstallOptions{Enable: []string{"", "exit0", "slow"}, DatabaseRole: true})
	out, err := exec.CommandContext(t.Context(), "runuser", "-u", "pgbtui", "--", "psql", "-XAtd", "postgres", "-c",
		"SELECT rolbypassrls, rolsuper, pg_has_role('pg_read_all_data','member'), current_setting('default_transaction_read_only') FROM pg_roles WHERE rolname = current_user").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "t|f|t|on" {
		t.Errorf("the role of the backups: %q, %v", got, err)
	}
}

// unitsAlone is installTwice where there is no PostgreSQL.
func unitsAlone(t *testing.T) {
	unitsTwice(t, InstallOptions{Enable: []string{"", "exit0", "slow"}})
}

func unitsTwice(t *testing.T, o InstallOptions) {
	t.Helper()
	bus, ctx := inside(t)
	mustInstall(t, o)
	if again := mustInstall(t, o); changed(again) {
		t.Errorf("the second installation changed something: %+v", again.Steps)
	}
	for _, job := range o.Enable { // a timer that is started is no run
		if u, err := bus.Unit(ctx, BackupService(job)); err != nil || u.InvocationID != "" {
			t.Errorf("job %q ran when its timer was started: %+v, %v", job, u, err)
		}
	}
}

func operatorSeesHowARunEnds(t *testing.T) {
	bus, ctx := inside(t)
	for job, want := range map[string]Outcome{
		"exit0":    {RunOK, "", fault.OK},
		"exit3":    {RunWarn, "done, with warnings", fault.Warnings},
		"exit77":   {RunFailed, "exit code 77", fault.NotPermitted},
		"exit143":  {RunCancelled, "stopped", fault.Terminated},
		skippedJob: {RunSkipped, "a condition of the unit was not met", fault.Failed},
	} {
		for range 2 { // the second time with a past
			if _, got := start(ctx, t, bus, BackupService(job)); got != want {
				t.Errorf("%s: %+v, want %+v", job, got, want)
			}
		}
	}
	restore, _ := RestoreService("exit0")
	if u, got := start(ctx, t, bus, restore); got.State != RunOK || u.InvocationID == "" {
		t.Errorf("restore: %+v", got)
	}
}

func operatorFollowsAndStopsARun(t *testing.T) {
	bus, ctx := inside(t)
	unit := BackupService("slow")
	run, err := bus.Start(ctx, unit)
	if err != nil || len(run.InvocationID) != 32 {
		t.Fatalf("%+v, %v", run, err)
	}
	second, err := bus.Start(ctx, unit)
	if !errors.Is(err, ErrAlreadyRunning) || second.InvocationID != run.InvocationID {
		t.Errorf("a second start: %v, invocation %q, want %q", err, second.InvocationID, run.InvocationID)
	}
	statuses := map[string]bool{}
	stopped := false
	_, outcome, err := bus.Wait(ctx, run, func(u UnitState) {
		if strings.HasPrefix(u.Service.StatusText, "backup: dump ") {
			statuses[u.Service.StatusText] = true
		}
		if len(statuses) >= 2 && !stopped {
			stopped = true
			if err := bus.Stop(ctx, unit); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || outcome.State != RunCancelled {
		t.Errorf("after the stop: %+v, %v", outcome, err)
	}
}

func operatorNeedNotWaitForTheRetry(t *testing.T) {
	bus, ctx := inside(t)
	unit := BackupService("kill")
	first, err := bus.Start(ctx, unit)
	if err != nil {
		t.Fatal(err)
	}
	retrying := func(run Run) UnitState {
		changes, err := bus.Watch(ctx, unit)
		if err != nil {
			t.Fatal(err)
		}
		for {
			u, err := bus.Unit(ctx, unit)
			if err != nil {
				t.Fatal(err)
			}
			if outcomeOf(run.Before, u).State == RunRetrying {
				return u
			}
			if c, ok := <-changes; !ok || c.Err != nil {
				t.Fatalf("never waited for a retry: %+v, %v", u, ctx.Err())
			}
		}
	}
	u := retrying(first)
	if got := Current(u); got.Reason != "killed by SIGKILL" {
		t.Errorf("%+v", got)
	}
	second, err := bus.Start(ctx, unit)
	if err != nil || second.InvocationID == first.InvocationID || second.InvocationID == "" {
		t.Errorf("second start: %+v, %v", second, err)
	}
	retrying(second)
	if err := bus.Stop(ctx, unit); err != nil {
		t.Error(err)
	}
}

func operatorIsNotStoppedByTheStartLimit(t *testing.T) {
	bus, ctx := inside(t)
	for i := range 7 {
		if _, got := start(ctx, t, bus, BackupService("exit78")); got.Reason != "exit code 78" {
			t.Fatalf("start %d: %+v", i+1, got)
		}
	}
}

func operatorMayNotTouchOtherUnits(t *testing.T) {
	bus, ctx := inside(t)
	for _, unit := range []string{"systemd-tmpfiles-clean.service", "systemd-journald.service", "postgres-backup-alert@x.service"} {
		if err := bus.Stop(ctx, unit); fault.CodeOf(err) != fault.NotPermitted {
			t.Errorf("stop %s: %v", unit, err)
		}
	}
	for _, ours := range []string{BackupVerifyService("exit0"), BackupPruneService("exit0"), BackupDoctorService("exit0")} {
		if _, got := start(ctx, t, bus, ours); got.State != RunOK {
			t.Errorf("%s, which is ours: %+v", ours, got)
		}
	}
	_, err := bus.Start(ctx, "systemd-tmpfiles-clean.service")
	if fault.CodeOf(err) != fault.NotPermitted || !strings.Contains(fault.Remedy(err), "polkit") {
		t.Errorf("%v, remedy %q", err, fault.Remedy(err))
	}
	if _, err := bus.Start(ctx, "postgres-nothing.service"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a unit that does not exist: %v", err)
	}
}

// operatorRunsJobsOfAnyName: systemd 257 starts no unit that has a backslash in RuntimeDirectory= and the like.
func operatorRunsJobsOfAnyName(t *testing.T) {
	bus, ctx := inside(t)
	for _, job := range []string{"my-db", `two words and a "quote"`, "größe", "数据库", `back\slash`, "it's 100%"} {
		for _, unit := range []string{BackupService(job), BackupVerifyService(job), BackupPruneService(job), BackupDrillService(job), BackupDoctorService(job)} {
			if _, got := start(ctx, t, bus, unit); got.State != RunOK {
				t.Errorf("%s: %+v", unit, got)
			}
		}
		awaitJournal(ctx, t, []string{"-u", BackupService(job)}, fmt.Sprintf("stand-in: [%q %q]", "--headless", "--job="+job))
	}
}

// operatorIsRefusedOptionsAsInstances: the program is asked by one test, the rule by this one.
func operatorIsRefusedOptionsAsInstances(t *testing.T) {
	bus, ctx := inside(t)
	for _, base := range append(timed(), backupDoctorBase, verifyBase, drillBase, restoreBase) {
		for _, instance := range []string{"--help", "-h", "-"} {
			if _, err := bus.Start(ctx, base+"@"+instance+".service"); fault.CodeOf(err) != fault.NotPermitted {
				t.Errorf("%s@%s: %v", base, instance, err)
			}
		}
	}
}

func operatorSeesTheTimers(t *testing.T) {
	bus, ctx := inside(t)
	timers, err := bus.Timers(ctx, BackupTimer("forgotten"))
	if err != nil || len(timers) != 4 {
		t.Fatalf("%+v, %v", timers, err)
	}
	for _, timer := range timers {
		if timer.Unit != BackupService(timer.Job) || !timer.Persistent || !timer.FixedRandomDelay || timer.RandomizedDelay != 30*time.Minute ||
			!slices.Equal(timer.Calendar, []string{"*-*-* 02:00:00 UTC"}) {
			t.Errorf("%+v", timer)
		}
		want := TimerOn
		if timer.Job == "forgotten" {
			want = TimerOff
		}
		if timer.State != want || (want == TimerOn) != timer.Next.After(time.Now()) {
			t.Errorf("%s is %s, next %s", timer.Name, timer.State, timer.Next)
		}
	}
	if missing, err := bus.Timer(ctx, "postgres-backups.timer"); err != nil || missing.State != TimerMissing {
		t.Errorf("%+v, %v", missing, err)
	}
}

func strangerIsToldWhatIsMissing(t *testing.T) {
	bus, ctx := inside(t)
	for _, unit := range []string{BackupService(""), "postgres-restore@exit0.service"} {
		_, err := bus.Start(ctx, unit)
		if fault.CodeOf(err) != fault.NotPermitted {
			t.Errorf("start %s: %v", unit, err)
		}
		if remedy := fault.Remedy(err); os.Getenv(inLab) == "stranger" && !strings.Contains(remedy, "usermod -aG pgbtui stranger") {
			t.Errorf("remedy %q", remedy)
		}
	}
	if units, err := bus.Units(ctx); err != nil || len(units) == 0 {
		t.Errorf("anyone may look: %d units, %v", len(units), err)
	}
}

// awaitJournal waits until every text is in the messages that the filter selects: what a process
// wrote to its standard output reaches the journal some time after its end.
func awaitJournal(ctx context.Context, t *testing.T, filter []string, texts ...string) {
	t.Helper()
	for {
		out, err := exec.CommandContext(ctx, "journalctl", append([]string{"--output=cat"}, filter...)...).CombinedOutput()
		missing := slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return strings.Contains(string(out), text) })
		if len(missing) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%v: not in the journal: %q\n%s", err, missing, out)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func uninstall(t *testing.T) {
	bus, ctx := inside(t)
	run, err := bus.Start(ctx, BackupService("slow"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Uninstall(ctx, ""); err != nil {
		t.Fatal(err)
	}
	goesOn(ctx, t, bus, run)
	left, err := filepath.Glob(unitDir + "/*/postgres-*.timer")
	if err != nil || len(left) > 0 {
		t.Errorf("links left: %v, %v", left, err)
	}
	timers, err := bus.Timers(ctx)
	if err != nil || len(timers) > 0 {
		t.Errorf("timers left: %+v, %v", timers, err)
	}
	if _, err := bus.Start(ctx, BackupService("")); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("start after uninstalling: %v", err)
	}
	if _, err := os.Stat(configDir); err != nil {
		t.Errorf("the configuration is gone: %v", err)
	}
}

// goesOn expects a run to be what it was although its unit was removed: its settings too, without
// which systemd would end it soon. What is left of the unit goes with the next installation.
func goesOn(ctx context.Context, t *testing.T, bus *Bus, run Run) {
	t.Helper()
	out, err := exec.CommandContext(ctx, "systemctl", "show", "-p", "Type,NotifyAccess,TimeoutStartUSec,KillMode,OnFailure,FragmentPath", run.Unit).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Type=oneshot\n", "NotifyAccess=main\n", "TimeoutStartUSec=30min\n", "KillMode=mixed\n",
		"OnFailure=postgres-backup-alert@" + run.Unit + ".service\n", "FragmentPath=" + runtimeDir + "/" + run.Unit + "\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", strings.TrimSpace(want), out)
		}
	}
	if alert, err := bus.Unit(ctx, "postgres-backup-alert@"+run.Unit+".service"); err != nil || alert.LoadState != "loaded" {
		t.Errorf("the alert is %s, %v", alert.LoadState, err)
	}
	seen := map[string]bool{}
	_, outcome, err := bus.Wait(ctx, run, func(u UnitState) {
		if u.InvocationID != run.InvocationID {
			t.Errorf("another run: %s", u.InvocationID)
		}
		seen[u.Service.StatusText] = true
		if len(seen) == 2 {
			if err := bus.Stop(ctx, run.Unit); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || outcome.State != RunCancelled {
		t.Errorf("after the stop: %+v, %v", outcome, err)
	}
	mustInstall(t, InstallOptions{})
	if left, err := filepath.Glob(runtimeDir + "/postgres-*"); err != nil || len(left) > 0 {
		t.Errorf("left after installing again: %q, %v", left, err)
	}
	if _, err := Uninstall(ctx, ""); err != nil {
		t.Fatal(err)
	}
}
