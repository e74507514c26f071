package scratch

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFoldersOfTheDeadAreRemovedAndThoseOfTheLivingAreNot(t *testing.T) {
	parent := t.TempDir()
	living, err := NewFolder(parent, "run-")
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(parent, "run-dead")
	foreign := filepath.Join(parent, "foreign")
	for _, dir := range []string{dead, foreign} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(foreign, filepath.Join(parent, "run-link")); err != nil {
		t.Fatal(err)
	}
	Sweep(parent, "run-")
	for path, want := range map[string]bool{dead: false, foreign: true, living.Path: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	path := living.Path
	living.Remove()
	if _, err := os.Stat(path); err == nil {
		t.Error("a removed folder is still there")
	}
}
