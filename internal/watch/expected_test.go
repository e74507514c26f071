package watch

import (
	"context"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// on is a timer as systemd shows one that is enabled and runs.
func on(name string) systemd.Timer {
	return systemd.Timer{Name: name, Unit: strings.TrimSuffix(name, ".timer") + ".service", State: systemd.TimerOn, UnitFileState: "enabled"}
}

func TestATimerThatAJobCountsOnIsMissedWhenItIsOff(t *testing.T) {
	const backups, drills, prunes = "postgres-backup@sales.timer", "postgres-backup-drill@sales.timer", "postgres-backup-prune@sales.timer"
	keeper := config.Keep{Days: 30, By: config.PruneByTimer}
	in := func(state systemd.TimerState, name string) systemd.Timer {
		timer := on(name)
		timer.State = state
		return timer
	}
	for name, c := range map[string]struct {
		job    config.Job
		backup systemd.Timer
		others []systemd.Timer
		want   string // what is told, each with its remedy
	}{
		"all are on":                    {config.Job{Drill: config.Drill{By: config.DrillByTimer}, Keep: keeper}, on(backups), []systemd.Timer{on(drills), on(prunes)}, ""},
		"no drill":                      {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, on(backups), nil, drills + " is off. Run `sudo pgbtui units install --enable sales`"},
		"a drill that was switched off": {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, on(backups), []systemd.Timer{in(systemd.TimerOff, drills)}, drills + " is off. Run `sudo"},
		"another job's drill":           {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, on(backups), []systemd.Timer{on("postgres-backup-drill@x.timer")}, drills + " is off. Run `sudo"},
		"the plain drill":               {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, on(backups), []systemd.Timer{on("postgres-backup-drill.timer")}, ""},
		"a drill until the next boot":   {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, on(backups), []systemd.Timer{in(systemd.TimerUnsaved, drills)}, drills + " is not enabled, and gone"},
		"a masked drill, told as such":  {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, on(backups), []systemd.Timer{in(systemd.TimerMasked, drills)}, drills + " is masked. Run `sudo systemctl unmask"},
		"drills by people":              {config.Job{Drill: config.Drill{By: config.DrillByHand}}, on(backups), nil, ""},
		"nobody prunes":                 {config.Job{Drill: config.Drill{By: config.DrillByHand}, Keep: keeper}, on(backups), nil, prunes + " is off. Run `sudo pgbtui units install --enable-prune sales`"},
		"a keeper without rules":        {config.Job{Drill: config.Drill{By: config.DrillByHand}, Keep: config.Keep{By: config.PruneByTimer}}, on(backups), nil, ""},
		"nobody copies": {
			config.Job{Drill: config.Drill{By: config.DrillByHand}, Copies: []config.Copy{{Name: "other"}}},
			on(backups), nil,
			"postgres-backup-copy@sales.timer is off. Run `sudo pgbtui units install --enable sales`",
		},
		"copies are made": {
			config.Job{Drill: config.Drill{By: config.DrillByHand}, Copies: []config.Copy{{Name: "other"}}},
			on(backups),
			[]systemd.Timer{on("postgres-backup-copy@sales.timer")},
			"",
		},
		"copies with rules that nobody carries out": {
			config.Job{Drill: config.Drill{By: config.DrillByHand}, Copies: []config.Copy{{Name: "other", Keep: config.Keep{Days: 9}}}},
			on(backups),
			[]systemd.Timer{on("postgres-backup-copy@sales.timer")},
			prunes + " is off. Run `sudo pgbtui units install --enable-prune sales`",
		},
		"another host's job": {config.Job{Drill: config.Drill{By: config.DrillByTimer}}, in(systemd.TimerOff, backups), nil, "no backup will be started"},
		"the plain units": {
			config.Job{Drill: config.Drill{By: config.DrillByTimer}},
			on("postgres-backup.timer"), nil,
			"postgres-backup-drill.timer is off. Run `sudo pgbtui units install --enable-plain`",
		},
	} {
		c.job.Name = "sales"
		c.backup.Job, _, _ = systemd.JobOf(c.backup.Name)
		host := fakeHost{timers: map[string]systemd.Timer{c.backup.Name: c.backup}, others: c.others}
		sets := func(context.Context, config.Job) ([]backup.Set, error) { return healthy().Sets, nil }
		conf := &config.Config{Jobs: []config.Job{c.job}}
		var told []string
		for _, f := range (Prober{Host: host, Sets: sets}).Probe(t.Context(), conf, conf.Jobs).Findings(nil, start) {
			if f.Kind == KindTimer {
				told = append(told, f.Text())
			}
		}
		if c.want == "" && len(told) > 0 || c.want != "" && (len(told) != 1 || !strings.Contains(told[0], c.want)) {
			t.Errorf("%s: %q, want %q", name, told, c.want)
		}
	}
}

func TestATimerThatDoesNotFollowTheScheduleOfItsJobIsAWarning(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for name, c := range map[string]struct {
		schedule, loaded []string
		state            systemd.TimerState
		want             string
	}{
		"nothing is said":            {loaded: []string{"*-*-* 02:00:00 UTC"}, state: systemd.TimerOn},
		"the same in other words":    {schedule: []string{"daily", "Sun 03:00 UTC"}, loaded: []string{"Sun *-*-* 03:00:00 UTC", "*-*-* 00:00:00"}, state: systemd.TimerOn},
		"changed and not synced":     {schedule: []string{"hourly"}, loaded: []string{"*-*-* 02:00:00 UTC"}, state: systemd.TimerOn, want: "fires at *-*-* 02:00:00 UTC, and the configuration says hourly"},
		"one of two":                 {schedule: []string{"hourly", "daily"}, loaded: []string{"*-*-* *:00:00"}, state: systemd.TimerOn, want: "says hourly, daily"},
		"off, which is told already": {schedule: []string{"hourly"}, loaded: []string{"daily"}, state: systemd.TimerOff},
		"not understood by systemd":  {schedule: []string{"25:00"}, loaded: []string{"daily"}, state: systemd.TimerOn},
	} {
		timer := on("postgres-backup@sales.timer")
		timer.State, timer.Calendar = c.state, c.loaded
		job := config.Job{Name: "sales", Drill: config.Drill{By: config.DrillByHand}}
		job.Timetable.Backup.Calendar = c.schedule
		host := fakeHost{timers: map[string]systemd.Timer{timer.Name: timer}}
		sets := func(context.Context, config.Job) ([]backup.Set, error) { return healthy().Sets, nil }
		conf := &config.Config{Jobs: []config.Job{job}}
		var told []string
		for _, f := range (Prober{Host: host, Sets: sets}).Probe(t.Context(), conf, conf.Jobs).Findings(nil, start) {
			if f.Kind == KindSchedule {
				told = append(told, f.Text())
			}
		}
		if c.want == "" && len(told) > 0 || c.want != "" && (len(told) != 1 || !strings.Contains(told[0], c.want) ||
			!strings.Contains(told[0], "jobs sync")) {
			t.Errorf("%s: %q, want %q", name, told, c.want)
		}
	}
}
