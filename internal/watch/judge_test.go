package watch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

const service = "postgres-backup@sales.service"

// healthy is a job that nothing is wrong with at start.
func healthy() Job {
	set := backup.Set{ID: "s1", Kind: backup.KindNative, FinishedAt: start.Add(-40 * time.Minute), Manifest: &backup.Manifest{}}
	return Job{
		Name: "sales", Database: "sales", Sets: []backup.Set{set},
		Objective: Objective{Objectives: backup.Objectives{RPO: 26 * time.Hour}},
		Host: &JobUnits{
			Timer: systemd.Timer{Name: "postgres-backup@sales.timer", State: systemd.TimerOn, Last: start.Add(-47 * time.Minute)},
			Service: systemd.UnitState{
				Name: service, LoadState: "loaded", ActiveState: "inactive", InvocationID: "aa", ConditionAt: start.Add(-47 * time.Minute), ConditionOK: true,
				Service: systemd.ServiceState{Result: "success", ExitCode: exited, StartedAt: start.Add(-47 * time.Minute), ExitedAt: start.Add(-40 * time.Minute)},
			},
			Ours: true, Due: start.Add(23 * time.Hour),
		},
	}
}

func kinds(found []Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, string(f.Kind)+":"+f.Severity.String())
	}
	return strings.Join(all, " ")
}

func TestEachThingThatCanBeWrongIsFound(t *testing.T) {
	ended := func(j *Job, result string, code, status int32) {
		j.Sets[0].FinishedAt = start.Add(-20 * time.Hour)
		j.Host.Service.Service.Result, j.Host.Service.Service.ExitCode, j.Host.Service.Service.ExitStatus = result, code, status
		if result != "success" {
			j.Host.Service.ActiveState = "failed"
		}
	}
	for name, c := range map[string]struct {
		change func(*Job)
		want   string
	}{
		"nothing":               {func(*Job) {}, ""},
		"no set at all":         {func(j *Job) { j.Sets = nil }, "backup:critical"},
		"a set that is too old": {func(j *Job) { j.Sets[0].FinishedAt = start.Add(-27 * time.Hour) }, "backup:critical"},
		"a set of the future":   {func(j *Job) { j.Sets[0].FinishedAt = start.AddDate(1, 0, 0) }, "clock:critical"},
		"a set that is damaged": {func(j *Job) { j.Sets[0].Proofs = []backup.Proof{{Level: "readable", Error: "flip"}} }, "integrity:critical"},
		"a set with warnings":   {func(j *Job) { j.Sets[0].Manifest.Warnings = []string{"globals"} }, "warnings:warning"},
		"no proof":              {func(j *Job) { j.Objective.ProofWithin, j.Objective.ProofLevel = time.Hour, backup.LevelRestored }, "proof:warning"},
		"two forged sets": {func(j *Job) {
			for _, id := range []string{"f1", "f2"} {
				j.Sets = append(j.Sets, backup.Set{ID: id, Kind: backup.KindNative, Problem: "no", Signature: backup.SignatureForged})
			}
		}, "trust:critical"},
		"a set that is gone":      {func(j *Job) { j.Lost = "gone" }, "rollback:critical"},
		"a timer that is off":     {func(j *Job) { j.Host.Timer.State = systemd.TimerOff }, "timer:critical"},
		"a timer that is masked":  {func(j *Job) { j.Host.Timer.State = systemd.TimerMasked }, "timer:critical"},
		"a timer not installed":   {func(j *Job) { j.Host.Timer.State, j.Sets = systemd.TimerMissing, nil }, "backup:critical timer:critical"},
		"a timer only running":    {func(j *Job) { j.Host.Timer.State = systemd.TimerUnsaved }, "timer:critical"},
		"a run that was missed":   {func(j *Job) { j.Host.Due = start.Add(-time.Hour) }, "missed:critical"},
		"a run that may still be": {func(j *Job) { j.Host.Due, j.Host.Timer.RandomizedDelay = start.Add(-time.Hour), time.Hour }, ""},
		"a stamp of the future":   {func(j *Job) { j.Host.Timer.Last = start.AddDate(1, 0, 0) }, "clock:critical"},
		"a stamp on the disk":     {func(j *Job) { j.Host.Timer.Stamp = start.AddDate(1, 0, 0) }, "clock:critical"},
		"a masked service":        {func(j *Job) { j.Host.Service.LoadState = "masked" }, "unit:critical"},
		"somebody else's service": {func(j *Job) { j.Host.Ours = false }, "unit:critical"},
		"a failed run":            {func(j *Job) { ended(j, "exit-code", exited, 77) }, "run:critical"},
		"a killed run":            {func(j *Job) { ended(j, "oom-kill", 2, 9) }, "run:critical"},
		"a stopped run":           {func(j *Job) { ended(j, "exit-code", exited, 143) }, "run:warning"},
		"a run refused by count":  {func(j *Job) { ended(j, "start-limit-hit", exited, 69) }, "run:critical"},
		"a run with warnings":     {func(j *Job) { ended(j, "success", exited, 3) }, "warnings:warning"},
		"a skipped run":           {func(j *Job) { ended(j, "success", exited, 0); j.Host.Service.ConditionOK = false }, "run:critical"},
		"a failure mended since":  {func(j *Job) { ended(j, "exit-code", exited, 77); j.Sets[0].FinishedAt = start.Add(-time.Minute) }, ""},
		"a unit forgotten": {func(j *Job) {
			j.Host.Service = systemd.UnitState{Name: service, LoadState: "loaded", ActiveState: "inactive"}
		}, ""},
		"a skip systemd forgot": {func(j *Job) {
			j.Host.Service = systemd.UnitState{Name: service, LoadState: "loaded", ActiveState: "inactive"}
			j.Host.History = RunHistory{LastGood: start.Add(-26 * time.Hour), LastSkipped: start.Add(-time.Minute)}
		}, "run:critical"},
		"a skip before a good run": {func(j *Job) {
			j.Host.History = RunHistory{LastGood: start.Add(-time.Minute), LastSkipped: start.Add(-time.Hour)}
		}, ""},
		"a bucket that is silent": {func(j *Job) { j.Sets, j.SetsErr = nil, errors.New("no route") }, ""},
		"another host's job":      {func(j *Job) { j.Host = nil }, ""},
	} {
		j := healthy()
		c.change(&j)
		found := j.Judge(nil, start)
		if got := kinds(found); got != c.want {
			t.Errorf("%s: %q, want %q: %+v", name, got, c.want, found)
		}
		for _, f := range found {
			if f.What == "" || f.Remedy == "" && f.Kind != KindTrust && f.Kind != KindRollback { // these say it themselves
				t.Errorf("%s: nothing to do is said: %+v", name, f)
			}
		}
	}
}

