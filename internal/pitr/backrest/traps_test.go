package backrest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// rewrite changes the engine's file until the test's end.
func rewrite(t *testing.T, lab *pitrlab.Lab, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(lab.Tool.File)
	if err != nil || !strings.Contains(string(raw), from) {
		t.Fatalf("no %s in the engine's file: %v", from, err)
	}
	if err := os.WriteFile(lab.Tool.File, []byte(strings.Replace(string(raw), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(lab.Tool.File, raw, 0o644) })
}

// damagePage writes over a page of a table, as a bad disk does.
func damagePage(t *testing.T, lab *pitrlab.Lab, table string) {
	t.Helper()
	lab.Postgres.Exec(t, "postgres", "CHECKPOINT")
	path := lab.Postgres.QueryString(t, "postgres", "SELECT pg_relation_filepath('"+table+"')")
	lab.Postgres.Stop(t)
	f, err := os.OpenFile(filepath.Join(lab.Postgres.Data, path), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt([]byte("rotten"), 8192+4000)
		_ = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	lab.Postgres.Run(t)
}

// A cluster with checksums of pages, whose engine and store are damaged one way after the other.
func TestWhatTheEngineHidesIsTold(t *testing.T) {
	t.Parallel()
	lab := pitrlab.StartWith(t, pitrlab.Options{InitArgs: []string{"--data-checksums"}})
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE rows AS SELECT generate_series(1, 10000) AS id")
	lab.Backup(t, config.FullBackup)
	commit(t, lab)
	lab.SwitchWAL(t)
	if v, err := lab.Engine.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("what is whole is verified as %+v, %v", v, err)
	}
	t.Run("the store is down", func(t *testing.T) {
		rewrite(t, lab, "repo1-s3-endpoint=localhost", "repo1-s3-endpoint=127.0.0.2\nio-timeout=1")
		s := look(t, lab)
		expect(t, s, pitr.ProblemRepository)
		if !strings.Contains(s.LossText("main"), "not known") || !strings.Contains(s.Text(), "not known") {
			t.Errorf("it is said of what was not read: %s %s", s.Text(), s.LossText("main"))
		}
		if len(s.Windows) != 0 || !strings.Contains(s.Problems[0].What, "127.0.0.2") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("a key that the store does not know", func(t *testing.T) {
		rewrite(t, lab, "repo1-s3-key=", "repo1-s3-key=other")
		_, err := lab.Tool.Output(t.Context(), "repo-ls")
		if fault.CodeOf(err) != fault.NotPermitted || fault.Remedy(err) == "" {
			t.Errorf("%v is %v", fault.CodeOf(err), err)
		}
		expect(t, look(t, lab), pitr.ProblemRepository)
	})
	t.Run("no secret is in what is told", func(t *testing.T) {
		rewrite(t, lab, "repo1-s3-bucket=", "repo1-s3-bucket=not-")
		_, err := lab.Tool.Output(t.Context(), "repo-ls")
		if err == nil || strings.Contains(err.Error(), lab.Store.SecretKey) {
			t.Errorf("it says %v", err)
		}
	})
	t.Run("a backup while the engine is stopped", func(t *testing.T) {
		lab.PgBackRest(t, "stop")
		_, err := lab.Engine.Backup(t.Context(), config.FullBackup, nil)
		lab.PgBackRest(t, "start")
		if fault.CodeOf(err) != fault.Refused || !strings.Contains(fault.Remedy(err), "start") {
			t.Errorf("a stopped engine: %v", err)
		}
	})
	t.Run("a page with a wrong checksum", func(t *testing.T) {
		damagePage(t, lab, "rows")
		lab.Backup(t, config.FullBackup)
		expect(t, look(t, lab), pitr.ProblemBadPages)
	})
	t.Run("another timeline after a promotion", func(t *testing.T) {
		old, _ := look(t, lab).Newest()
		lab.Promote(t)
		commit(t, lab)
		lab.SwitchWAL(t)
		s := look(t, lab)
		w, ok := s.Newest()
		if !ok || w.Timeline != 2 || !w.Until.After(old.Until) || len(s.Windows) != 1 || w.After != old.After {
			t.Errorf("%+v, before %+v: %+v", w, old, s.Problems)
		}
	})
	t.Run("a segment that grows without end", func(t *testing.T) {
		segment := lab.SwitchWAL(t)
		file := lab.SegmentFile(t, segment)
		var stored bytes.Buffer
		packed := gzip.NewWriter(&stored)
		_, err := packed.Write(make([]byte, 64<<20))
		if err := errors.Join(err, packed.Close()); err != nil {
			t.Fatal(err)
		}
		lab.Delete(t, file)
		other := strings.TrimSuffix(file, filepath.Ext(file)) + ".gz"
		lab.Put(t, other, stored.Bytes())
		to := filepath.Join(lab.Dir, segment)
		err = lab.Engine.Fetch(t.Context(), segment, to, pitrlab.SegmentBytes)
		left, _ := filepath.Glob(to + "*")
		if fault.CodeOf(err) != fault.Integrity || len(left) > 0 {
			t.Errorf("%v, and %q is left", err, left)
		}
		if _, err := lab.Engine.Look(t.Context(), time.Now()); fault.CodeOf(err) != fault.Integrity {
			t.Errorf("the look: %v", err)
		}
		lab.Delete(t, other)
	})
	t.Run("verify ends with 0 on damage", func(t *testing.T) {
		first := lab.SegmentFile(t, lab.SwitchWAL(t))
		lab.Swap(t, lab.SegmentFile(t, lab.SwitchWAL(t)), first)
		if v, err := lab.Engine.Verify(t.Context()); err != nil || v.OK { // an error would be its exit
			t.Errorf("verified as %+v, %v", v, err)
		}
	})
	t.Run("a server that is another one", func(t *testing.T) {
		other := pitrlab.Start(t, nil)
		mixed := *lab.Engine
		mixed.Server = other.Engine.Server
		s, err := mixed.Look(t.Context(), time.Now())
		if err != nil || !slices.Contains(kinds(s), pitr.ProblemOtherServer) || len(s.Windows) != 0 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
