package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// The profiles that come with pgbtui: over years of their own calendars their rules keep what docs/profiles.md says.

// expectation is what a job is to have after 500 days of its own calendar: how many sets, and how old the oldest may
// be.
type expectation struct {
	least, most int
	oldest      time.Duration
}

const day = 24 * time.Hour

func TestOver500DaysEachProfileKeepsWhatItsPageSays(t *testing.T) {
	want := map[string]expectation{
		"ecommerce.yaml/fourhourly": {42, 43, 7*day + 5*time.Hour},
		"ecommerce.yaml/daily":      {90, 91, 91 * day},
		"ecommerce.yaml/weekly":     {57, 58, 407 * day},
		"saas.yaml/all":             {40, 48, 200 * day},
		"saas.yaml/tenants":         {14, 14, 14 * day},
		"development.yaml/all":      {4, 4, 28 * day},
	}
	need.Program(t, "systemd-analyze")
	files, err := filepath.Glob("../../packaging/profiles/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		for _, job := range jobsIn(t, file) {
			title := filepath.Base(file) + "/" + job.Name
			expected, known := want[title]
			if !known {
				t.Errorf("nobody says what %s keeps", title)
				continue
			}
			sets, now := live(t, job, 500*day)
			oldest := now.Sub(slices.MinFunc(sets, func(a, b backup.Set) int { return a.FinishedAt.Compare(b.FinishedAt) }).FinishedAt)
			if len(sets) < expected.least || len(sets) > expected.most || oldest > expected.oldest {
				t.Errorf("%s keeps %d sets, the oldest of %.1f days", title, len(sets), oldest.Hours()/24)
			}
			delete(want, title)
		}
	}
	for title := range want {
		t.Errorf("there is no %s", title)
	}
}

func jobsIn(t *testing.T, file string) []config.Job {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Source{
		File: config.DefaultFile, Text: text, Getenv: func(string) string { return "" }, Hostname: "db1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Jobs
}

// live lets a job run by its calendar, as systemd reads it, and delete by its rules after each run.
func live(t *testing.T, job config.Job, span time.Duration) (sets []backup.Set, now time.Time) {
	t.Helper()
	if job.Divided() {
		job = job.Part("tenant_shop")
	}
	if len(job.Timetable.Backup.Calendar) != 1 {
		t.Fatalf("the calendar of %s is %q", job.Name, job.Timetable.Backup.Calendar)
	}
	times, err := systemd.CalendarNext(t.Context(), job.Timetable.Backup.Calendar[0], 3200)
	if err != nil {
		t.Fatal(err)
	}
	policy := retention.Policy{Keep: job.Keep, Whose: backup.WhoseOf(job)}
	for _, at := range times {
		if at.Sub(times[0]) > span {
			return sets, now
		}
		now = at
		sets = append(sets, backup.Set{
			ID: backup.NewID(at), Kind: backup.KindNative, Instance: job.Instance, Database: job.Database, Schema: job.Schema,
			Job: job.Name, FinishedAt: at, Manifest: &backup.Manifest{},
		})
		decisions, err := retention.Decide(sets, policy, now)
		if err != nil {
			t.Fatal(err)
		}
		sets = sets[:0]
		for _, d := range decisions {
			if !d.Delete {
				sets = append(sets, d.Set)
			}
		}
	}
	t.Fatalf("%s: the calendar ends: %q", job.Name, job.Timetable.Backup.Calendar)
	return nil, now
}
