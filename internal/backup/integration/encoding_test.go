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

// inEncoding is a world whose database has names in one of PostgreSQL's encodings; its bytes are written in hexadecimal.
func inEncoding(t *testing.T, encoding, names string) *world {
	t.Helper()
	w := newWorld(t)
	name := w.job.Database + "_" + strings.ToLower(encoding)
	w.pg.Exec(t, "postgres", `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING '`+encoding+`' LC_COLLATE 'C' LC_CTYPE 'C'`)
	t.Cleanup(func() { w.pg.DropDatabase(t, name) })
	w.pg.Exec(t, name, `CREATE SCHEMA apart; CREATE TABLE apart.plain AS SELECT 1 AS a; SET client_encoding = '`+encoding+`'; DO $do$ DECLARE n bytea; BEGIN
		FOREACH n IN ARRAY ARRAY[`+names+`]::bytea[] LOOP
			EXECUTE format('CREATE TABLE %I (a text)', convert_from(n, '`+encoding+`'));
			EXECUTE format('INSERT INTO %1$I VALUES (%1$L), (%1$L)', convert_from(n, '`+encoding+`'));
		END LOOP; END $do$`)
	w.job.Database = name
	return w
}

func TestNamesInTheDatabasesOwnEncodingAreFoundComparedAndShown(t *testing.T) {
	for encoding, c := range map[string]struct{ names, table, hex string }{
		// The second is, byte for byte, another word in UTF-8.
		"LATIN1":    {`'\x53747261df65', '\x6772c3b6'`, "Straße", "53747261df65"},
		"LATIN9":    {`'\x507265697320a4'`, "public.Preis €", "507265697320a4"},
		"WIN1251":   {`'\xf3ebe8f6e0'`, "улица", "f3ebe8f6e0"},
		"SQL_ASCII": {`'\x53747261df65', '\x53747261c39f65'`, `Stra\xdfe`, "53747261df65"},
	} {
		t.Run(encoding, func(t *testing.T) {
			w := inEncoding(t, encoding, c.names)
			set := w.find(t, w.run(t).Manifest.ID)
			if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
				t.Fatal(err)
			}
			tables := strings.Count(c.names, ",") + 2
			to := w.job.Instance + "_copy"
			r := w.restorePart(t, set, restore.Request{To: to})
			if !r.Compared || r.Tables != tables || len(r.Notes) > 0 {
				t.Errorf("%+v", r)
			}
			named := `SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname::bytea = '\x` + c.hex + `'`
			if got := w.pg.QueryString(t, to, "SHOW server_encoding"); got != encoding || w.pg.QueryInt(t, to, named) != 1 {
				t.Errorf("the copy is in %s, or its table has another name", got)
			}
			r = w.restorePart(t, set, restore.Request{To: to, Tables: []string{c.table}})
			if !r.Compared || r.Rows != 2 || w.pg.QueryInt(t, to, named) != 1 {
				t.Errorf("%+v", r)
			}
			w.named(t)
			drilled, err := w.drill(t, set)
			if err != nil || drilled.Proof.Tables != tables || len(drilled.Warnings) > 0 {
				t.Errorf("%+v, %v", drilled, err)
			}
		})
	}
}

func TestASetWhoseNamesWereLostSaysThatTheyAreNotCompared(t *testing.T) {
	w := inEncoding(t, "LATIN1", `'\x53747261df65', '\x6772c3b6'`)
	set := w.find(t, w.run(t).Manifest.ID)
	w.rewriteContents(t, set, func(c *backup.Contents) { // as older programs wrote them: bytes, and what is no UTF-8 is lost
		c.Archive.Decoded = false
		for i, e := range c.Archive.Entries {
			raw := strings.NewReplacer("ß", "\ufffd", "Ã¶", "ö").Replace(e.Tag)
			c.Archive.Entries[i].Tag = raw
		}
	})
	r := w.restorePart(t, w.find(t, set.ID), restore.Request{})
	if r.Tables != 1 || !strings.Contains(strings.Join(r.Notes, " "), "2 tables were not compared") {
		t.Errorf("%+v", r)
	}
}

func TestARestoreWhoseRowsAreEqualIsTheSetsBestEvidence(t *testing.T) {
	w, set := smallSet.world(t)
	to := w.job.Instance + "_copy"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	if err != nil || restored.Recorded == "" {
		t.Fatalf("%+v, %v", restored, err)
	}
	now := w.find(t, set.ID)
	if level, _ := now.Proven(); level != backup.LevelRestored || now.Proofs[0].Rows != 5000 || len(now.Proofs[0].Stages) < 4 {
		t.Errorf("proofs %+v", now.Proofs)
	}
}

func TestAnUnknownClientIsReadByTheNewestToolsThereAre(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
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
