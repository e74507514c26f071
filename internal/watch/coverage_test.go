package watch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

func loaded(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("s3: {bucket: backups}\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Source{File: file, Getenv: func(string) string { return "" }, Hostname: "db1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// seen is what runs saw, by host and port.
func seen(servers ...dump.Server) func(config.Postgres) *dump.Server {
	return func(of config.Postgres) *dump.Server {
		for i := range servers {
			if servers[i].Host == of.Host && servers[i].Port == of.Port {
				return &servers[i]
			}
		}
		return nil
	}
}

func TestWhatNoJobBacksUpIsFoundAcrossWaysToAServer(t *testing.T) {
	at := time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)
	all := []string{"a", "b", "c", "tmp_1"}
	c := loaded(t, `exclude: ["tmp_*"]
jobs:
  a: {postgres: {user: one}}
  a2: {database: a, postgres: {user: two, bin_dir: /x}}
  b: {postgres: {host: 127.0.0.1, port: 5432}}
`)
	one := seen(
		dump.Server{Identifier: "7", At: at, Databases: all},
		dump.Server{Host: "127.0.0.1", Port: "5432", Identifier: "7", At: at.Add(time.Hour), Databases: append(all, "d")},
	)
	got := Coverages(c, one)
	if len(got) != 1 || !slices.Equal(got[0].Uncovered, []string{"c", "d"}) || !got[0].At.Equal(at.Add(time.Hour)) {
		t.Errorf("one server: %+v", got)
	}
	// Without an identifier nobody knows that they are one: each is judged by its own jobs.
	two := seen(dump.Server{At: at, Databases: all})
	got = Coverages(c, two)
	if len(got) != 2 || !slices.Equal(got[0].Uncovered, []string{"b", "c"}) || !got[1].At.IsZero() || len(got[1].Uncovered) != 0 {
		t.Errorf("two: %+v", got)
	}
}

func TestUncoveredDatabasesAreOneWarningAServerWhichChangesWithThem(t *testing.T) {
	c := Coverage{At: time.Now(), Uncovered: []string{"a"}}
	one := c.judge()
	c.Uncovered = append(c.Uncovered, strings.Split("b c d e f g h i j k l", " ")...)
	many := c.judge()
	if len(one) != 1 || len(many) != 1 || one[0].key() != many[0].key() || one[0].Cause == many[0].Cause ||
		one[0].Severity != Warning || !strings.Contains(many[0].What, "12 databases: a, b, c, d, e, f, g, h, i, j and 2 more") {
		t.Errorf("%+v\n%+v", one, many)
	}
	now := time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)
	incidents, news := Reconcile(nil, one, Options{Now: now})
	if len(news) != 1 || news[0].Kind != Opened {
		t.Fatalf("%+v", news)
	}
	if _, news = Reconcile(incidents, one, Options{Now: now.Add(time.Hour)}); len(news) != 0 {
		t.Errorf("told again: %+v", news)
	}
	if _, news = Reconcile(incidents, many, Options{Now: now.Add(time.Hour)}); len(news) != 1 || news[0].Kind != Changed {
		t.Errorf("more of them: %+v", news)
	}
	// A server of which nothing is known any more ends no incident.
	unknown := Snapshot{Coverage: []Coverage{{}}}
	if !unknown.Unjudged(incidents[0]) {
		t.Error("an incident of a server that nobody has seen would be cleared")
	}
	known := Snapshot{Coverage: []Coverage{{At: now}}}
	if known.Unjudged(incidents[0]) {
		t.Error("an incident that is over would stay")
	}
}
