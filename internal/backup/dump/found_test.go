package dump

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

func several() config.Job {
	return config.Job{Name: "all", Instance: "db1", Databases: []string{"*"}, Exclude: []string{"tmp_*"}}
}

// looks are runs of a job, one after another, with what each logs.
type looks struct {
	t   *testing.T
	dir string
	job config.Job
	now time.Time
}

func (l *looks) run(names ...string) (found *Found, told string) {
	l.t.Helper()
	l.now = l.now.Add(24 * time.Hour)
	var out bytes.Buffer
	before, err := ReadFound(l.dir, l.job)
	if err != nil {
		l.t.Fatal(err)
	}
	found = before.Look(l.t.Context(), slog.New(slog.NewTextHandler(&out, nil)), l.job, names, l.now)
	if err := found.Save(l.dir, l.job); err != nil {
		l.t.Fatal(err)
	}
	return found, out.String()
}

func newLooks(t *testing.T) *looks {
	return &looks{t: t, dir: t.TempDir(), job: several(), now: time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)}
}

func TestWhatIsNewAndWhatIsGoneIsToldOnce(t *testing.T) {
	l := newLooks(t)
	if found, told := l.run("crm", "shop"); told != "" || found.Of("crm").New {
		t.Errorf("by the first run nothing is new: %s", told)
	}
	if found, told := l.run("crm", "hr", "shop"); strings.Count(told, "event=database-found") != 1 ||
		!strings.Contains(told, `database=hr`) || !found.Of("hr").New || found.Of("shop").New {
		t.Errorf("%+v, %s", found, told)
	}
	if _, told := l.run("crm", "hr", "shop"); told != "" {
		t.Errorf("told again: %s", told)
	}
	gone, told := l.run("hr", "shop")
	if strings.Count(told, "event=database-gone") != 1 || gone.Of("crm").GoneSince.IsZero() {
		t.Errorf("%+v, %s", gone, told)
	}
	since := gone.Of("crm").GoneSince
	if found, told := l.run("hr", "shop"); told != "" || !found.Of("crm").GoneSince.Equal(since) {
		t.Errorf("told again: %s", told)
	}
	// Created again under its name, it is another database, and new.
	if found, told := l.run("crm", "hr", "shop"); !strings.Contains(told, "database-found") || !found.Of("crm").GoneSince.IsZero() {
		t.Errorf("%+v, %s", found, told)
	}
}

func TestWhatIsExcludedLaterIsForgotten(t *testing.T) {
	l := newLooks(t)
	l.run("crm", "shop")
	l.job.Exclude = []string{"crm"}
	if found, told := l.run("shop"); told != "" || !slices.Equal(found.Names(), []string{"shop"}) {
		t.Errorf("%+v, %s", found, told)
	}
}

func TestARetryDoesWhatTheRunBeforeItHasNotDone(t *testing.T) {
	l := newLooks(t)
	found, _ := l.run("a", "b", "c", "d")
	found.Tried("a", l.now, false)
	found.Tried("b", l.now, true)
	found.Tried("d", l.now.Add(-24*time.Hour), false) // by the night before
	if left := found.Left([]string{"a", "b", "c", "d", "e"}, l.now.Add(5*time.Minute)); !slices.Equal(left, []string{"b", "c", "d", "e"}) {
		t.Errorf("%q", left)
	}
	if left := found.Left([]string{"a"}, l.now.Add(-time.Hour)); len(left) != 1 {
		t.Error("a clock that was put back leaves a database out")
	}
}

func TestWhatIsRememberedIsOfOneJobAndCanBeDamaged(t *testing.T) {
	l := newLooks(t)
	l.run("a")
	other := l.job
	other.Name = "others"
	if found, err := ReadFound(l.dir, other); found != nil || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	file, _ := foundFile(l.dir, l.job)
	for _, text := range []string{"", "{}", "{\"schema\":1,\"job\":\"others\"}", "\x00"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFound(l.dir, l.job); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
	}
	info, err := os.Stat(l.dir)
	if err != nil || !info.IsDir() {
		t.Fatal(err)
	}
}
