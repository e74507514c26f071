package ui_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// fine leaves only sales, whose backups are all right, with a watch.
func fine(w *uitest.World, o *ui.Options) {
	o.Jobs = o.Jobs[2:]
	sets := w.AllSets
	w.AllSets = nil
	for _, s := range sets {
		if s.Database == "sales" {
			w.AllSets = append(w.AllSets, s)
		}
	}
	w.AllRuns, w.AllTimer = w.AllRuns[2:], append(w.AllTimer[2:], ui.Timer{
		Unit: "postgres-backup-watch.timer", Service: "postgres-backup-watch.service", Action: "watch", Enabled: "enabled", Active: true,
		Next: uitest.Now.Add(time.Hour), State: ui.TimerOn,
	})
}

func TestWhatOnlyTheWatchSeesIsShownAndWhatIsMendedIsNot(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) {
		fine(w, o)
		at := uitest.Now.Add(-3 * time.Hour)
		w.Incident = []ui.Incident{
			{Subject: "channel 1", Kind: "channel", Critical: true, What: "a channel refuses alerts", Remedy: "Check its address.", OpenedAt: at},
			{Subject: "sales", Kind: "backup", Critical: true, What: "the newest good backup is older than the objective", OpenedAt: at},
			{Subject: "postgres-backup-drill@sales.service", Kind: "run", Critical: true, What: "the last run of the drill failed", OpenedAt: at, Undelivered: true},
			{Subject: "postgres-backup@sales.service", Kind: "run", Critical: true, What: "the last backup failed", OpenedAt: at},
		}
	})
	ready(d).Until("a channel refuses alerts (alert sent 3h 00m ago)").Until("→ Check its address.")
	d.Until("the last run of the drill failed").Until("undelivered since")
	if v := plain(d); strings.Contains(v, "older than the objective") || strings.Contains(v, "last backup failed") || strings.Contains(v, "all recoverable") {
		t.Errorf("what a newer backup has mended is called wrong:\n%s", v)
	}
}

func TestWhatTheWatchToldIsNotSaidTwice(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		w.Incident = []ui.Incident{{Subject: "crm", Kind: "timer", Critical: true, What: "no backup will be started", OpenedAt: uitest.Now.Add(-time.Hour)}}
	})
	ready(d).Until("its timer is off")
	if v := plain(d); strings.Contains(v, "no backup will be started") {
		t.Error(v)
	}
}

// The console reads what the runs saw, as the watch does, and knows earlier that a job was added.
func TestADatabaseThatHasAJobByNowIsNotCalledUncovered(t *testing.T) {
	told := ui.Incident{
		Subject: "the server of this host", Kind: "uncovered", What: "no job backs up database wiki", OpenedAt: uitest.Now.Add(-time.Hour),
	}
	d, _ := open(t, func(w *uitest.World, o *ui.Options) { fine(w, o); w.Incident = []ui.Incident{told} })
	ready(d).UntilIs("nothing of it", func(string) bool {
		v := plain(d)
		return strings.Contains(v, "all recoverable") && !strings.Contains(v, "wiki")
	})
	d, _ = open(t, func(w *uitest.World, o *ui.Options) {
		fine(w, o)
		w.Incident = []ui.Incident{told}
		w.NoJob = []ui.Uncovered{{Database: "wiki", Server: told.Subject}}
	})
	// What the watch told may be read before what the runs saw.
	ready(d).UntilIs("what this console knows itself", func(string) bool {
		v := plain(d)
		return strings.Contains(v, "no job backs up database wiki") && !strings.Contains(v, "alert sent") &&
			!strings.Contains(v, "all recoverable")
	})
}

func TestAWatchThatCannotBeReadIsSaid(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) { fine(w, o); w.Fail["told"] = errors.New("permission denied") })
	ready(d).Until("what it has told cannot be read").Until("permission denied")
}

