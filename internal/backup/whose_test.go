package backup

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func unreadable(s *Set) {
	s.Manifest, s.Problem, s.ProblemCode = nil, "the manifest is damaged", fault.Integrity
}

func TestASetBelongsToTheJobThatItsManifestNames(t *testing.T) {
	hourly := Whose{Job: "hourly", Former: []string{"analytics"}, Beside: []string{"weekly"}}
	weekly := Whose{Job: "weekly", Beside: []string{"hourly"}}
	alone := Whose{Job: "nightly"}
	for name, c := range map[string]struct {
		set  Set
		want string // who owns it, and who is judged by it
	}{
		"an hourly one":                 {old(1, by("hourly")), "hourly | hourly"},
		"a weekly one":                  {old(1, by("weekly")), "weekly | weekly"},
		"one of a former name":          {old(1, by("analytics")), "hourly | hourly"},
		"one of a job that is gone":     {old(1, by("monthly")), "nobody | nobody"},
		"one that names none":           {old(1), "nightly | nightly"},
		"its own":                       {old(1, by("nightly")), "nightly | nightly"},
		"an object of the old script":   {old(1, legacy), "nightly | nightly"},
		"an unfinished run":             {old(1, incomplete), "nobody | hourly weekly nightly"},
		"a manifest that nobody reads":  {old(1, unreadable), "nightly | hourly weekly nightly"},
		"a forged one, of nobody":       {old(1, forged, by("evil")), "nobody | hourly weekly nightly"},
		"a forged one, of the weekly":   {old(1, forged, by("weekly")), "weekly | weekly nightly"},
		"an unsigned one, of nobody":    {old(1, unsigned, by("evil")), "nobody | hourly weekly nightly"},
		"an unsigned one of the hourly": {old(1, unsigned, by("hourly")), "hourly | hourly nightly"},
	} {
		var owners, judged []string
		for _, w := range []Whose{hourly, weekly, alone} {
			sets := []Set{c.set, old(2, by(w.Job))} // with one of its own, so that it is no job that only looks
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
	sets := []Set{old(1, by("production")), old(2, by("production"))}
	reader := Whose{Job: "db1-production"}
	if got := reader.Of(sets); len(got) != 2 {
		t.Errorf("it sees %d", len(got))
	}
	if got := (Whose{Job: "db1-production", Beside: []string{"weekly"}}).Of(sets); len(got) != 0 {
		t.Errorf("of two jobs, one sees %d", len(got))
	}
	for _, s := range sets {
		if reader.Owns(&s) || !reader.Nobodys(&s) {
			t.Error("it owns what another job made")
		}
	}
	if got := reader.Of(append(sets, old(3, by("db1-production")))); len(got) != 1 {
		t.Errorf("with a set of its own it sees %d", len(got))
	}
}

func TestTheLatestIsTheNewestGoodOneAndSaysWhatItPassedOver(t *testing.T) {
	failed := func(days float64) Set { return old(days, proven(LevelReadable, false)) }
	answered := old(1, proven(LevelReadable, true), proven(LevelReadable, false))
	for name, c := range map[string]struct {
		sets   []Set
		want   int // of sets; -1: none
		passed []string
	}{
		"the newest":                     {[]Set{old(1), old(2)}, 0, nil},
		"its last verification failed":   {[]Set{failed(1), old(2)}, 1, []string{"its last verification failed: planted"}},
		"its dump is gone, and a failed": {[]Set{old(1, broken), failed(2), old(3)}, 2, []string{"dump is missing", "its last verification failed: planted"}},
		"a failure that was answered":    {[]Set{answered, old(2)}, 0, nil},
		"an unfinished and an old one":   {[]Set{old(0, incomplete), old(1, legacy), old(2)}, 2, nil},
		"a forged one":                   {[]Set{old(1, forged), old(2)}, 1, []string{"forged"}},
		"none that is good":              {[]Set{failed(1)}, -1, []string{"its last verification failed: planted"}},
		"none":                           {nil, -1, nil},
	} {
		latest, passed := NewestGood(c.sets)
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

func TestWithoutAGoodSetTheErrorSaysWhyNoneIs(t *testing.T) {
	_, passed := NewestGood([]Set{old(1, broken), old(2, broken), old(3, broken), old(4, broken), old(5, broken)})
	err := NoneGood("job hourly", passed)
	if fault.CodeOf(err) != fault.NotFound || !strings.Contains(err.Error(), "dump is missing") || !strings.Contains(err.Error(), "so were 2 more") {
		t.Error(err)
	}
	if err := NoneGood("job hourly", nil); fault.CodeOf(err) != fault.NotFound || !strings.Contains(err.Error(), "no set of job hourly") {
		t.Error(err)
	}
}
