package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// The profiles that come with pgbtui (docs/profiles.md): each job of each of them makes backups, and over years its
// rules keep what the page says.

const profilesDir = "../../../packaging/profiles"

func profile(t *testing.T, name string) []config.Job {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(profilesDir, name))
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

func profileNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(profilesDir, "*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	return names
}

// on makes a job of a profile one of this world: its server, its store and its database, and everything else the job's.
func (w *world) on(job config.Job) *world {
	one := w.another()
	database := w.job.Database
	if !job.Several() {
		one.job.Database = database
	}
	there := one.job
	one.job = job.On(database)
	one.job.Database = database
	one.job.Instance, one.job.Postgres, one.job.SpoolDir = there.Instance, there.Postgres, there.SpoolDir
	one.job.S3.Bucket, one.job.S3.Region = there.S3.Bucket, there.S3.Region
	return one
}

func TestEachJobOfEachProfileMakesBackupsAndDeletesByItsRules(t *testing.T) {
	for _, name := range profileNames(t) {
		t.Run(name, func(t *testing.T) {
			pg, small := smallDatabase(t)
			w := newWorldOn(t, pg, small, s3server.WithObjectLock())
			for _, job := range profile(t, name) {
				one := w.on(job)
				if len(job.Encryption.Recipients) > 0 {
					one.encrypt(t) // the file has a key that is nobody's
				}
				first := one.run(t).Manifest
				if encrypted := strings.HasSuffix(first.Dump.Key, ".age"); encrypted != (len(job.Encryption.Recipients) > 0) {
					t.Errorf("%s: its dump is %s", job.Name, first.Dump.Key)
				}
				if lock := one.find(t, first.ID).LockedUntil; lock.IsZero() != (job.ObjectLock.Mode == "") {
					t.Errorf("%s: locked until %s", job.Name, lock)
				}
				one.plantOld(t)
				if !one.has(t, first.ID) {
					t.Errorf("%s: its only set is gone", job.Name)
				}
			}
		})
	}
}

// plantOld makes more old sets than a job ever keeps, and lets retention delete what it wants to, as a person would who
// is asked for that many.
func (w *world) plantOld(t *testing.T) {
	t.Helper()
	const old = 60
	planted := map[string]bool{}
	for i := range old {
		planted[w.plant(t, time.Now().AddDate(-2, 0, -i)).ID] = true
	}
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, plan.Removes()); err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, s := range w.sets(t) {
		if planted[s.ID] {
			left++
		}
	}
	k := w.job.Keep
	if most := k.MinGood + k.Last + k.Daily + k.Weekly + k.Monthly; left == old || left > most {
		t.Errorf("%s (%s): of %d old sets %d are left", w.job.Name, k, old, left)
	}
}

// expectation is what a job is to have after 500 days of its own calendar: how many sets, and how old the oldest may be.
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
		"development.yaml/all":      {4, 4, 28 * day},
	}
	for _, name := range profileNames(t) {
		for _, job := range profile(t, name) {
			title := name + "/" + job.Name
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
			t.Logf("%s keeps %d sets, the oldest of %.1f days", title, len(sets), oldest.Hours()/24)
		}
	}
}

// live lets a job run by its calendar, as systemd reads it, and delete by its rules after each run.
func live(t *testing.T, job config.Job, span time.Duration) (sets []backup.Set, now time.Time) {
	t.Helper()
	job = job.On("shop")
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
			ID: backup.NewID(at), Kind: backup.KindNative, Instance: job.Instance, Database: job.Database, Job: job.Name,
			FinishedAt: at, Manifest: &backup.Manifest{},
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
	t.Fatalf("%s: the calendar ends %s", job.Name, strings.Join(job.Timetable.Backup.Calendar, ", "))
	return nil, now
}
