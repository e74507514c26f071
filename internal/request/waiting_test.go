package request

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func thawing() Restore {
	return Restore{
		Set: setID, Instance: "db1", Database: "shop", ManifestSHA256: digest, By: "ops", At: time.Unix(1, 0).UTC(),
		Request: restore.Request{Replace: "shop", Confirm: "shop", Thaw: "bulk"},
	}
}

func TestAWaitIsTakenUpWithTheEndThatItHadAndOnlyUntilItIsOver(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1000, 0).UTC()
	if _, err := Resume(dir, "r1", now); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("before there is one: %v", err)
	}
	w := NewWaiting(dir, "r1", thawing())
	if err := w.Over(); err != nil || Waits(dir, "r1") {
		t.Fatalf("a wait that never began: %v", err)
	}
	until, err := w.Begin(now, time.Hour)
	if err != nil || !until.Equal(now.Add(time.Hour)) || !Waits(dir, "r1") {
		t.Fatalf("%v, %v", until, err)
	}
	again, err := Resume(dir, "r1", now.Add(50*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	want := thawing()
	want.Owner = OverflowUID // whoever asked is the request's word
	if !reflect.DeepEqual(again.Request, want) {
		t.Errorf("%+v", again.Request)
	}
	if until, err = again.Begin(now.Add(50*time.Minute), time.Hour); err != nil || !until.Equal(now.Add(time.Hour)) {
		t.Errorf("a restart put the end off: %v, %v", until, err)
	}
	if err := again.Over(); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(dir, "r1", now); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("what is over is taken up again: %v", err)
	}
}

func TestAWaitThatEndedWhileTheHostWasDownIsNotTakenUp(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	if _, err := NewWaiting(dir, "r1", thawing()).Begin(now, time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err := Resume(dir, "r1", now.Add(2*time.Hour))
	if fault.CodeOf(err) != fault.Temporary || !strings.Contains(err.Error(), setID) || !strings.Contains(fault.Remedy(err), "again") {
		t.Errorf("%v", err)
	}
	if Waits(dir, "r1") {
		t.Error("the next start would find it")
	}
}

func TestAWaitThatCannotBeForgottenEndsTheRestore(t *testing.T) {
	if os.Geteuid() == 0 {
		// Root may remove everything; a folder in its place cannot be removed while something is in it.
		dir := t.TempDir()
		w := NewWaiting(dir, "r1", thawing())
		if _, err := w.Begin(time.Now(), time.Hour); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "r1.waiting")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(file, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := w.Over(); fault.CodeOf(err) != fault.Refused {
			t.Errorf("%v", err)
		}
	}
}

func TestWhatWaitsIsFoundByItsNameAndPlantedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := NewWaiting(dir, "r2", thawing()).Begin(time.Now(), time.Hour); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, "r2.waiting"))
	if err != nil {
		t.Fatal(err)
	}
	for id, body := range map[string]string{
		"empty":  "",
		"nothaw": strings.Replace(string(good), `"thaw":"bulk"`, `"thaw":""`, 1),
		"check":  strings.Replace(strings.Replace(string(good), `"confirm":"shop",`, "", 1), `{"set"`, `{"check":true,"set"`, 1),
		"unsure": strings.Replace(string(good), `"confirm":"shop"`, `"confirm":"other"`, 1),
		"more":   strings.Replace(string(good), `"until"`, `"command":"rm","until"`, 1),
		"always": `{"request":` + strings.TrimPrefix(strings.SplitN(string(good), `,"until"`, 2)[0], `{"request":`) + `}`,
		"-x":     string(good),
	} {
		if body == string(good) && id != "-x" {
			t.Errorf("%s does not differ from a good one", id)
		}
		if err := os.WriteFile(filepath.Join(dir, id+".waiting"), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Resume(dir, id, time.Now()); err == nil {
			t.Errorf("%s was taken up", id)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "r2.waiting"), filepath.Join(dir, "link.waiting")); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(dir, "link", time.Now()); err == nil {
		t.Error("a link was followed")
	}
	ids, err := AllWaiting(dir)
	if err != nil || !reflect.DeepEqual(ids, []string{"link", "r2"}) {
		t.Errorf("%q, %v: what cannot be read goes, and a name that is no ID is left out", ids, err)
	}
	if none, err := AllWaiting(filepath.Join(dir, "missing")); err != nil || none != nil {
		t.Errorf("%q, %v", none, err)
	}
}

func FuzzParseWaitingNeverPanicsAndTakesOnlyThaws(f *testing.F) {
	f.Add([]byte(`{"request":{` + theSet + `,"to":"y","thaw":"bulk"},"until":"2026-11-29T00:00:00Z"}`))
	f.Add([]byte(`{"request":{` + theSet + `,"to":"y"},"until":"2026-11-29T00:00:00Z"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := parseWaiting(body)
		if err == nil && (w.Request.Thaw == "" || w.Request.Check || w.Until.IsZero() || w.Request.wrong() != "") {
			t.Fatalf("accepted %+v", w)
		}
	})
}
