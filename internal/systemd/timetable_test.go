package systemd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// image is a folder that stands for /, with our units and the files of these texts.
func image(t *testing.T, files map[string]string) root {
	t.Helper()
	r := root(t.TempDir())
	units, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range units {
		if filepath.Dir(f.Path) == unitDir {
			files[f.Path] = f.Text
		}
	}
	for path, text := range files {
		if _, err := r.write(File{Path: path, Mode: 0o644, Text: text}, -1); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// installed is a timer of ours as systemd has it before anything was changed.
func installed(name string, state TimerState) Timer {
	base, _, _ := strings.Cut(name, "@")
	t := Timer{
		Name: name, State: state, LoadState: "loaded", FragmentPath: unitDir + "/" + base + "@.timer", Persistent: true,
		Calendar: []string{"*-*-* 02:00:00 UTC"}, RandomizedDelay: 30 * time.Minute,
	}
	t.Job, t.Plain, _ = JobOf(name)
	return t
}

func planned(t *testing.T, r root, found []Timer, o TimerPlanOptions) *TimerPlan {
	t.Helper()
	need.Program(t, "systemd-analyze")
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	plan, err := planTimers(t.Context(), r, found, o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAScheduleBecomesADropInOnceAndIsThenInStep(t *testing.T) {
	name := BackupTimer("my-db")
	ten := 10 * time.Minute
	wish := TimerWish{Timer: name, Job: "my-db", On: true, Calendar: []string{"*-*-* 00/4:00:00 UTC", "Sun 23:00"}, Jitter: &ten}
	r := image(t, map[string]string{})
	timer := installed(name, TimerOff)
	plan := planned(t, r, []Timer{timer}, TimerPlanOptions{Wishes: []TimerWish{wish}, Whole: true})
	c := plan.Timers[0]
	if len(plan.Timers) != 1 || !c.Enable || c.Write != unitDir+`/postgres-backup@my\x2ddb.timer.d/60-pgbtui-schedule.conf` ||
		!slices.Equal(c.After.Calendar, wish.Calendar) || c.After.Jitter != ten || c.Trouble != "" || !c.Due.IsZero() {
		t.Fatalf("%+v", plan)
	}
	report := &Report{}
	if err := plan.applyFiles(r, report); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(r.path(c.Write))
	if err != nil || !strings.HasSuffix(string(text),
		"[Timer]\nOnCalendar=\nOnCalendar=*-*-* 00/4:00:00 UTC\nOnCalendar=Sun 23:00\nRandomizedDelaySec=600000ms\n") {
		t.Errorf("%v\n%s", err, text)
	}
	timer.State = TimerOn
	if plan = planned(t, r, []Timer{timer}, TimerPlanOptions{Wishes: []TimerWish{wish}, Whole: true}); plan.Changes() {
		t.Errorf("not in step: %+v", plan)
	}
	// The schedule is taken out of the file: back to the installed timer's.
	wish.Calendar, wish.Jitter = nil, nil
	plan = planned(t, r, []Timer{timer}, TimerPlanOptions{Wishes: []TimerWish{wish}, Whole: true})
	if c = plan.Timers[0]; c.Remove == "" || c.Enable || c.Disable ||
		!slices.Equal(c.After.Calendar, []string{"*-*-* 02:00:00 UTC"}) || c.After.Jitter != 30*time.Minute {
		t.Errorf("%+v", c)
	}
	if err := plan.applyFiles(r, report); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.path(filepath.Dir(c.Remove))); !os.IsNotExist(err) {
		t.Errorf("the drop-in's folder is still there: %v", err)
	}
}

func TestWhatAPersonWroteIsNeverTouchedAndIsNamed(t *testing.T) {
	name := BackupTimer("shop")
	theirs := unitDir + "/" + name + ".d/schedule.conf"
	r := image(t, map[string]string{theirs: "[Timer]\nOnCalendar=\nOnCalendar=hourly\n"})
	wish := TimerWish{Timer: name, Job: "shop", On: true, Calendar: []string{"daily"}}
	plan := planned(t, r, []Timer{installed(name, TimerOn)}, TimerPlanOptions{Wishes: []TimerWish{wish}})
	c := plan.Timers[0]
	if len(plan.Troubles()) != 1 || !strings.Contains(c.Trouble, theirs) || !slices.Equal(c.ByHand, []string{theirs}) ||
		!slices.Equal(c.After.Calendar, []string{"hourly"}) {
		t.Errorf("%+v", c)
	}
	// Without a schedule in the file the drop-in holds, and nothing is wrong.
	wish.Calendar = nil
	plan = planned(t, r, []Timer{installed(name, TimerOn)}, TimerPlanOptions{Wishes: []TimerWish{wish}})
	if plan.Changes() || len(plan.Troubles()) != 0 || !slices.Equal(plan.Timers[0].ByHand, []string{theirs}) {
		t.Errorf("%+v", plan.Timers[0])
	}
	// One in our place that is not ours stays, too.
	r = image(t, map[string]string{dropInPath(name): "[Timer]\nAccuracySec=1h\n"})
	wish.Calendar = []string{"daily"}
	plan = planned(t, r, []Timer{installed(name, TimerOn)}, TimerPlanOptions{Wishes: []TimerWish{wish}})
	if plan.Changes() || len(plan.Troubles()) != 1 {
		t.Errorf("%+v", plan.Timers[0])
	}
	plan = planned(t, r, []Timer{installed(name, TimerOn)}, TimerPlanOptions{Whole: true})
	if c := plan.Timers[0]; c.Remove != "" {
		t.Errorf("a person's drop-in would be removed with the job: %+v", c)
	}
}

func TestAJobThatIsGoneLosesTimersAndDropInAlsoAfterAKill(t *testing.T) {
	old := BackupTimer("old")
	drop := dropInPath(old)
	ours := scheduleText(TimerWish{Calendar: []string{"daily"}})
	r := image(t, map[string]string{drop: ours})
	foreign := Timer{Name: "postgres-backup-drill@x.timer", State: TimerOn, FragmentPath: "/lib/systemd/system/y.timer"}
	whole := TimerPlanOptions{Whole: true, Wishes: []TimerWish{{Timer: BackupTimer("new"), On: true}}}
	// WroteFile reads this machine: what it does not find there is not ours.
	running := installed(old, TimerOn)
	running.FragmentPath = ""
	plan := planned(t, r, []Timer{running, installed(BackupTimer("new"), TimerOn), foreign}, whole)
	if len(plan.Timers) != 2 || plan.Timers[1].Timer != old || !plan.Timers[1].Disable || plan.Timers[1].Remove != drop {
		t.Fatalf("%+v", plan)
	}
	// Killed when the timer was off and the drop-in still there.
	plan = planned(t, r, []Timer{installed(BackupTimer("new"), TimerOn)}, whole)
	if len(plan.Timers) != 2 || plan.Timers[1].Remove != drop || plan.Timers[1].Disable || plan.Timers[1].Job != "old" {
		t.Errorf("%+v", plan)
	}
	// Where the file does not list its jobs, other timers are nobody's business.
	if plan = planned(t, r, []Timer{running}, TimerPlanOptions{}); plan.Changes() {
		t.Errorf("%+v", plan)
	}
}

func TestATimerThatCannotBeSwitchedIsSaidAndAMissingOneRefused(t *testing.T) {
	name := BackupTimer("shop")
	r := image(t, map[string]string{})
	wishes := []TimerWish{{Timer: name, Job: "shop", On: true, Calendar: []string{"daily"}}}
	plan := planned(t, r, []Timer{installed(name, TimerMasked)}, TimerPlanOptions{Wishes: wishes})
	if plan.Changes() || len(plan.Troubles()) != 1 || !strings.Contains(plan.Timers[0].Remedy, "unmask") {
		t.Errorf("%+v", plan.Timers[0])
	}
	_, err := planTimers(t.Context(), r, []Timer{installed(name, TimerMissing)}, TimerPlanOptions{Wishes: wishes})
	if fault.CodeOf(err) != fault.Refused || !strings.Contains(fault.Remedy(err), "units install") {
		t.Errorf("%v", err)
	}
	wishes[0].Calendar = []string{"25:00"}
	_, err = planTimers(t.Context(), r, []Timer{installed(name, TimerOn)}, TimerPlanOptions{Wishes: wishes})
	if err == nil || !strings.Contains(err.Error(), "25:00") {
		t.Errorf("%v", err)
	}
}

// A timer counts from its last run: by a denser calendar, the next one is overdue at once.
func TestARunThatStartsAtOnceIsSaidBefore(t *testing.T) {
	name := BackupTimer("shop")
	r := image(t, map[string]string{})
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	timer := installed(name, TimerOn)
	timer.Last = now.Add(-10 * time.Hour)
	wish := TimerWish{Timer: name, On: true, Calendar: []string{"*-*-* *:00:00 UTC"}}
	o := TimerPlanOptions{Wishes: []TimerWish{wish}, Now: now}
	if c := planned(t, r, []Timer{timer}, o).Timers[0]; !c.Due.Equal(now.Add(-9 * time.Hour)) {
		t.Errorf("due %s", c.Due)
	}
	o.Wishes[0].Calendar = []string{"*-*-* 14:00:00 UTC"}
	if c := planned(t, r, []Timer{timer}, o).Timers[0]; !c.Due.IsZero() {
		t.Errorf("due %s", c.Due)
	}
}

func TestClockChangesAreFoundWhereARunIsLost(t *testing.T) {
	need.Program(t, "systemd-analyze")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TZ", "Europe/Berlin")
	spring := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"*-*-* 02:30:00":               time.Date(2026, 3, 30, 0, 30, 0, 0, time.UTC),
		"*-*-* 02:30:00 Europe/Berlin": time.Date(2026, 3, 30, 0, 30, 0, 0, time.UTC),
		"Sun 02:30":                    time.Date(2026, 4, 5, 0, 30, 0, 0, time.UTC),
		"*-*-* 02:30:00 UTC":           {},
		"*-*-* 04:00:00":               {},
		"hourly":                       {},
		"*:0/5":                        {},
		"Mon 02:30":                    {},
		"*-*-* 02:30:00 America/Lima":  {},
	} {
		changes, err := ClockChanges(t.Context(), text, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), berlin)
		if err != nil {
			t.Fatal(err)
		}
		var got time.Time
		for _, c := range changes {
			if c.At.Equal(spring) {
				got = c.Next
				if c.Wall != "02:30" || c.Zone != "Europe/Berlin" {
					t.Errorf("%s: %+v", text, c)
				}
			}
		}
		if !got.Equal(want) {
			t.Errorf("%s: fires next at %s, want %s: %+v", text, got, want, changes)
		}
	}
}

func TestOverlapsCountRunsThatMeet(t *testing.T) {
	at := func(hours ...int) (times []time.Time) {
		for _, h := range hours {
			times = append(times, time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC))
		}
		return times
	}
	all := []Runs{
		{Name: "a", Starts: at(0, 4, 8), Lasts: 90 * time.Minute},
		{Name: "b", Starts: at(1, 4, 12), Lasts: time.Hour},
		{Name: "c", Starts: at(3), Lasts: time.Hour},
		{Name: "d", Starts: at(20)},
	}
	got := Overlaps(all)
	want := []Overlap{
		{Names: [2]string{"a", "b"}, First: at(1)[0], Count: 2},
		{Names: [2]string{"a", "c"}, First: at(4)[0], Count: 1},
		{Names: [2]string{"b", "c"}, First: at(4)[0], Count: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if when, names := Busiest(all); !when.Equal(at(4)[0]) || !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("%s %q", when, names)
	}
}

func TestSpansAreReadAsSystemdWritesThem(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30min": 30 * time.Minute, "90": 90 * time.Second, "1h 30min": 90 * time.Minute, "600000ms": 10 * time.Minute,
		"5m": 5 * time.Minute, "2d": 48 * time.Hour, "3hours 1sec": 3*time.Hour + time.Second, "": 0, "x": 0, "0": 0,
	} {
		if got := parseSpan(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
