package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestEachJobHasItsOwnTimetable(t *testing.T) {
	c, _, err := loadFolder(t, map[string]string{"config.yaml": `s3: {bucket: backups}
schedule: "*-*-* 01:00:00 UTC"
jitter: 10m
drill: {schedule: Sat 03:00 UTC}
jobs:
  a: {}
  b:
    schedule: ["*-*-* 00/4:00:00 UTC", hourly]
    jitter: 0
    verify: {schedule: daily, jitter: 1h}
    keep: {by: timer, days: 3, schedule: "04:30", jitter: 90s}
    copy: {schedule: "05:00", jitter: 0}
`})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Job("a")
	b, _ := c.Job("b")
	if got := a.Timetable; !slices.Equal(got.Backup.Calendar, []string{"*-*-* 01:00:00 UTC"}) ||
		*got.Backup.Jitter != 10*time.Minute || got.Verify.Given() || got.Prune.Given() || got.Copy.Given() ||
		!slices.Equal(got.Drill.Calendar, []string{"Sat 03:00 UTC"}) || got.Drill.Jitter != nil {
		t.Errorf("a: %+v", got)
	}
	if got := b.Timetable; !slices.Equal(got.Backup.Calendar, []string{"*-*-* 00/4:00:00 UTC", "hourly"}) ||
		*got.Backup.Jitter != 0 || *got.Verify.Jitter != time.Hour || got.Prune.Calendar[0] != "04:30" ||
		*got.Prune.Jitter != 90*time.Second || got.Copy.Calendar[0] != "05:00" || *got.Copy.Jitter != 0 || got.Drill.Calendar[0] != "Sat 03:00 UTC" {
		t.Errorf("b: %+v", got)
	}
}

func TestATimeThatIsMoreThanATimeIsRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"schedule: \"02:00\\nOnBootSec=1\"":     "is not a calendar expression",
		"schedule: \"%H:00\"":                   "is not a calendar expression",
		"schedule: \"\"":                        "is not a calendar expression",
		"schedule: []":                          "no time",
		"schedule: [daily, \"a;b\"]":            "is not a calendar expression",
		"drill: {schedule: \"#\"}":              "drill.schedule: \"#\" is not a calendar expression",
		"jitter: 8d":                            "is more than a week",
		"verify: {jitter: soon}":                "is not a duration",
		"keep: {days: 3, schedule: \"[x]\"}":    "keep.schedule",
		"copy: {schedule: \"a;b\"}":             "copy.schedule",
		"schedule: " + strings.Repeat("1", 300): "is not a calendar expression",
	} {
		_, dir, err := loadFolder(t, map[string]string{"config.yaml": "s3: {bucket: backups}\njobs:\n  a:\n    " + text + "\n"})
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), dir+"/config.yaml:4") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