// A reboot makes systemd forget; the incident must not be over by that.
func TestAFailureIsRememberedOverARebootUntilASetIsMade(t *testing.T) {
	failed := &Finding{Subject: service, Kind: KindRun, Severity: Critical, What: "why", Cause: "oom-kill", Run: &Run{Unit: service, Invocation: "bb", EndedAt: start.Add(-time.Hour)}}
	j := healthy()
	j.Sets[0].FinishedAt = start.Add(-20 * time.Hour)
	j.Host.Service = systemd.UnitState{Name: service, LoadState: "loaded", ActiveState: "inactive"}
	if found := j.Judge(failed, start); len(found) != 1 || found[0].What != "why" {
		t.Errorf("forgotten: %+v", found)
	}
	j.Sets[0].FinishedAt = start.Add(-time.Minute)
	if found := j.Judge(failed, start); len(found) != 0 {
		t.Errorf("still failed: %+v", found)
	}
}

// What the alert told with its reason stays as it was told: the watch sees less of it.
func TestTheWatchKnowsTheRunThatTheAlertTold(t *testing.T) {
	j := healthy()
	j.Sets[0].FinishedAt = start.Add(-20 * time.Hour)
	j.Host.Service.ActiveState, j.Host.Service.Service.Result, j.Host.Service.Service.ExitStatus = "failed", "exit-code", 77
	told := &Finding{Subject: service, Kind: KindRun, Severity: Critical, What: "access denied", Cause: "exit-code/77", Run: &Run{Unit: service, Invocation: "aa", EndedAt: start.Add(-40 * time.Minute)}}
	if found := j.Judge(told, start); len(found) != 1 || found[0].What != "access denied" {
		t.Errorf("%+v", found)
	}
}

