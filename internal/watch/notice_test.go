package watch

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
)

func TestANoticeIsToldOnceAndNeverCleared(t *testing.T) {
	now := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	remind := func(string) time.Duration { return time.Hour }
	notice := Finding{Subject: "all/hr", Kind: KindNew, Severity: Warning, Notice: true, What: "database hr is new"}
	known, news := Reconcile(nil, []Finding{notice}, Options{Now: now, Remind: remind})
	if len(news) != 1 || !strings.HasPrefix(news[0].Text("db1"), "PostgreSQL backup notice: job all/hr on db1") {
		t.Fatalf("%+v", news)
	}
	known = Undelivered(known, news) // no channel took it
	for day := range 5 {
		at := now.Add(time.Duration(day) * 24 * time.Hour)
		known, news = Reconcile(known, []Finding{notice}, Options{Now: at, Remind: remind})
		if want := day == 0; (len(news) == 1) != want {
			t.Errorf("day %d: %+v", day, news)
		}
	}
	if _, news = Reconcile(known, nil, Options{Now: now.Add(8 * 24 * time.Hour), Remind: remind}); len(news) != 0 {
		t.Errorf("its end is told: %+v", news)
	}
}

func TestADroppedDatabaseIsNoAlarm(t *testing.T) {
	now := time.Now()
	job := Job{
		Name: "all", Title: "all/hr", Database: "hr", Whose: backup.Whose{Job: "all"},
		Objective: Objective{Objectives: backup.Objectives{RPO: time.Hour, ProofWithin: time.Hour, ProofLevel: backup.LevelRestored}},
	}
	late := job.Judge(nil, now)
	if len(late) == 0 || late[0].Severity != Critical {
		t.Fatalf("%+v", late)
	}
	job.Found = dump.FoundDatabase{Name: "hr", GoneSince: now.Add(-time.Hour)}
	job.Objective.GoneSince = job.Found.GoneSince
	gone := job.Judge(nil, now)
	if len(gone) != 1 || gone[0].Kind != KindGone || !gone[0].Notice || gone[0].Subject != "all/hr" {
		t.Errorf("%+v", gone)
	}
}

func TestANewDatabaseIsTellableForAWeek(t *testing.T) {
	now := time.Now()
	job := Job{Name: "all", Title: "all/hr", Database: "hr", Found: dump.FoundDatabase{Name: "hr", Since: now.Add(-newFor / 2), New: true}}
	if found := job.judgeNew(now); len(found) != 1 || !found[0].Notice {
		t.Errorf("%+v", found)
	}
	if found := job.judgeNew(now.Add(newFor)); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	job.Found.New = false // found by the job's first run
	if found := job.judgeNew(now); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

func TestWhatTheDatabasesOfAJobShareIsFoundOnce(t *testing.T) {
	timer := Finding{Subject: "all", Kind: KindTimer, What: "off"}
	own := Finding{Subject: "all/a", Kind: KindBackup, What: "none"}
	if found := once([]Finding{timer, own, timer}); len(found) != 2 {
		t.Errorf("%+v", found)
	}
}
