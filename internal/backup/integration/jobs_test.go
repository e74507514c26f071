package integration

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// twoJobs are an hourly and a weekly job of one database, as a configuration makes them.
func twoJobs(t *testing.T) (hourly, weekly *world) {
	t.Helper()
	hourly = newWorldOn(t, pgOf(t), "small")
	hourly.job.Name, hourly.job.Beside, hourly.job.Keep = "hourly", []string{"weekly"}, config.Keep{Days: 7, MinGood: 1}
	hourly.env.StateDir = t.TempDir()
	weekly = hourly.another()
	weekly.job.Name, weekly.job.Beside, weekly.job.Keep = "weekly", []string{"hourly"}, config.Keep{Weekly: 52, MinGood: 1}
	return hourly, weekly
}

// another is the same database, store and host, for another job.
func (w *world) another() *world {
	return &world{pg: w.pg, store: w.store, env: w.env, job: w.job, log: w.log}
}

func (w *world) health(t *testing.T) backup.Health {
	t.Helper()
	return backup.Assess(w.sets(t), backup.WhoseOf(w.job), backup.Objectives{RPO: 26 * time.Hour}, w.env.Now())
}

func TestARunOfOneJobDeletesNoSetOfAnotherJobOfItsDatabase(t *testing.T) {
	hourly, weekly := twoJobs(t)
	theirs := []*backup.Manifest{weekly.plant(t, backuptest.Ago(60)), weekly.plant(t, backuptest.Ago(30)), weekly.plant(t, backuptest.Ago(8))}
	gone := hourly.plant(t, backuptest.Ago(90), func(m *backup.Manifest) { m.Job = "retired" })
	nameless := hourly.plant(t, backuptest.Ago(80), func(m *backup.Manifest) { m.Job = "" })
	mine := hourly.plant(t, backuptest.Ago(20))
	result := hourly.run(t)
	if len(result.Deleted) != 1 || result.Deleted[0].Set.ID != mine.ID {
		t.Errorf("deleted %+v", result.Deleted)
	}
	for _, m := range append(theirs, gone, nameless) {
		if !hourly.has(t, m.ID) {
			t.Errorf("the set of %q is gone", m.Job)
		}
	}
	plan, err := retention.Plan(t.Context(), hourly.job, hourly.env, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, d := range plan.Decisions {
		said = append(said, d.Set.Job+": "+d.Reason)
	}
	all := strings.Join(said, "\n")
	if strings.Contains(all, "weekly") || !strings.Contains(all, `retired: of job "retired", which is not configured here`) || !strings.Contains(all, "names no job") {
		t.Errorf("the plan of the hourly job says\n%s", all)
	}
}

func TestAJobThatWasRenamedOwnsItsSetsOnlyWhenItSaysSo(t *testing.T) {
	w := withDays(t)
	former := w.plant(t, backuptest.Ago(60))
	w.job.Name = "renamed"
	if h := w.health(t); h.Newest == nil || h.Newest.ID != former.ID {
		t.Errorf("nothing is known of the database after its job was renamed: %+v", h)
	}
	w.run(t)
	if !w.has(t, former.ID) {
		t.Fatal("a set of the former name was deleted unasked")
	}
	w.job.Formerly = []string{"main"}
	if result := w.run(t); len(result.Deleted) != 1 || w.has(t, former.ID) {
		t.Errorf("deleted %+v", result.Deleted)
	}
}

func TestEachJobHasItsOwnChainMemoryAndObjective(t *testing.T) {
	hourly, weekly := twoJobs(t)
	first := map[string]*backup.Manifest{"hourly": hourly.run(t).Manifest, "weekly": weekly.run(t).Manifest}
	for _, w := range []*world{hourly, weekly} {
		m := w.run(t).Manifest
		if m.Sequence != 2 || m.Previous == nil || m.Previous.ID != first[w.job.Name].ID {
			t.Errorf("%s: sequence %d after %+v", w.job.Name, m.Sequence, m.Previous)
		}
		if h := w.health(t); len(h.Problems) != 0 || h.Newest.ID != m.ID {
			t.Errorf("%s: newest %v, problems %+v", w.job.Name, h.Newest, h.Problems)
		}
	}
	// The newest of one is gone: the other job, whose last set is there, is not accused.
	newest := weekly.run(t).Manifest
	hourly.run(t)
	weekly.removeSet(t, newest.ID)
	if lost := dump.Lost(weekly.env.StateDir, weekly.job, weekly.sets(t)); !strings.Contains(lost, newest.ID) {
		t.Errorf("the weekly job: %q", lost)
	}
	if lost := dump.Lost(hourly.env.StateDir, hourly.job, hourly.sets(t)); lost != "" {
		t.Errorf("the hourly job: %q", lost)
	}
	// And one that stopped running is late, however often the other runs.
	weekly.pass(40 * 24 * time.Hour)
	hourly.env.Now = weekly.env.Now
	hourly.run(t)
	if h := weekly.health(t); !slices.ContainsFunc(h.Problems, func(p backup.Problem) bool { return p.Kind == backup.ProblemBackup }) {
		t.Errorf("the weekly job is not late: %+v", h.Problems)
	}
}

// Programs before chained all sets of a database, and remembered one set of it.
func TestSetsThatWereChainedByDatabaseRaiseNoAlarmAfterTheUpgrade(t *testing.T) {
	hourly, weekly := twoJobs(t)
	for _, w := range []*world{hourly, weekly} { // as these programs did: one job for all
		w.job.Keep = config.Keep{}
	}
	database := hourly.another()
	database.job.Beside, database.env.StateDir = nil, "" // what it remembers is written below
	var last *backup.Set
	for i := range 6 {
		database.job.Name = "main"
		m := database.run(t).Manifest
		m.Job = []string{"hourly", "weekly"}[i%2]
		m.Sequence, m.Previous = int64(i+1), nil
		if last != nil {
			m.Previous = &backup.Previous{ID: last.ID, ManifestSHA256: last.ManifestSum}
		}
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		dir := database.find(t, m.ID).Dir
		database.drop(t, dir+backup.ManifestName)
		database.put(t, dir+backup.ManifestName, raw)
		last = database.find(t, m.ID)
	}
	rememberAsBefore(t, hourly, last)
	for range 2 {
		for _, w := range []*world{hourly, weekly} {
			result := w.run(t)
			if len(result.Warnings) != 0 || result.Manifest.Previous == nil {
				t.Errorf("%s: %q, after %+v", w.job.Name, result.Warnings, result.Manifest.Previous)
			}
			for _, of := range []*world{hourly, weekly} {
				if h := of.health(t); len(h.Problems) != 0 {
					t.Errorf("after a run of %s, %s: %+v", w.job.Name, of.job.Name, h.Problems)
				}
				if lost := dump.Lost(of.env.StateDir, of.job, of.sets(t)); lost != "" {
					t.Errorf("after a run of %s, %s: %s", w.job.Name, of.job.Name, lost)
				}
			}
		}
	}
}

// rememberAsBefore leaves the one file that a host had for a database.
func rememberAsBefore(t *testing.T, w *world, s *backup.Set) {
	t.Helper()
	if err := os.RemoveAll(w.env.StateDir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.env.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	location := w.job.S3.Endpoint + " " + w.job.S3.Bucket + "/" + backup.Folder(w.job.S3.Prefix, w.job.Instance, w.job.Database)
	file := filepath.Join(w.env.StateDir, fmt.Sprintf("last-%x.json", sha256.Sum256([]byte(location))))
	raw, err := json.Marshal(map[string]any{
		"schema": 1, "location": location, "id": s.ID, "manifestSha256": s.ManifestSum, "sequence": s.Sequence,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestADropIsOneAgainstTheJobsOwnSetsOnly(t *testing.T) {
	hourly, weekly := twoJobs(t)
	hourly.job.Warn = config.Warn{SizeDrop: 50, TablesDrop: 20}
	for i := range 5 { // of a job that takes far more along
		weekly.plant(t, backuptest.Ago(float64(10+i)), func(m *backup.Manifest) { m.Dump.RawBytes = 10 << 30 })
	}
	if result := hourly.run(t); len(result.Warnings) != 0 {
		t.Errorf("held against another job's sets: %q", result.Warnings)
	}
}

func TestWhatADeadRunLeftIsClearedAwayByAnyJobOfItsDatabaseAndALiveOnesByNone(t *testing.T) {
	hourly, weekly := twoJobs(t)
	dead := backup.NewID(backuptest.Ago(3))
	hourly.put(t, backup.Folder("postgresql", hourly.job.Instance, hourly.job.Database)+dead+"/"+backup.DumpName, []byte("half"))
	hourly.pass(25 * time.Hour)
	weekly.env.Now = hourly.env.Now
	weekly.storeAhead.Store(hourly.storeAhead.Load())
	if _, err := weekly.prune(t); err != nil || weekly.has(t, dead) {
		t.Errorf("%v; left %q", err, weekly.keys(t))
	}
}

// What is made visible for a screen is another name: a job must find its own sets under the one it gave.
func TestAJobWhoseNameIsNoPlainTextOwnsItsSets(t *testing.T) {
	w := newWorld(t)
	w.job.Name, w.job.Keep.Days, w.job.Keep.MinGood = "line\nbreak \x1b[1m", 30, 1
	named := func(m *backup.Manifest) { m.Job = w.job.Name }
	gone := w.plant(t, backuptest.Ago(40), named)
	w.plant(t, backuptest.Ago(3), named)
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil || plan.Removes() != 1 {
		t.Fatalf("%+v, %v: %s should go", plan, err, gone.ID)
	}
}
