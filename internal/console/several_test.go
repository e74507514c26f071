package console

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

func TestAJobOfSeveralHasOneRowForEachDatabaseOfWhichItHasSets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "instance: db1\ns3: {bucket: backups}\njobs: {all: {databases: \"*\", exclude: [tmp]}, shop: {}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Source{File: file, Getenv: func(string) string { return "" }, Hostname: "x"})
	if err != nil {
		t.Fatal(err)
	}
	of := func(instance, database, job string) backup.Set {
		return backup.Set{Kind: backup.KindNative, Instance: instance, Database: database, Job: job}
	}
	var got []string
	for _, j := range (Setup{Config: c}).jobs([]backup.Set{
		of("db1", "crm", "all"), of("db1", "crm", "all"), of("db1", "shop", "all"), of("db1", "tmp", "all"),
		of("db2", "other", "all"), of("db1", "strange", "nobodys"),
	}) {
		got = append(got, j.Subject+" by "+j.Unit)
	}
	want := []string{
		"all/crm by postgres-backup@all.service", "all/shop by postgres-backup@all.service",
		"shop by postgres-backup@shop.service",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if first := (Setup{Config: c}).jobs(nil); len(first) != 2 || first[0].Database != "" || !first[0].Several {
		t.Errorf("before anything is known: %+v", first)
	}
}
