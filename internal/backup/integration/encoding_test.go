package integration

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

func TestADatabaseInAnotherEncodingIsRestoredAlthoughItsNamesAreNotUTF8(t *testing.T) {
	w := newWorld(t)
	name := w.Job.Database + "_latin1"
	w.pg.Exec(t, "postgres", `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`)
	t.Cleanup(func() { w.pg.DropDatabase(t, name) })
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+name+" SET client_encoding = 'UTF8'")
	w.pg.Exec(t, name, `CREATE TABLE "größe" AS SELECT 'süß'::text AS a; CREATE TABLE "grÃ¶" AS SELECT 1 AS a; CREATE TABLE plain AS SELECT 1 AS a`)
	w.pg.Exec(t, "postgres", "ALTER DATABASE "+name+" RESET client_encoding") // it would make the dump UTF-8
	w.Job.Database = name
	set := w.Find(t, w.Run(t).Manifest.ID)
	if _, err := verify.Whole(t.Context(), w.Job, w.Env, set, nil); err != nil {
		t.Fatal(err)
	}
	to := name + "_copy"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	restored, err := restore.Run(t.Context(), w.Job, w.Env, set, restore.Request{To: to}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if restored.Tables != 1 || !strings.Contains(strings.Join(restored.Notes, " "), "2 tables were not compared") {
		t.Errorf("%+v", restored)
	}
	const named = `SELECT count(*) FROM pg_class WHERE relname = convert_from('\x6772f6df65', 'LATIN1')`
	if n, encoding := w.pg.QueryInt(t, to, named), w.pg.QueryString(t, to, "SHOW server_encoding"); n != 1 || encoding != "LATIN1" {
		t.Errorf("%d tables, encoding %s", n, encoding)
	}
}

func TestARestoreWhoseRowsAreEqualIsTheSetsBestEvidence(t *testing.T) {
	w, set := smallSet.world(t)
	to := w.Job.Instance + "_copy"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	restored, err := restore.Run(t.Context(), w.Job, w.Env, set, restore.Request{To: to}, nil)
	if err != nil || restored.Recorded == "" {
		t.Fatalf("%+v, %v", restored, err)
	}
	now := w.Find(t, set.ID)
	if level, _ := now.Proven(); level != backup.LevelRestored || now.Proofs[0].Rows != 5000 || len(now.Proofs[0].Stages) < 4 {
		t.Errorf("proofs %+v", now.Proofs)
	}
}

func TestAnUnknownClientIsReadByTheNewestToolsThereAre(t *testing.T) {
	w := NewWorldOn(t, pgOf(t), "small")
	legacy := &backup.Set{Kind: backup.KindLegacy, Database: "small"}
	found, err := stored.Tools(t.Context(), w.pg.BinDir, legacy, postgres.FindTools)
	if err != nil || found.Major == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if _, err := stored.Tools(t.Context(), t.TempDir(), legacy, postgres.FindTools); err == nil {
		t.Error("tools in an empty folder")
	}
	newer := &backup.Set{Kind: backup.KindNative, Manifest: &backup.Manifest{DumpClient: "pg_dump (PostgreSQL) 99.1"}}
	if _, err := stored.Tools(t.Context(), w.pg.BinDir, newer, postgres.FindTools); err == nil {
		t.Error("an older pg_restore was taken for a newer dump")
	}
}
