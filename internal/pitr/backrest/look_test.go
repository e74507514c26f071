package backrest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/backrest"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

func look(t *testing.T, lab *pitrlab.Lab) pitr.State {
	t.Helper()
	s, err := lab.Engine.Look(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kinds(s pitr.State) (all []pitr.ProblemKind) {
	for _, p := range s.Problems {
		if p.Remedy == "" || p.What == "" {
			panic("a problem without words: " + string(p.Kind))
		}
		all = append(all, p.Kind)
	}
	return all
}

// expect fails unless these are the problems.
func expect(t *testing.T, s pitr.State, want ...pitr.ProblemKind) {
	t.Helper()
	if got := kinds(s); !slices.Equal(got, want) {
		text, _ := json.MarshalIndent(s, "", " ")
		t.Errorf("the problems are %v, not %v\n%s", got, want, text)
	}
}

// remove deletes what the bucket holds of the stanza below a path.
func remove(t *testing.T, lab *pitrlab.Lab, below string) {
	t.Helper()
	out := lab.PgBackRest(t, "repo-ls", "--output=json", "--recurse", "--log-level-console=off", below)
	var files map[string]struct{ Type string }
	if err := json.Unmarshal([]byte(out), &files); err != nil {
		t.Fatal(err)
	}
	removed := 0
	for name, f := range files {
		if f.Type == "file" {
			lab.Delete(t, below+"/"+name)
			removed++
		}
	}
	if removed == 0 {
		t.Fatalf("there was nothing below %s", below)
	}
}

func commit(t *testing.T, lab *pitrlab.Lab) time.Time {
	t.Helper()
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE IF NOT EXISTS beats (at timestamptz); INSERT INTO beats VALUES (now())")
	return time.Now()
}

// One cluster for what can be provoked one after the other: a laboratory costs more than a look.
func TestTheWindowIsWhatTheRepositoryHoldsAndEachTrapIsTold(t *testing.T) {
	t.Parallel()
	lab := pitrlab.Start(t, nil)
	s := look(t, lab)
	expect(t, s, pitr.ProblemNoBackup)
	if s.Text() != "nothing can be recovered" || !strings.Contains(s.LossText("main"), "all of main") {
		t.Errorf("%s, %s", s.Text(), s.LossText("main"))
	}
	lab.SwitchWAL(t)
	expect(t, look(t, lab), pitr.ProblemNoBackup) // archiving is green, and nothing to replay it onto

	full := lab.Backup(t, config.FullBackup)
	before := time.Now()
	commit(t, lab)
	archived := lab.SwitchWAL(t)
	s = look(t, lab)
	expect(t, s)
	w, _ := s.Newest()
	if w.Last != archived || w.Until.Before(before.Add(-time.Second)) || w.Until.After(time.Now()) ||
		!w.After.Before(w.Until) || w.Backups[0] != full {
		t.Errorf("the window is %+v after a commit behind %v", w, before)
	}
	if loss, known := s.Loss(); !known || loss != 0 {
		t.Errorf("with all archived, %v would be lost", loss)
	}
	t.Run("what is committed and not archived is the loss, and no part of the window", func(t *testing.T) {
		commit(t, lab)
		s := look(t, lab)
		if loss, known := s.Loss(); !known || loss <= 0 || s.Unarchived.Commits != 1 {
			t.Errorf("%v, %v, %+v", loss, known, s.Unarchived)
		}
		if now, _ := s.Newest(); now.Until != w.Until {
			t.Errorf("the window goes to %v, not %v", now.Until, w.Until)
		}
		lab.Engine.Cluster.RPO = time.Nanosecond
		defer func() { lab.Engine.Cluster.RPO = lab.Cluster.RPO }()
		expect(t, look(t, lab), pitr.ProblemLag)
	})
	t.Run("a segment without a commit leaves the end where the last commit is", func(t *testing.T) {
		lab.SwitchWAL(t) // with the commit from above
		first, _ := look(t, lab).Newest()
		lab.SwitchWAL(t)
		second, _ := look(t, lab).Newest()
		if first.Until != second.Until || first.Last == second.Last {
			t.Errorf("%+v, then %+v", first, second)
		}
	})
	t.Run("a stop file", func(t *testing.T) {
		lab.PgBackRest(t, "stop")
		defer lab.PgBackRest(t, "start")
		expect(t, look(t, lab), pitr.ProblemStopped)
	})
	t.Run("a missing segment, which info, check and verify do not show", func(t *testing.T) {
		file := lab.SegmentFile(t, archived)
		lab.Delete(t, file)
		lab.SwitchWAL(t)
		lab.PgBackRest(t, "check")
		if info, err := lab.Tool.Info(t.Context()); err != nil || info.Status.Code != backrest.StatusOK {
			t.Errorf("info is not green: %+v, %v", info.Status, err)
		}
		s := look(t, lab)
		expect(t, s, pitr.ProblemGap)
		if len(s.Gaps) != 1 || s.Gaps[0].Segments[0] != archived || !s.Gaps[0].To.IsZero() {
			t.Errorf("gaps are %+v", s.Gaps)
		}
		lab.Backup(t, config.DiffBackup)
		s = look(t, lab)
		if len(s.Windows) != 2 || s.Gaps[0].To != s.Windows[1].After || !strings.Contains(s.Text(), ", gap ") {
			t.Errorf("after a backup behind the gap: %s, %+v", s.Text(), s.Gaps)
		}
	})
	t.Run("a base backup that is gone", func(t *testing.T) {
		remove(t, lab, "backup/main/"+full)
		if info, err := lab.Tool.Info(t.Context()); err != nil || info.Status.Code != backrest.StatusOK || len(info.Backup) != 2 {
			t.Errorf("info is not green: %+v, %v", info, err)
		}
		expect(t, look(t, lab), pitr.ProblemLostBackup, pitr.ProblemLostBackup, pitr.ProblemNoBackup)
	})
	t.Run("the server is down", func(t *testing.T) {
		lab.Postgres.Stop(t)
		defer lab.Postgres.Run(t)
		if got := kinds(look(t, lab)); !slices.Contains(got, pitr.ProblemServer) {
			t.Errorf("the problems are %v", got)
		}
	})
}

func TestWALThatTheEngineDropsIsToldThoughTheServerIsGreen(t *testing.T) {
	t.Parallel()
	lab := pitrlab.Start(t, nil)
	lab.Backup(t, config.FullBackup)
	commit(t, lab)
	lab.SwitchWAL(t)
	// The store is away for the archiver, and its queue full: pgBackRest calls that success.
	raw, err := os.ReadFile(lab.Tool.File)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"repo1-s3-endpoint=localhost": "repo1-s3-endpoint=127.0.0.2",
		"[global]\n":                  "[global]\narchive-push-queue-max=1MiB\nio-timeout=1\n",
	} {
		raw = []byte(strings.Replace(string(raw), from, to, 1))
	}
	away := filepath.Join(lab.Dir, "away.conf")
	if err := os.WriteFile(away, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	lab.Postgres.Exec(t, "postgres", "ALTER SYSTEM SET archive_command = 'pgbackrest --config="+away+" --stanza=main archive-push %p'")
	lab.Postgres.Exec(t, "postgres", "SELECT pg_reload_conf()")
	commit(t, lab)
	for range 4 {
		lab.Postgres.Exec(t, "postgres", "SELECT pg_logical_emit_message(false, 'x', 'y'), pg_switch_wal()")
	}
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(lab.Postgres.Log(), "dropped WAL file"); {
		if time.Now().After(deadline) {
			t.Fatal(lab.Postgres.Log())
		}
		time.Sleep(100 * time.Millisecond)
	}
	s := look(t, lab)
	if s.Archiver.Failing() {
		t.Errorf("the archiver is not green: %+v", s.Archiver)
	}
	if got := kinds(s); !slices.Contains(got, pitr.ProblemDropped) {
		t.Errorf("the problems are %v: %+v", got, s)
	}
}
