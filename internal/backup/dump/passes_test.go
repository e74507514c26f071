package dump

import (
	"os"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

func TestAPassIsDueByRulesTimeAndRuns(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	last := pass{Rules: "r", At: at, Sets: 20_000}
	for name, c := range map[string]struct {
		change func(*pass)
		rules  string
		now    time.Time
		due    bool
	}{
		"a moment ago":     {now: at.Add(time.Minute)},
		"almost a day":     {now: at.Add(passesApart - time.Second)},
		"a day":            {now: at.Add(passesApart), due: true},
		"before it":        {now: at.Add(-time.Second), due: true},
		"other rules":      {now: at, rules: "s", due: true},
		"few sets":         {now: at, change: func(p *pass) { p.Sets = manySets - 1 }, due: true},
		"the 199th run":    {now: at, change: func(p *pass) { p.Runs = 198 }},
		"the 200th run":    {now: at, change: func(p *pass) { p.Runs = 199 }, due: true},
		"nothing is known": {now: at, change: func(p *pass) { *p = pass{} }, due: true},
	} {
		p := last
		if c.change != nil {
			c.change(&p)
		}
		if c.rules == "" {
			c.rules = "r"
		}
		if got := p.due(c.rules, c.now); got != c.due {
			t.Errorf("%s: due %v", name, got)
		}
	}
}

func TestWhatDecidesIsPartOfWhatIsRemembered(t *testing.T) {
	job := config.Job{Name: "main", Database: "sales", Keep: config.Keep{Days: 30, MinGood: 3}}
	for name, change := range map[string]func(*config.Job){
		"days":     func(j *config.Job) { j.Keep.Days = 7 },
		"min_good": func(j *config.Job) { j.Keep.MinGood = 1 },
		"name":     func(j *config.Job) { j.Name = "other" },
		"formerly": func(j *config.Job) { j.Formerly = []string{"old"} },
		"beside":   func(j *config.Job) { j.Beside = []string{"weekly"} },
		"keys":     func(j *config.Job) { j.Signing.PublicKeys = append(j.Signing.PublicKeys, make([]byte, 32)) },
	} {
		other := job
		if change(&other); passRules(other) == passRules(job) {
			t.Errorf("%s changes nothing", name)
		}
	}
	if passRules(job) == "" {
		t.Error("rules cannot be told")
	}
}

func TestAPassThatCannotBeRememberedIsRepeated(t *testing.T) {
	dir, job := t.TempDir(), config.Job{Name: "main", Database: "sales"}
	want := pass{Rules: "r", At: time.Now().UTC().Truncate(time.Second), Sets: 5000, Runs: 3}
	rememberPass(dir, job, want)
	if got := recallPass(dir, job); got != want {
		t.Fatalf("recalled %+v", got)
	}
	if got := recallPass(dir, config.Job{Name: "other", Database: "sales"}); got != (pass{}) {
		t.Errorf("another job recalls %+v", got)
	}
	if err := os.WriteFile(passFile(dir, job), []byte(`{"rules":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := recallPass(dir, job); got != (pass{}) {
		t.Errorf("of a damaged file %+v", got)
	}
	if err := os.Mkdir(passFile(dir, job)+".next", 0o700); err != nil {
		t.Fatal(err)
	}
	rememberPass(dir, job, want)
	if got := recallPass(dir, job); got != (pass{}) {
		t.Errorf("of a file that could not be written %+v", got)
	}
}
