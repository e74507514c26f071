package watch

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 22, 2, 47, 0, 0, time.UTC)

// life goes through hours of looks: each is the severity of one finding at that hour, 'w' or 'c', '.' when
// there is none, '?' when it could not be judged. It returns what was told, by the hour.
func life(hours string) (told []string) {
	var known []Incident
	for h, c := range hours {
		look := Options{Now: start.Add(time.Duration(h) * time.Hour), Remind: func(string) time.Duration { return 24 * time.Hour }}
		var found []Finding
		switch c {
		case 'w':
			found = []Finding{{Subject: "sales", Kind: KindTimer, Severity: Warning}}
		case 'c':
			found = []Finding{{Subject: "sales", Kind: KindTimer, Severity: Critical}}
		case '?':
			look.Unjudged = func(Incident) bool { return true }
		}
		var news []News
		known, news = Reconcile(known, found, look)
		for _, n := range news {
			told = append(told, fmt.Sprintf("%d %s", h, n.Kind))
		}
	}
	return told
}

func repeat(s string, n int) (all string) {
	for range n {
		all += s
	}
	return all
}

func TestAnIncidentIsToldOnceWithRemindersAndOneAllClear(t *testing.T) {
	for _, c := range []struct{ hours, want string }{
		{"..cccc...", "[2 opened 6 cleared]"},
		{repeat("c", 50) + ".", "[0 opened 24 reminder 48 reminder 50 cleared]"},
		{"wwcc.", "[0 opened 2 changed 4 cleared]"},
		{"ccww.", "[0 opened 4 cleared]"},
		{"cc???c.", "[0 opened 6 cleared]"},
		{"??..", "[]"},
		{"c." + repeat(".", 24) + "c", "[0 opened 1 cleared 26 opened]"},
		{repeat("c.", 12), "[0 opened 1 cleared 2 opened]"}, // flapping is told once more, then it is one incident
		{"c.c.....", "[0 opened 1 cleared 2 opened 5 cleared]"},
	} {
		if got := fmt.Sprint(life(c.hours)); got != c.want {
			t.Errorf("%q: %s, want %s", c.hours, got, c.want)
		}
	}
}

func TestHoweverItComesAndGoesLittleIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.StringOfN(rapid.RuneFrom([]rune("c.?")), 1, 24*4, -1).Draw(t, "hours")
		told := life(hours)
		if days := len(hours)/24 + 1; len(told) > 12*days { // six openings, when each comes right after the end of the one before
			t.Fatalf("%d messages in %d days: %v", len(told), days, told)
		}
		open := false
		for _, n := range told {
			var h int
			var kind NewsKind
			_, _ = fmt.Sscan(n, &h, &kind)
			switch {
			case kind == Opened && open:
				t.Fatalf("opened twice: %v", told)
			case kind != Opened && !open:
				t.Fatalf("%s of what nobody heard of: %v", kind, told)
			}
			open = kind != Cleared
		}
		present := false // as the last hour that could be judged has it
		for _, c := range hours {
			if c != '?' {
				present = c == 'c'
			}
		}
		if present && !open {
			t.Fatalf("%q: it goes on, and the last word was all clear: %v", hours, told)
		}
	})
}

func TestAnotherCauseIsToldAndTheSameIsNot(t *testing.T) {
	fails := func(cause string) []Finding {
		return []Finding{{Subject: "postgres-backup@x.service", Kind: KindRun, Severity: Critical, Cause: cause}}
	}
	known, news := Reconcile(nil, fails("exit-code/77"), Options{Now: start})
	if len(news) != 1 {
		t.Fatalf("%+v", news)
	}
	known, news = Reconcile(known, fails("exit-code/77"), Options{Now: start.Add(time.Hour)})
	if len(news) != 0 {
		t.Errorf("the same again: %+v", news)
	}
	if _, news = Reconcile(known, fails("signal"), Options{Now: start.Add(2 * time.Hour)}); len(news) != 1 || news[0].Kind != Changed {
		t.Errorf("another cause: %+v", news)
	}
}

func TestAFailureAfterAGoodRunIsAnIncidentOfItsOwn(t *testing.T) {
	unit := "postgres-backup@x.service"
	failed := func(at time.Time) []Finding {
		return []Finding{{Subject: unit, Kind: KindRun, Severity: Critical, Cause: "exit-code/77", Run: &Run{Unit: unit, EndedAt: at}}}
	}
	known, _ := Reconcile(nil, failed(start), Options{Now: start})
	before := Recovered(known, unit, start.Add(-time.Hour), start.Add(2*time.Hour))
	if _, news := Reconcile(before, failed(start.Add(2*time.Hour)), Options{Now: start.Add(2 * time.Hour)}); len(news) != 0 {
		t.Errorf("a good run before it ends nothing: %+v", news)
	}
	after := Recovered(known, unit, start.Add(time.Hour), start.Add(2*time.Hour))
	if _, news := Reconcile(after, failed(start.Add(2*time.Hour)), Options{Now: start.Add(2 * time.Hour)}); len(news) != 1 || news[0].Kind != Opened {
		t.Errorf("%+v", news)
	}
}

func TestWhatReachedNobodyIsToldAgain(t *testing.T) {
	found := []Finding{{Subject: "sales", Kind: KindTimer, Severity: Critical}}
	known, news := Reconcile(nil, found, Options{Now: start})
	known = Undelivered(known, news)
	known, news = Reconcile(known, found, Options{Now: start.Add(time.Hour)})
	if len(news) != 1 || news[0].Kind != Opened || !news[0].Retry {
		t.Fatalf("%+v", news)
	}
	if _, again := Reconcile(known, found, Options{Now: start.Add(2 * time.Hour)}); len(again) != 0 {
		t.Errorf("delivered, and told again: %+v", again)
	}
	over, cleared := Reconcile(Undelivered(known, news), nil, Options{Now: start.Add(2 * time.Hour)})
	if len(cleared) != 0 {
		t.Errorf("the end of what nobody heard of: %+v", cleared)
	}
	_ = over
	known, cleared = Reconcile(known, nil, Options{Now: start.Add(2 * time.Hour)})
	known = Undelivered(known, cleared)
	if known, cleared = Reconcile(known, nil, Options{Now: start.Add(3 * time.Hour)}); len(cleared) != 1 || cleared[0].Kind != Cleared {
		t.Errorf("the all-clear was lost: %+v", cleared)
	}
	if _, cleared = Reconcile(known, nil, Options{Now: start.Add(4 * time.Hour)}); len(cleared) != 0 {
		t.Errorf("two all-clears: %+v", cleared)
	}
}

func TestAClockThatWentBackDoesNotSilenceAnything(t *testing.T) {
	found := []Finding{{Subject: "sales", Kind: KindTimer, Severity: Critical}}
	remind := func(string) time.Duration { return 24 * time.Hour }
	known, _ := Reconcile(nil, found, Options{Now: start.AddDate(10, 0, 0)})
	known, news := Reconcile(known, found, Options{Now: start, Remind: remind})
	if len(news) != 0 {
		t.Errorf("%+v", news)
	}
	if _, news = Reconcile(known, found, Options{Now: start.Add(25 * time.Hour), Remind: remind}); len(news) != 1 || news[0].Kind != Reminder {
		t.Errorf("no reminder a day later: %+v", news)
	}
}
