package metrics

import (
	"maps"
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// values are the samples of a group by metric, and by the label that tells several apart.
func values(t *testing.T, g Group) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, s := range g.Samples {
		name := s.Metric
		for _, l := range s.Labels {
			if l.Name == "stage" || l.Name == "level" || l.Name == "state" {
				name += "/" + l.Value
			}
		}
		if _, twice := all[name]; twice {
			t.Errorf("%s stands twice", name)
		}
		all[name] = s.Value
	}
	return all
}

func measured(s *backup.Set) {
	s.StoredSize, s.Class = 1<<30, "STANDARD"
	s.Manifest.Dump = backup.Object{SizeBytes: 700, RawBytes: 4000}
	s.Manifest.Globals = &backup.Object{SizeBytes: 50}
	s.Manifest.Stages = []backup.StageTime{{Stage: backup.StageDump, Seconds: 12.5}, {Stage: backup.StageCommit, Seconds: 1}}
}

func restored(s *backup.Set) {
	backuptest.Proven(backup.LevelRestored, true)(s)
	s.Proofs[0].Stages = []backup.StageTime{{Stage: backup.StageRestore, Seconds: 60}}
}

func TestSamplesAreOfTheJobsOwnSets(t *testing.T) {
	job := config.Job{Name: "nightly", Database: "d", Instance: "i", Beside: []string{"weekly"}, S3: config.S3{Region: "us-east-1"}}
	old := []func(*backup.Set){backuptest.By("nightly"), measured, restored}
	all := []backup.Set{
		backuptest.Old(0, backuptest.By("weekly"), measured),
		backuptest.Old(1, backuptest.By("nightly"), measured, backuptest.Broken),
		backuptest.Old(2, backuptest.By("nightly"), measured, backuptest.Proven(backup.LevelReadable, true)),
		backuptest.Old(9, old...),
		backuptest.Old(3, backuptest.Incomplete, func(s *backup.Set) { s.StoredSize = 1 << 20 }),
	}
	got := values(t, Sets(job, all, nil))
	ago := func(days int) float64 { return float64(backuptest.Epoch.AddDate(0, 0, -days).Unix()) }
	want := map[string]float64{
		lastSuccess: ago(2), oldestSet: ago(9), rawBytes: 4000, storedBytes: 750, leftoverBytes: 1 << 20, restoreTook: 60,
		stageDuration + "/dump": 12.5, stageDuration + "/commit": 1,
		provenAt + "/readable": ago(2), provenAt + "/restored": ago(9),
		sets + "/good": 2, sets + "/bad": 1, sets + "/incomplete": 1, sets + "/legacy": 0,
		monthlyCost: 3*0.023 + 0.023/1024,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func TestWithoutAGoodSetThereIsNoTimeOfOne(t *testing.T) {
	job := config.Job{Name: "d", Database: "d", Instance: "i", S3: config.S3{Endpoint: "https://store.example.com"}}
	for _, all := range [][]backup.Set{nil, {backuptest.Old(1, backuptest.Broken)}, {backuptest.Old(1, backuptest.Legacy)}} {
		got := slices.Sorted(maps.Keys(values(t, Sets(job, all, nil))))
		want := []string{leftoverBytes, sets + "/bad", sets + "/good", sets + "/incomplete", sets + "/legacy"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAJobWithoutAnObjectiveForProofsHasNone(t *testing.T) {
	got := values(t, Group{Samples: Expected(Who{Job: "a"}, Objective{RPO: time.Hour})})
	if !maps.Equal(got, map[string]float64{jobInfo: 1, rpo: 3600}) {
		t.Errorf("%v", got)
	}
}
