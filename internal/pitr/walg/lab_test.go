package walg_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

func look(t *testing.T, lab *pitrlab.Lab, want ...pitr.ProblemKind) pitr.State {
	t.Helper()
	s, err := lab.Engine.Look(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []pitr.ProblemKind
	for _, p := range s.Problems {
		if p.Remedy == "" || p.What == "" {
			t.Errorf("a problem without words: %s", p.Kind)
		}
		kinds = append(kinds, p.Kind)
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("the problems are %v, not %v: %+v", kinds, want, s.Problems)
	}
	return s
}

func commit(t *testing.T, lab *pitrlab.Lab) {
	t.Helper()
	lab.Postgres.Exec(t, "postgres",
		"CREATE TABLE IF NOT EXISTS beats (at timestamptz); INSERT INTO beats VALUES (clock_timestamp())")
}

// withStandIn skips what can only be put into the stand-in's folder.
func withStandIn(t *testing.T, lab *pitrlab.Lab) (storage string) {
	t.Helper()
	if pitrlab.RealWALG() {
		t.Skip("the storage of the real WAL-G is an S3 server")
	}
	return filepath.Join(lab.Dir, "storage")
}

// One cluster for what can be provoked one after the other.
func TestTheWindowIsWhatTheStorageHoldsAndEachTrapIsTold(t *testing.T) {
	t.Parallel()
	lab := pitrlab.StartWALG(t)
	look(t, lab, pitr.ProblemNoBackup)
	if err := lab.Engine.Check(t.Context()); err != nil {
		t.Errorf("WAL is archived: %v", err)
	}
	full := lab.Backup(t, config.FullBackup)
	commit(t, lab)
	archived := lab.SwitchWAL(t)
	s := look(t, lab)
	w, _ := s.Newest()
	if w.Last != archived || !w.After.Before(w.Until) || !slices.Equal(w.Backups, []string{full}) {
		t.Errorf("the window is %+v", w)
	}
	if loss, known := s.Loss(); !known || loss != 0 || s.Version == "" {
		t.Errorf("with all archived, %v would be lost (%s)", loss, s.Version)
	}
	delta := lab.Backup(t, config.IncrBackup)
	if s = look(t, lab); len(s.Held.Backups) != 2 || s.Held.Backups[1].Label != delta || s.Held.Backups[1].Prior != full ||
		s.Held.Backups[1].Type != "delta" {
		t.Errorf("the backups are %+v", s.Held.Backups)
	}
	if v, err := lab.Engine.Verify(t.Context()); err != nil || !v.OK || len(v.Lines) < 4 {
		t.Errorf("what is whole is verified as %+v, %v", v, err)
	}
	t.Run("the storage is away", func(t *testing.T) {
		away := filepath.Join(withStandIn(t, lab), "away")
		if err := os.WriteFile(away, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(away) }()
		s := look(t, lab, pitr.ProblemRepository)
		if s.Text() != "what can be recovered is not known" || !strings.Contains(s.Problems[0].Remedy, "storage's address") {
			t.Errorf("%s: %+v", s.Text(), s.Problems)
		}
	})
	t.Run("a missing segment", func(t *testing.T) {
		commit(t, lab)
		lost := lab.SwitchWAL(t)
		lab.SwitchWAL(t)
		lab.RunWALG(t, "st", "rm", "wal_005/"+lost+".lz4")
		s := look(t, lab, pitr.ProblemGap)
		if len(s.Gaps) != 1 || !slices.Equal(s.Gaps[0].Segments, []string{lost}) {
			t.Errorf("gaps are %+v", s.Gaps)
		}
	})
	t.Run("a base backup whose files are gone", func(t *testing.T) {
		lab.RunWALG(t, "st", "rm", "basebackups_005/"+full+"/tar_partitions")
		look(t, lab, pitr.ProblemLostBackup, pitr.ProblemLostBackup, pitr.ProblemNoBackup)
		if v, err := lab.Engine.Verify(t.Context()); err != nil || v.OK || !slices.Equal(v.Bad, []string{full, delta}) {
			t.Errorf("verified as %+v, %v", v, err)
		}
	})
}

func TestACopyIsRestoredToAMomentByWALGsOwnCommands(t *testing.T) {
	t.Parallel()
	lab := pitrlab.StartWALG(t)
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE items AS SELECT generate_series(1, 1000) AS id")
	lab.Backup(t, config.FullBackup)
	lab.Postgres.Exec(t, "postgres", "INSERT INTO items VALUES (1001)")
	lab.Postgres.Exec(t, "postgres", "SELECT pg_create_restore_point('before the drop')")
	lab.Postgres.Exec(t, "postgres", "DROP TABLE items")
	lab.SwitchWAL(t)
	dir := filepath.Join(lab.Dir, "copies")
	order := beside.Order{Target: beside.Target{Name: "before the drop"}, Dir: dir}
	made, _, err := beside.Restore(t.Context(), lab.Engine, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = made.Discard() }()
	seen, err := made.Look(t.Context(), beside.LookOptions{Database: "postgres"})
	if err != nil || !seen.Seen.Paused {
		t.Fatalf("%+v, %v", seen, err)
	}
	for _, d := range seen.Databases {
		if d.Name == "postgres" && (len(d.Tables) != 1 || d.Tables[0].Rows != 1001) {
			t.Errorf("the copy has %+v", d.Tables)
		}
	}
	if err := made.Promote(t.Context()); err != nil {
		t.Error(err)
	}
	if err := made.Discard(); err != nil {
		t.Error(err)
	}
	order.Target = beside.Target{Time: time.Now().Add(time.Hour)}
	if _, _, err := beside.Restore(t.Context(), lab.Engine, order, nil); fault.CodeOf(err) != fault.Refused {
		t.Errorf("a moment after the last commit: %v", err)
	}
}

func TestOldBackupsGoOnlyWhereTheirNumberIsSet(t *testing.T) {
	t.Parallel()
	lab := pitrlab.StartWALG(t)
	var all []string
	for range 2 {
		all = append(all, lab.Backup(t, config.FullBackup))
		commit(t, lab)
		lab.SwitchWAL(t)
	}
	if s := look(t, lab); len(s.Held.Backups) != 2 {
		t.Errorf("without keep, there are %+v", s.Held.Backups)
	}
	lab.WALG.Cluster.Keep.Full = 2
	all = append(all, lab.Backup(t, config.FullBackup))
	s := look(t, lab)
	if len(s.Held.Backups) != 2 || s.Held.Backups[0].Label != all[1] || s.Held.Backups[1].Label != all[2] {
		t.Errorf("of %v these are kept: %+v", all, s.Held.Backups)
	}
}
