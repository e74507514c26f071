package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestTheKitSaysWhereAndWithWhichKeysAndNoSecret(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	oneRecipient := identity.Recipient().String()
	w := newWatched(t, "encryption: {recipients: ["+oneRecipient+"]}\n")
	code, page := w.run(t, "kit")
	if code != fault.Warnings || !strings.Contains(page, "There is no good set of this job") || !strings.Contains(page, " s3 ls ") {
		t.Errorf("before a backup: %d\n%s", code, page)
	}
	checkDocument(t, w, "kit", "kit", "--json")
	w.must(t, fault.OK, "--headless")
	code, page = w.run(t, "kit")
	for _, text := range []string{
		"JOB " + w.db, w.s3.Bucket, w.s3.Endpoint, "region          " + w.s3.Region, "s3://" + w.s3.Bucket + "/postgresql/" + backup.EncodeName(hostname()) + "/" + w.db + "/",
		"age recipients  " + oneRecipient, "  encrypted for " + oneRecipient, "age -d -i KEYFILE dump.pgc.zst.age", "pg_restore",
	} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page", text)
		}
	}
	if code != fault.OK || strings.Contains(page, w.s3.SecretKey) || strings.Contains(page, "NOTE") {
		t.Errorf("%d\n%s", code, page)
	}
	checkDocument(t, w, "kit", "kit", "--json")

	var show struct{ Recipe []string }
	var kit jsonKit
	_, out := w.run(t, "show", "latest", "--json")
	if err := json.Unmarshal([]byte(out), &show); err != nil {
		t.Fatal(err)
	}
	_, out = w.run(t, "kit", "--json")
	if err := json.Unmarshal([]byte(out), &kit); err != nil {
		t.Fatal(err)
	}
	if commands := kit.Jobs[0].Commands; len(show.Recipe) == 0 || !slices.Equal(commands[len(commands)-len(show.Recipe):], show.Recipe) {
		t.Errorf("the kit's commands are not those of show:\n%q\n%q", commands, show.Recipe)
	}
	w.configure(t, "")
	if _, page := w.run(t, "kit"); !strings.Contains(page, "encrypted for other recipients") || !strings.Contains(page, "KEYFILE prints") {
		t.Errorf("after the keys were changed:\n%s", page)
	}
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	several := strings.Replace(string(text), w.db+": {}", "all: {databases: ["+w.db+"], exclude: ['*_other']}", 1)
	delete(w.env, "DB_NAME")
	if err := os.WriteFile(w.config, []byte(several), 0o600); err != nil {
		t.Fatal(err)
	}
	w.must(t, fault.OK, "--headless")
	if _, page := w.run(t, "kit"); !strings.Contains(page, "JOB all\n  database        "+w.db) || !strings.Contains(page, "pg_restore") {
		t.Errorf("of a job of several databases:\n%s", page)
	}
	if code, _ := w.run(t, "kit", "--job", "nobody"); code == fault.OK {
		t.Error("a job that is not there has a kit")
	}
}

func TestTheKitRestoresWhatCanBeRestored(t *testing.T) {
	good := backuptest.Old(3)
	all := []backup.Set{backuptest.Old(0, backuptest.Incomplete), backuptest.Old(1, backuptest.Broken), backuptest.Old(2, backuptest.Legacy), good}
	if got := newestToRestore(all); got == nil || got.ID != good.ID {
		t.Errorf("%+v", got)
	}
	if got := newestToRestore(all[:3]); got == nil || got.Kind != backup.KindLegacy {
		t.Errorf("%+v", got)
	}
	if got := newestToRestore(all[:2]); got != nil {
		t.Errorf("%+v", got)
	}
	signed := backuptest.Old(1, func(s *backup.Set) { s.Manifest.Signer, s.Class = "0123456789abcdef", "DEEP_ARCHIVE" })
	notes := strings.Join(kitNotes(config.Job{}, &signed), "\n")
	if !strings.Contains(notes, "signing key that the configuration does not") || !strings.Contains(notes, "DEEP_ARCHIVE") {
		t.Errorf("%s", notes)
	}
}
