package integration

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// script uploads what the old shell script would have: pg_dump's own compressed archive, as it is.
func (w *world) script(t *testing.T, database string) (key string) {
	t.Helper()
	archive := w.pgDump(t, w.job.Database, "-Fc")
	key = "postgresql/postgresql_" + database + "_20200102_030405.backup"
	w.put(t, key, archive)
	return key
}

// scripted is the set that a listing makes of such an object.
func (w *world) scripted(t *testing.T, key string) *backup.Set {
	t.Helper()
	for _, set := range w.sets(t) {
		if set.Dir == key {
			return &set
		}
	}
	t.Fatalf("%s is not listed", key)
	return nil
}

// pgDump is what pg_dump itself writes of a database.
func (w *world) pgDump(t *testing.T, database string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(filepath.Join(w.pg.BinDir, "pg_dump"), args...)
	cmd.Env = append(cmd.Environ(), w.pg.Env(database)...)
	archive, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func TestSetsOfTheOldScriptAreListedVerifiedAndRestored(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, sampleSchema)
	w.script(t, w.job.Database)
	sets := w.sets(t)
	if len(sets) != 1 || sets[0].Kind != backup.KindLegacy || sets[0].Database != w.job.Database || !sets[0].Good() || !strings.HasPrefix(sets[0].ID, "legacy-20200102T030405-") {
		t.Fatalf("%+v", sets)
	}
	set := w.find(t, sets[0].ID)
	v, err := verify.Whole(t.Context(), w.job, w.env, set, nil)
	if err != nil || v.Recorded != "" || v.Proof.Tables != 4 || len(v.Proof.NotProven) < 2 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, jobs := range []int{1, 2} {
		to := w.job.Database + "_copy"
		restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: jobs}, nil)
		if err != nil || restored.Compared || len(restored.Notes) == 0 {
			t.Fatalf("%+v, %v", restored, err)
		}
		if n := w.pg.QueryInt(t, to, "SELECT count(*) FROM items"); n != 5000 {
			t.Errorf("%d items", n)
		}
		w.pg.DropDatabase(t, to)
	}
	if got := w.keys(t); len(got) != 1 {
		t.Errorf("something was written beside it: %q", got)
	}
}

func TestDamagedSetsOfTheOldScriptFailVerification(t *testing.T) {
	pg, small := smallDatabase(t)
	for name, damage := range map[string]func([]byte) []byte{
		"cut at half":     func(b []byte) []byte { return b[:len(b)/2] },
		"cut in the head": func(b []byte) []byte { return b[:100] },
		"empty":           func([]byte) []byte { return nil },
		"plain SQL":       func([]byte) []byte { return []byte("-- PostgreSQL database dump\nSELECT 1;\n") },
		"noise":           func(b []byte) []byte { return bytes.Repeat([]byte("noise"), len(b)/5) },
		"last byte less":  func(b []byte) []byte { return b[:len(b)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pg, small)
			w.change(t, w.script(t, small), damage)
			_, err := verify.Whole(t.Context(), w.job, w.env, &w.sets(t)[0], nil)
			wantCode(t, err, fault.Integrity)
		})
	}
}

func TestSetsOfTheOldScriptGoOnlyWhenAsked(t *testing.T) {
	w := withDays(t)
	key := w.script(t, "small")
	for range 2 {
		w.plant(t, time.Now().Add(time.Minute)) // newer, whatever the clocks' resolutions
	}
	w.pass(100 * 24 * time.Hour)
	for legacy, want := range map[bool]bool{false: false, true: true} {
		plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{Legacy: legacy})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range plan.Decisions {
			if d.Set.Kind == backup.KindLegacy && d.Delete != want {
				t.Errorf("asked %v: delete %v, %s", legacy, d.Delete, d.Reason)
			}
		}
		if legacy {
			if _, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, retention.Unconfirmed); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w.has(t, key) {
		t.Error("it is still there")
	}
}

func TestAnArchivedLegacySetSaysThatItMustBeThawed(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	if _, err := w.env.Bucket.Put(t.Context(), "postgresql/postgresql_small_20200102_030405.backup", []byte("x"), s3.PutOptions{Class: "GLACIER"}); err != nil {
		t.Fatal(err)
	}
	_, err := verify.Whole(t.Context(), w.job, w.env, &w.sets(t)[0], nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(fault.Remedy(err), "pgbtui thaw") {
		t.Error(fault.Remedy(err))
	}
}
