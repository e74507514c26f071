package supply

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Whoever doubts a release builds it again and compares.
func TestTwoReleasesFromDifferentFoldersAreByteIdentical(t *testing.T) {
	first := release(t)
	second := t.TempDir()
	// Another folder, other times of the files, another umask, clock zone, language and user.
	out, err := build(t, copyOfSource(t), second, "TZ=Pacific/Auckland", "LANG=de_DE.UTF-8", "LC_ALL=C.UTF-8",
		"USER=somebody", "GOFLAGS=-buildvcs=false -tags=whatever", "CGO_CFLAGS=-O1", "BASH_ENV="+umask(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a, b := sums(t, first), sums(t, second)
	if len(a) != 5 || !maps.Equal(a, b) {
		t.Errorf("one has\n%v\nthe other\n%v", a, b)
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		t.Logf("%s  %s", a[name], name)
	}
}

func TestTheSumsAreThoseOfTheFiles(t *testing.T) {
	dir := release(t)
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", `cd "$1" && sha256sum --check --strict SHA256SUMS`, "sh", dir).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	list, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if lines := strings.Count(string(list), "\n"); err != nil || lines != 4 {
		t.Errorf("%d files have a sum, %v", lines, err)
	}
}

func TestAReleaseKnowsItsVersionAndCommit(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), program(t), "version", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"version": "` + version + `"`, `"revision": "` + revision + `"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
	// The verb that writes manual pages is for building alone.
	if out, err := exec.CommandContext(t.Context(), program(t), "manpages", t.TempDir()).CombinedOutput(); err == nil {
		t.Errorf("the program that people get writes manual pages: %s", out)
	}
}

// program is the released one, from the tarball.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pgbtui")
	if err := os.WriteFile(path, tarball(t)["pgbtui-"+version+"/pgbtui"].text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyOfSource is this checkout in a folder with a name that would show, its files of another time
// and nobody else's to read.
func copyOfSource(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "another place")
	old := time.Now().AddDate(-1, 0, 0)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, "../../")
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".cache", "bin", "dist"}, name):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, name), 0o700)
		case !d.Type().IsRegular() || name == ".git": // a file in a worktree
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		return errors.Join(os.WriteFile(target, text, info.Mode().Perm()&0o700), os.Chtimes(target, old, old))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// umask is a file that makes every bash that reads it a careless one.
func umask(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "careless")
	if err := os.WriteFile(path, []byte("umask 000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sums are the hashes of a folder's files, by name.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		all[f.Name()] = hex.EncodeToString(sum[:])
	}
	return all
}
