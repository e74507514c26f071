package watch

import (
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestTheObjectiveIsTheCalendarsLongestGap(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for _, c := range []struct {
		calendar []string
		delay    time.Duration
		want     time.Duration
	}{
		{[]string{"*-*-* 02:00:00 UTC"}, 30 * time.Minute, 26*time.Hour + 31*time.Minute},
		{[]string{"*-*-* 00/6:15:00 UTC"}, 0, 8*time.Hour + time.Minute},
		{[]string{"*-*-* 02:00:00 UTC", "*-*-* 14:00:00 UTC"}, 0, 14*time.Hour + time.Minute},
		{[]string{"Mon..Fri *-*-* *:00:00 UTC"}, 0, 49*time.Hour + 2*time.Hour + time.Minute}, // Friday 23:00 to Monday 0:00
		{[]string{"Sun *-*-* 02:00:00 UTC"}, 0, 7*24*time.Hour + 2*time.Hour + time.Minute},
	} {
		timer := &systemd.Timer{LoadState: "loaded", Calendar: c.calendar, RandomizedDelay: c.delay, Accuracy: time.Minute}
		if got := objectiveOf(t.Context(), config.Job{}, Schedule{Timer: timer}); got.RPO != c.want || got.RPOFrom != FromCalendar {
			t.Errorf("%q: %s by %s, want %s", c.calendar, got.RPO, got.RPOFrom, c.want)
		}
	}
}

// 366 nights from now on hold both changes of the clocks.
func TestChangesOfTheClocksDoNotWidenTheObjectiveOfACalendarInUTC(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for _, zone := range []string{"Europe/Berlin", "America/New_York"} {
		t.Setenv("TZ", zone)
		for calendar, want := range map[string]time.Duration{"*-*-* 02:00:00 UTC": 24 * time.Hour, "*-*-* 02:30:00": 47 * time.Hour} {
			times, err := systemd.CalendarNext(t.Context(), calendar, 366)
			if got := longestGap([][]time.Time{times}); err != nil || got != want {
				t.Errorf("%s in %s: %s, want %s, %v", calendar, zone, got, want, err)
			}
		}
	}
}

func TestTheConfigurationGoesBeforeTheCalendar(t *testing.T) {
	timer := &systemd.Timer{LoadState: "loaded", Calendar: []string{"*-*-* 02:00:00 UTC"}}
	if got := objectiveOf(t.Context(), config.Job{RPO: 8 * time.Hour}, Schedule{Timer: timer}); got.RPO != 8*time.Hour || got.RPOFrom != FromConfig {
		t.Errorf("%+v", got)
	}
}

func TestWithoutATimerThereIsADefault(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for name, timer := range map[string]*systemd.Timer{
		"none": nil, "not installed": {LoadState: "not-found"}, "no calendar": {LoadState: "loaded"},
		"not readable": {LoadState: "loaded", Calendar: []string{"every now and then"}}, "once": {LoadState: "loaded", Calendar: []string{"2100-01-01 00:00:00 UTC"}},
	} {
		if got := objectiveOf(t.Context(), config.Job{}, Schedule{Timer: timer}); got.RPO != defaultRPO || got.RPOFrom != FromDefault {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestProofsAreAskedForWhereTheyAreMade(t *testing.T) {
	for _, c := range []struct {
		job      config.Job
		schedule Schedule
		within   time.Duration
		level    backup.Level
	}{
		{config.Job{RPO: time.Hour}, Schedule{}, 0, backup.LevelReadable},
		{config.Job{RPO: time.Hour}, Schedule{Verified: true}, 27 * time.Hour, backup.LevelReadable},
		{config.Job{RPO: time.Hour}, Schedule{Verified: true, Drilled: true}, drillWithin, backup.LevelRestored},
		{config.Job{RPO: time.Hour, ProofWithin: 48 * time.Hour}, Schedule{}, 48 * time.Hour, backup.LevelReadable},
		{config.Job{RPO: time.Hour, ProofWithin: 48 * time.Hour}, Schedule{Drilled: true}, 48 * time.Hour, backup.LevelRestored},
	} {
		if got := objectiveOf(t.Context(), c.job, c.schedule); got.ProofWithin != c.within || got.ProofLevel != c.level {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