// A timer's other work leaves no set: its own record in the journal says that it went well since.
func TestAFailureOfOtherWorkIsOverByItsNextGoodEnd(t *testing.T) {
	unit := "postgres-backup-verify@sales.service"
	failed := &Finding{Subject: unit, Kind: KindRun, Severity: Critical, What: "why", Run: &Run{Unit: unit, Invocation: "bb", EndedAt: start}}
	o := Other{Timer: systemd.Timer{Name: "postgres-backup-verify@sales.timer", State: systemd.TimerOn}, Service: systemd.UnitState{Name: unit, ActiveState: "inactive"}}
	if got := kinds(o.judge(failed)); got != "run:critical" {
		t.Errorf("forgotten: %q", got)
	}
	if o.History.LastGood = start.Add(time.Hour); kinds(o.judge(failed)) != "" {
		t.Error("still failed after a good end")
	}
}

// fakeHost answers with what its maps hold; what is not there is not installed.
type fakeHost struct {
	timers map[string]systemd.Timer
	others []systemd.Timer
	err    error
}

func (h fakeHost) Timer(_ context.Context, name string) (systemd.Timer, error) {
	t, ok := h.timers[name]
	if !ok {
		t = systemd.Timer{State: systemd.TimerMissing, LoadState: "not-found"}
	}
	t.Name = name
	return t, h.err
}

func (h fakeHost) Unit(_ context.Context, name string) (systemd.UnitState, error) {
	return systemd.UnitState{Name: name, LoadState: "loaded", ActiveState: "inactive"}, h.err
}

func (h fakeHost) OtherTimers(context.Context) ([]systemd.Timer, error) { return h.others, h.err }

func TestWhatCannotBeReadIsNotJudgedAndIsReported(t *testing.T) {
	job := config.Job{Name: "sales", S3: config.S3{Bucket: "b", Prefix: "p"}}
	c := &config.Config{Jobs: []config.Job{job}}
	silent := Prober{Host: fakeHost{}, Sets: func(context.Context, config.Job) ([]backup.Set, error) { return nil, errors.New("connection refused") }}
	snapshot := silent.Probe(t.Context(), c, c.Jobs)
	found := kinds(snapshot.Findings(nil, start))
	if !strings.Contains(found, "bucket:critical") || strings.Contains(found, "backup:") {
		t.Errorf("a bucket that does not answer: %s", found)
	}
	if !snapshot.Unjudged(Incident{Finding: Finding{Subject: "sales", Kind: KindBackup}}) || snapshot.Unjudged(Incident{Finding: Finding{Subject: "sales", Kind: KindTimer}}) {
		t.Error("sets are judged without a bucket, or timers are not")
	}
	noBus := Prober{Host: fakeHost{err: errors.New("no bus")}, Sets: func(context.Context, config.Job) ([]backup.Set, error) { return healthy().Sets, nil }}
	snapshot = noBus.Probe(t.Context(), c, c.Jobs)
	if found := kinds(snapshot.Findings(nil, start)); found != "systemd:critical" {
		t.Errorf("systemd does not answer: %s", found)
	}
	if !snapshot.Unjudged(Incident{Finding: Finding{Subject: service, Kind: KindRun}}) {
		t.Error("runs are judged without systemd")
	}
}

func TestTheTimerThatIsOnIsTheJobs(t *testing.T) {
	job := config.Job{Name: "sales"}
	c := &config.Config{Jobs: []config.Job{job}}
	host := fakeHost{timers: map[string]systemd.Timer{"postgres-backup@sales.timer": {State: systemd.TimerOn}, "postgres-backup.timer": {State: systemd.TimerOff}}}
	units, err := Prober{Host: host}.jobUnits(t.Context(), c, job)
	if err != nil || units.Timer.Name != "postgres-backup@sales.timer" || units.Service.Name != service {
		t.Errorf("%+v, %v", units, err)
	}
}

func TestATimerOfOtherWorkIsAskedForOnlyWhereItWasSwitchedOn(t *testing.T) {
	for state, want := range map[systemd.TimerState]string{systemd.TimerOn: "", systemd.TimerOff: "", systemd.TimerStopped: "timer:warning", systemd.TimerMasked: "timer:warning"} {
		o := Other{Timer: systemd.Timer{Name: "postgres-backup-verify@sales.timer", State: state}, Service: systemd.UnitState{Name: "postgres-backup-verify@sales.service"}}
		if got := kinds(o.judge(nil)); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}
