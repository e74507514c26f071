package config

import (
	"fmt"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"
)

// When the timers of a job fire: `schedule` and `jitter`, of the job for its backups, and of verify, drill, keep and
// copy for what else it has a timer for. `pgbtui jobs sync` makes drop-ins of them. Rules:
//
//   - a schedule is one OnCalendar= expression of systemd.time(7), or a list; only systemd knows which are right, so
//     here is only refused what could say more in a unit file than a time
//   - what is not given is left to the timer that `units install` wrote

// Schedule is when one timer fires. The zero value leaves that to the installed timer.
type Schedule struct {
	Calendar []string // OnCalendar= expressions
	Jitter   *time.Duration
}

// Given reports whether the configuration says anything of it.
func (s Schedule) Given() bool { return len(s.Calendar) > 0 || s.Jitter != nil }

// Timetable is the schedule of each timer of a job.
type Timetable struct {
	Backup Schedule
	Verify Schedule
	Drill  Schedule
	Prune  Schedule
	Copy   Schedule
}

// fileTimed is a section that says of a timer when it fires, and nothing else.
type fileTimed struct {
	Schedule calendars `yaml:"schedule"`
	Jitter   jitter    `yaml:"jitter"`
}

// calendars are one expression, or a list of them.
type calendars []string

func (c *calendars) UnmarshalYAML(node *yaml.Node) error {
	var list []string
	switch {
	case node.Kind == yaml.ScalarNode:
		list = []string{node.Value}
	case node.Kind == yaml.SequenceNode:
		if err := node.Decode(&list); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("line %d: no time; leave the key out where the installed timer's times are meant", node.Line)
	}
	*c = list
	return nil
}

// jitter is a duration that may be 0, which is not the same as none.
type jitter struct {
	set   bool
	value time.Duration
}

func (j *jitter) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "0" || n.Value == "0s" {
		*j = jitter{set: true}
		return nil
	}
	v, err := parseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w; 0 is none", n.Line, err)
	}
	*j = jitter{set: true, value: v}
	return nil
}

// timetable of a job's settings.
func (f fileSettings) timetable() Timetable {
	return Timetable{
		Backup: scheduleOf(f.Schedule, f.Jitter),
		Verify: scheduleOf(f.Verify.Schedule, f.Verify.Jitter),
		Drill:  scheduleOf(f.Drill.Schedule, f.Drill.Jitter),
		Prune:  scheduleOf(f.Keep.Schedule, f.Keep.Jitter),
		Copy:   scheduleOf(f.Copy.Schedule, f.Copy.Jitter),
	}
}

func scheduleOf(calendar calendars, j jitter) Schedule {
	s := Schedule{Calendar: calendar}
	if j.set {
		s.Jitter = &j.value
	}
	return s
}

// calendarText holds what systemd's calendar expressions are made of. No percent sign: a timer reads it as a specifier.
var calendarText = regexp.MustCompile(`^[A-Za-z0-9*.,:/~_+-]+( +[A-Za-z0-9*.,:/~_+-]+)*$`)

// longestJitter is a week: a job that may be late by more has no schedule.
const longestJitter = 7 * 24 * time.Hour

// mostCalendars and longestCalendar bound what one timer is asked for.
const (
	mostCalendars   = 50
	longestCalendar = 200
)

func (l loader) checkTimetable(name string, t Timetable) error {
	for _, one := range []struct {
		s    Schedule
		path []string
	}{
		{s: t.Backup},
		{s: t.Verify, path: []string{"verify"}},
		{s: t.Drill, path: []string{"drill"}},
		{s: t.Prune, path: []string{"keep"}},
		{s: t.Copy, path: []string{"copy"}},
	} {
		if err := l.checkSchedule(name, one.s, one.path); err != nil {
			return err
		}
	}
	return nil
}

func (l loader) checkSchedule(name string, s Schedule, section []string) error {
	at := func(key string) []string { return append(append([]string{}, section...), key) }
	if err := l.checkCalendars(name, s.Calendar, at("schedule")...); err != nil {
		return err
	}
	if s.Jitter != nil && *s.Jitter > longestJitter {
		return l.problem(name, fmt.Sprintf("%s is more than a week", timeText(*s.Jitter)),
			"Give the longest delay that a run of this job may have, such as 30m.", at("jitter")...)
	}
	return nil
}

func (l loader) checkCalendars(name string, all calendars, path ...string) error {
	if len(all) > mostCalendars {
		return l.problem(name, fmt.Sprintf("%d times are more than %d", len(all), mostCalendars),
			"Write them with lists and ranges, such as `Mon..Fri *-*-* 00/4:00:00 UTC`.", path...)
	}
	for _, text := range all {
		if len(text) > longestCalendar || !calendarText.MatchString(text) {
			return l.problem(name, fmt.Sprintf("%.80q is not a calendar expression", text),
				"Write it as systemd.time(7) describes, such as \"*-*-* 02:00:00 UTC\"; "+
					"`systemd-analyze calendar` shows what one means.", path...)
		}
	}
	return nil
}

func scheduleRows() []settingRow {
	return []settingRow{
		{key: "schedule", value: ofJob(func(j Job) string { return list(j.Timetable.Backup.Calendar) })},
		{key: "jitter", value: ofJob(func(j Job) string { return j.Timetable.Backup.jitterText() })},
		{key: "verify.schedule", value: ofJob(func(j Job) string { return list(j.Timetable.Verify.Calendar) })},
		{key: "verify.jitter", value: ofJob(func(j Job) string { return j.Timetable.Verify.jitterText() })},
		{key: "drill.schedule", value: ofJob(func(j Job) string { return list(j.Timetable.Drill.Calendar) })},
		{key: "drill.jitter", value: ofJob(func(j Job) string { return j.Timetable.Drill.jitterText() })},
		{key: "keep.schedule", value: ofJob(func(j Job) string { return list(j.Timetable.Prune.Calendar) })},
		{key: "keep.jitter", value: ofJob(func(j Job) string { return j.Timetable.Prune.jitterText() })},
		{key: "copy.schedule", value: ofJob(func(j Job) string { return list(j.Timetable.Copy.Calendar) })},
		{key: "copy.jitter", value: ofJob(func(j Job) string { return j.Timetable.Copy.jitterText() })},
	}
}

func (s Schedule) jitterText() string {
	switch {
	case s.Jitter == nil:
		return ""
	case *s.Jitter == 0:
		return "0"
	}
	return timeText(*s.Jitter)
}
