package systemd

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A root as it may be found: units of ours with a line for the writer, a drop-in that exchanges it for one job, and
// secrets of which one is spelt wrong and one can be read by others.
func TestWiringTellsWhatIsHandedToNobodyMissingOrOpen(t *testing.T) {
	dir := t.TempDir()
	unit := "/etc/systemd/system/postgres-backup@.service"
	put(t, dir, unit, rendered(t, "postgres-backup@.service"))
	put(t, dir, "/etc/systemd/system/postgres-backup-theirs.service", "[Service]\nLoadCredential=x:/nonexistent\n")
	put(t, dir, "/etc/systemd/system/postgres-backup@shop.service.d/key.conf",
		"[Service]\nLoadCredential=aws-credentials:/etc/pgbtui/secret/shop\n"+
			"LoadCredential=more:/etc/pgbtui/more\nLoadCredential=named\n")
	for _, name := range []string{"writer", "signing-key", "shop", "writter"} {
		put(t, dir, SecretDir+"/"+name, "x")
		mode := os.FileMode(0o600)
		if name == "shop" {
			mode = 0o640
		}
		if err := os.Chmod(filepath.Join(dir, SecretDir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, SecretDir), 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := CheckWiring(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"shop", "signing-key", "writer", "writter"}; !slices.Equal(w.Found, want) {
		t.Errorf("found %q, want %q", w.Found, want)
	}
	if want := []string{SecretDir + "/writter"}; !slices.Equal(w.Unread, want) {
		t.Errorf("unread %q, want %q", w.Unread, want)
	}
	if want := []string{SecretDir + "/shop"}; !slices.Equal(w.Open, want) {
		t.Errorf("open %q, want %q", w.Open, want)
	}
	want := []Loaded{{Unit: "postgres-backup@shop.service", Credential: "more", From: "/etc/pgbtui/more"}}
	if !slices.Equal(w.Missing, want) {
		t.Errorf("missing %+v, want %+v", w.Missing, want)
	}
}

func TestUnitsOfBeforeAreHandedNoSecret(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "/etc/systemd/system/postgres-backup@.service",
		"# "+marker+"\n[Service]\nExecStart=:/usr/local/bin/pgbtui --headless\n")
	put(t, dir, SecretDir+"/writer", "x")
	if w, err := CheckWiring(dir); err != nil || !slices.Equal(w.Unread, []string{SecretDir + "/writer"}) {
		t.Errorf("%+v, %v", w, err)
	}
	if w, err := CheckWiring(t.TempDir()); err != nil || len(w.Found)+len(w.Unread)+len(w.Open)+len(w.Missing) > 0 {
		t.Errorf("a machine without anything: %+v, %v", w, err)
	}
}
