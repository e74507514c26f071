package backup_test

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func unreadable(s *backup.Set) {
	s.Manifest, s.Problem, s.ProblemCode = nil, "the manifest is damaged", fault.Integrity
}

func TestASetBelongsToTheJobThatItsManifestNames(t *testing.T) {
	hourly := backup.Whose{Job: "hourly", Former: []string{"analytics"}, Beside: []string{"weekly"}}
	weekly := backup.Whose{Job: "weekly", Beside: []string{"hourly"}}
	alone := backup.Whose{Job: "nightly"}
	for name, c := range map[string]struct {
		set  backup.Set
		want string // who owns it, and who is judged by it
	}{
		"an hourly one":                 {backuptest.Old(1, backuptest.By("hourly")), "hourly | hourly"},
		"a weekly one":                  {backuptest.Old(1, backuptest.By("weekly")), "weekly | weekly"},
		"one of a former name":          {backuptest.Old(1, backuptest.By("analytics")), "hourly | hourly"},
		"one of a job that is gone":     {backuptest.Old(1, backuptest.By("monthly")), "nobody | nobody"},
		"one that names none":           {backuptest.Old(1), "nightly | nightly"},
		"its own":                       {backuptest.Old(1, backuptest.By("nightly")), "nightly | nightly"},
		"an object of the old script":   {backuptest.Old(1, backuptest.Legacy), "nightly | nightly"},
		"an unfinished run":             {backuptest.Old(1, backuptest.Incomplete), "nobody | hourly weekly nightly"},
		"a manifest that nobody reads":  {backuptest.Old(1, unreadable), "nightly | hourly weekly nightly"},
		"a forged one, of nobody":       {backuptest.Old(1, backuptest.Forged, backuptest.By("evil")), "nobody | hourly weekly nightly"},
		"a forged one, of the weekly":   {backuptest.Old(1, backuptest.Forged, backuptest.By("weekly")), "weekly | weekly nightly"},
		"an unsigned one, of nobody":    {backuptest.Old(1, backuptest.Unsigned, backuptest.By("evil")), "nobody | hourly weekly nightly"},
		"an unsigned one of the hourly": {backuptest.Old(1, backuptest.Unsigned, backuptest.By("hourly")), "hourly | hourly nightly"},
	} {
		var owners, judged []string
		for _, w := range []backup.Whose{hourly, weekly, alone} {
			sets := []backup.Set{c.set, backuptest.Old(2, backuptest.By(w.Job))} // with one of its own, so that it is no job that only looks
			if w.Owns(&c.set) {
				owners = append(owners, w.Job)
			}
			if len(w.Of(sets)) == 2 {
				judged = append(judged, w.Job)
			}
		}
		if owners == nil {
			owners = []string{"nobody"}
		}
		if judged == nil {
			judged = []string{"nobody"}
		}
		if got := strings.Join(owners, " ") + " | " + strings.Join(judged, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheOnlyJobOfADatabaseWithoutASetOfItsOwnLooksAtWhatIsThereAndOwnsNone(t *testing.T) {
	sets := []backup.Set{backuptest.Old(1, backuptest.By("production")), backuptest.Old(2, backuptest.By("production"))}
	reader := backup.Whose{Job: "db1-production"}
	if got := reader.Of(sets); len(got) != 2 {
		t.Errorf("it sees %d", len(got))
	}
	if got := (backup.Whose{Job: "db1-production", Beside: []string{"weekly"}}).Of(sets); len(got) != 0 {
		t.Errorf("of two jobs, one sees %d", len(got))
	}
	for _, s := range sets {
		if reader.Owns(&s) || !reader.Nobodys(&s) {
			t.Error("it owns what another job made")
		}
	}
	if got := reader.Of(append(sets, backuptest.Old(3, backuptest.By("db1-production")))); len(got) != 1 {
		t.Errorf("with a set of its own it sees %d", len(got))
	}
}

func TestTheLatestIsTheNewestGoodOneAndSaysWhatItPassedOver(t *testing.T) {
	failed := func(days float64) backup.Set {
		return backuptest.Old(days, backuptest.Proven(backup.LevelReadable, false))
	}
	answered := backuptest.Old(1, backuptest.Proven(backup.LevelReadable, true), backuptest.Proven(backup.LevelReadable, false))
	for name, c := range map[string]struct {
		sets   []backup.Set
		want   int // of sets; -1: none
		passed []string
	}{
		"the newest":                     {[]backup.Set{backuptest.Old(1), backuptest.Old(2)}, 0, nil},
		"its last verification failed":   {[]backup.Set{failed(1), backuptest.Old(2)}, 1, []string{"its last verification failed: planted"}},
		"its dump is gone, and a failed": {[]backup.Set{backuptest.Old(1, backuptest.Broken), failed(2), backuptest.Old(3)}, 2, []string{"dump is missing", "its last verification failed: planted"}},
		"a failure that was answered":    {[]backup.Set{answered, backuptest.Old(2)}, 0, nil},
		"an unfinished and an old one":   {[]backup.Set{backuptest.Old(0, backuptest.Incomplete), backuptest.Old(1, backuptest.Legacy), backuptest.Old(2)}, 2, nil},
		"a forged one":                   {[]backup.Set{backuptest.Old(1, backuptest.Forged), backuptest.Old(2)}, 1, []string{"forged"}},
		"none that is good":              {[]backup.Set{failed(1)}, -1, []string{"its last verification failed: planted"}},
		"none":                           {nil, -1, nil},
	} {
		latest, passed := backup.NewestGood(c.sets)
		if c.want < 0 && latest != nil || c.want >= 0 && (latest == nil || latest.ID != c.sets[c.want].ID) {
			t.Errorf("%s: %+v", name, latest)
		}
		var why []string
		for i, p := range passed {
			if p.Set.ID != c.sets[i].ID || !strings.Contains(p.String(), c.sets[i].ID+" was passed over: ") {
				t.Errorf("%s: %s", name, p)
			}
			why = append(why, p.Why)
		}
		if !slices.Equal(why, c.passed) {
			t.Errorf("%s: passed over %q, want %q", name, why, c.passed)
		}
	}
}
