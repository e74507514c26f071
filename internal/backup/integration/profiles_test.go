package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// The profiles that come with pgbtui (docs/profiles.md): each job of each of them makes backups and deletes.

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
	there := one.job
	one.job = job.On(there.Database)
	one.job.Database = there.Database
	if job.Tenants() {
		job.Database = there.Database
		one.job = job.In("tenant_one")
	}
	one.job.Instance, one.job.Postgres, one.job.SpoolDir = there.Instance, there.Postgres, there.SpoolDir
	one.job.S3.Bucket, one.job.S3.Region = there.S3.Bucket, there.S3.Region
	return one
}

func TestEachJobOfEachProfileMakesBackupsAndDeletesByItsRules(t *testing.T) {
	for _, name := range profileNames(t) {
		t.Run(name, func(t *testing.T) {
			pg := pgOf(t)
			database := pg.CreateDatabase(t)
			pg.Exec(t, database, "CREATE SCHEMA tenant_one")
			pg.Exec(t, database, "CREATE TABLE tenant_one.orders AS SELECT generate_series(1, 10) AS id")
			w := newWorldOn(t, pg, database, s3server.WithObjectLock())
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
				if job.Tenants() {
					continue // planted sets are of whole databases
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