func TestTimersThatProveClearUpAndWatchHaveStatesOfTheirOwn(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) {
		fine(w, o)
		one := func(action string, state ui.TimerState, problem string) {
			w.AllTimer = append(w.AllTimer, ui.Timer{
				Unit: "postgres-backup-" + action + "@sales.timer", Service: "postgres-backup-" + action + "@sales.service",
				Action: action, Job: "sales", Database: "sales", State: state, Problem: problem, Remedy: "mend " + action, Next: uitest.Now.Add(time.Hour),
			})
		}
		w.AllTimer[1].State, w.AllTimer[1].Problem, w.AllTimer[1].Remedy = ui.TimerStopped, "stopped until the next boot", "Run `sudo systemctl start postgres-backup-watch.timer`."
		one("verify", ui.TimerMissed, "should have fired at 22 Nov 05:00 CET")
		one("drill", ui.TimerMasked, "masked")
		one("prune", ui.TimerOff, "off")
	})
	ready(d).Until("no alert is sent when a backup is late").Until("→ Run `sudo systemctl start postgres-backup-watch.timer`.")
	d.Until("should have fired at 22 Nov 05:00 CET").Until("it is masked")
	if strings.Contains(plain(d), "mend prune") {
		t.Error("a prune timer that is off is somebody's choice")
	}
	d.Press("4").Until("◷ MISSED").Until("– MASKED").Until("! STOPPED").Until("– OFF")
}

func TestATimerThatTheConfigurationCountsOnIsMissedWhenItIsOff(t *testing.T) {
	for wanted, want := range map[bool]string{false: "all recoverable", true: "postgres-backup-drill@sales it is off"} {
		d, _ := open(t, func(w *uitest.World, o *ui.Options) {
			fine(w, o)
			w.AllTimer = append(w.AllTimer, ui.Timer{
				Unit: "postgres-backup-drill@sales.timer", Service: "postgres-backup-drill@sales.service", Action: "drill", Job: "sales", Database: "sales",
				State: ui.TimerOff, Problem: "off", Remedy: "Run `sudo pgbtui units install --enable sales`.", Wanted: wanted,
			})
		})
		ready(d).UntilIs(want, func(string) bool { return strings.Contains(strings.Join(strings.Fields(plain(d)), " "), want) })
	}
}

func TestNothingIsCalledRecoverableBeforeEverySourceAnswered(t *testing.T) {
	hold := make(chan struct{})
	w := uitest.New()
	o := w.Options()
	fine(w, &o)
	o.Look.NoColor = true
	o.Sources.Timers = held{w, hold}
	d := ui.Drive(t, o, 80, 24)
	d.Until("23 Nov 03:00")
	if v := plain(d); strings.Contains(v, "recoverable") || !strings.Contains(strings.SplitN(v, "\n", 2)[0], "reading") {
		t.Error(v)
	}
	close(hold)
	d.Until("all recoverable")
}

func TestADrillByTimerThatFailedIsFoundBeforeTheWatchTellsIt(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) {
		fine(w, o)
		unit := "postgres-backup-drill@sales.service"
		w.AllRuns = append(w.AllRuns, ui.UnitRun{Unit: unit, Action: "drill", Job: "sales", Database: "sales", State: ui.RunFailed, Detail: "exit code 73", Remedy: "make room"})
		w.Incident = []ui.Incident{{Subject: unit, Kind: "run", Critical: true, What: "told already"}}
	})
	ready(d).Until("! drill of sales").Until("the last run failed: exit code 73").Until("→ make room").Until("this host")
	if strings.Contains(plain(d), "told already") {
		t.Errorf("it is said twice:\n%s", plain(d))
	}
}

func TestARunThatFailedIsShownWithTheErrorAndTheRemedyThatItsAlertTold(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) {
		fine(w, o)
		backup, drill := "postgres-backup@sales.service", "postgres-backup-drill@sales.service"
		w.AllRuns = []ui.UnitRun{
			{Unit: backup, Action: "backup", Job: "sales", Database: "sales", State: ui.RunFailed, EndedAt: uitest.Now, Invocation: "b1", Detail: "exit code 4", Remedy: "read the journal"},
			{Unit: drill, Action: "drill", Job: "sales", Database: "sales", State: ui.RunFailed, EndedAt: uitest.Now, Invocation: "d2", Detail: "exit code 65", Remedy: "read the journal"},
		}
		w.Incident = []ui.Incident{
			{Subject: backup, Kind: "run", Critical: true, What: "backup failed: backup: the dump has no tables", Remedy: "check the server", OpenedAt: uitest.Now, Invocation: "b1"},
			{Subject: drill, Kind: "run", Critical: true, What: "an earlier drill had no room", Remedy: "make room", OpenedAt: uitest.Now, Invocation: "d1"},
		}
	})
	ready(d).Until("last backup failed: the dump has no tables").Until("→ check the server")
	d.Until("the last run failed: exit code 65")
	if strings.Contains(plain(d), "earlier drill") {
		t.Errorf("the error of another run is shown:\n%s", plain(d))
	}
	d.Press("3").Until("RUNS").Until("the dump has no tables").Until("→ check the server")
	d.Press("4").Until("TIMERS").Until("✗ ") // beside a timer that is well itself
}
