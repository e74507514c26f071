package e2e

import (
	"os"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// sign makes later sets signed by a new key, and trusted by it alone.
func (w *world) sign(t *testing.T) {
	t.Helper()
	key := w.dir + "/signing.pem"
	path := []string{"PATH=" + os.Getenv("PATH")}
	run(t, path, w.dir, need.Program(t, "openssl"), "genpkey", "-algorithm", "ed25519", "-out", key)
	if err := os.Chmod(key, 0o600); err != nil {
		t.Fatal(err)
	}
	public := strings.Split(string(run(t, path, w.dir, need.Program(t, "openssl"), "pkey", "-in", key, "-pubout")), "\n")[1]
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "config.yaml", string(text)+"signing: {key_file: "+key+", public_keys: ["+public+"]}\n")
}

// The page is followed as it was printed: what stands below a job's facts goes to a shell.
func TestTheKitRestoresOnAnEmptyServerWithoutPgbtui(t *testing.T) {
	need.All(t, "restores without pgbtui")
	t.Parallel()
	w := newWorld(t, 0)
	w.source.CreateDatabaseNamed(t, database)
	w.source.Exec(t, database, "CREATE TABLE t (a text); INSERT INTO t VALUES ('of the first set')")
	w.encrypt(t)
	w.sign(t)
	w.pgbtui(t, w.source, database, "--headless")
	first := dump(t, w.source, database)
	w.source.Exec(t, database, "INSERT INTO t VALUES ('of the second set')")
	w.pgbtui(t, w.source, database, "--headless")
	page := string(w.pgbtui(t, w.source, database, "kit"))
	for _, secret := range []string{w.store.SecretKey, w.store.AccessKey, "AGE-SECRET-KEY", "PRIVATE KEY"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page has a secret:\n%s", page)
		}
	}
	target := pgtest.Start(t)
	w.follow(t, target, commandsOf(t, page))
	equal(t, "the newest set", dump(t, target, database+"_restored"), dump(t, w.source, database))

	// Another set, as the page says.
	var list struct{ Sets []struct{ ID string } }
	decode(t, w.pgbtui(t, w.source, database, "list", "--json"), &list)
	newer, older := w.manifest(t, list.Sets[0].ID), w.manifest(t, list.Sets[1].ID)
	for i := range newer {
		page = strings.ReplaceAll(page, newer[i], older[i])
	}
	other := pgtest.Start(t)
	w.follow(t, other, commandsOf(t, page))
	equal(t, "the set before", dump(t, other, database+"_restored"), first)
}

// manifest is a set's ID and the sums of its objects.
func (w *world) manifest(t *testing.T, id string) []string {
	t.Helper()
	type object struct{ SHA256 string }
	var show struct {
		Manifest struct{ Dump, Globals, Contents object }
	}
	decode(t, w.pgbtui(t, w.source, database, "show", id, "--json"), &show)
	m := show.Manifest
	return []string{id, m.Dump.SHA256, m.Globals.SHA256, m.Contents.SHA256}
}

func commandsOf(t *testing.T, page string) []string {
	t.Helper()
	_, job, _ := strings.Cut(page, "\nJOB ")
	_, commands, found := strings.Cut(job, "\n\n")
	if !found {
		t.Fatalf("no commands:\n%s", page)
	}
	return strings.Split(strings.TrimSpace(commands), "\n")
}
