package backrest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/backrest"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

func TestTheEngineBacksUpAndTellsWhatItHas(t *testing.T) {
	t.Parallel()
	lab := pitrlab.Start(t, nil)
	label := lab.Backup(t, config.FullBackup)
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE items AS SELECT generate_series(1, 1000) AS id")
	segment := lab.SwitchWAL(t)
	info, err := lab.Tool.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := info.Fault(); err != nil {
		t.Fatal(err)
	}
	if len(info.Archive) != 1 || info.Archive[0].Max != segment || len(info.Whole(1)) != 1 || info.Backup[0].Label != label {
		t.Errorf("info says %+v after %s and %s", info, label, segment)
	}
	if err := lab.Tool.Annotate(t.Context(), label, "pgbtui-drill", "2026-11-28T02:00:00Z"); err != nil {
		t.Error(err)
	}
	if info, err = lab.Tool.Info(t.Context()); err != nil || info.Backup[0].Annotation["pgbtui-drill"] == "" {
		t.Errorf("no note beside the backup: %+v, %v", info.Backup, err)
	}
}

// setUp is the laboratory's server as a cluster that was never set up.
func setUp(lab *pitrlab.Lab) *backrest.PgBackRest {
	e := *lab.Tool
	e.Cluster.Name, e.Cluster.Stanza, e.Cluster.Repository.Path = "second", "second", "pitr/db1/second"
	e.File = filepath.Join(lab.Dir, "etc", "second.conf")
	e.Places = backrest.Places{
		LockPath: filepath.Join(lab.Dir, "locks"), TmpFiles: filepath.Join(lab.Dir, "tmpfiles.d", "second.conf"),
	}
	return &e
}

func TestSetupWritesWhatIsMissingAndNothingOver(t *testing.T) {
	t.Parallel()
	need.Root(t)
	lab := pitrlab.Start(t, nil)
	engine := setUp(lab)
	keys := backrest.Keys{Access: lab.Store.AccessKey, Secret: lab.Store.SecretKey}
	plan, err := engine.PlanSetup(t.Context(), keys)
	if err != nil || plan.Exists || plan.Restart || !strings.Contains(strings.Join(plan.Changes, "\n"), engine.ArchiveCommand()) {
		t.Fatalf("the plan is %+v, %v", plan, err)
	}
	if err := engine.Apply(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(engine.File)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file with the key is %v, %v", info, err)
	}
	if there, err := engine.Info(t.Context()); err != nil || there.Status.Code != backrest.StatusNoBackup {
		t.Errorf("no stanza: %+v, %v", there, err)
	}
	for _, statement := range plan.Changes {
		lab.Postgres.Exec(t, "postgres", statement)
	}
	lab.Postgres.Exec(t, "postgres", "SELECT pg_reload_conf()")
	lab.SwitchWAL(t)
	if again, err := engine.PlanSetup(t.Context(), keys); err != nil || !again.Exists || len(again.Changes) > 0 {
		t.Errorf("set up again it plans %+v, %v", again, err)
	} else if err := engine.Apply(t.Context(), again); err != nil {
		t.Error(err)
	}
	if s, err := engine.Engine().Look(t.Context(), time.Now()); err != nil || s.Segments == 0 {
		t.Errorf("no WAL arrives: %+v, %v", s, err)
	}
	if err := os.WriteFile(engine.File, []byte("[global]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.PlanSetup(t.Context(), keys); fault.CodeOf(err) != fault.Refused {
		t.Errorf("somebody else's file: %v", err)
	}
	_ = os.Remove(engine.File)
	lab.Postgres.Exec(t, "postgres", "ALTER SYSTEM SET archive_command = 'cp %p /srv/archive/%f'")
	lab.Postgres.Exec(t, "postgres", "SELECT pg_reload_conf()")
	if _, err := engine.PlanSetup(t.Context(), keys); fault.CodeOf(err) != fault.Refused || !strings.Contains(err.Error(), "/srv/archive") {
		t.Errorf("somebody else's archive: %v", err)
	}
}
