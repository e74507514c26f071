package pitr_test

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

func TestTheEngineBacksUpAndTellsWhatItHas(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	label := lab.Backup(t, config.FullBackup)
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE items AS SELECT generate_series(1, 1000) AS id")
	segment := lab.SwitchWAL(t)
	info, err := lab.Engine.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := info.Fault(); err != nil {
		t.Fatal(err)
	}
	if len(info.Archive) != 1 || info.Archive[0].Max != segment || len(info.Whole(1)) != 1 || info.Backup[0].Label != label {
		t.Errorf("info says %+v after %s and %s", info, label, segment)
	}
	if err := lab.Engine.Annotate(t.Context(), label, "pgbtui-drill", "2026-11-28T02:00:00Z"); err != nil {
		t.Error(err)
	}
	if info, err = lab.Engine.Info(t.Context()); err != nil || info.Backup[0].Annotation["pgbtui-drill"] == "" {
		t.Errorf("no note beside the backup: %+v, %v", info.Backup, err)
	}
	t.Log(lab.PgBackRest(t, "info", "--output=json"))
	t.Log(lab.PgBackRest(t, "repo-ls", "--output=json", "--recurse"))
}
