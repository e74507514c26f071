package pgtest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// WithExtensions makes a folder of programs, for Options.BinDir and the jobs of a test, whose server has extensions
// of the test besides the system's. files are those of SHAREDIR/extension, by name. A server looks for them from where
// its own file lies, so that file is a copy; everything else is linked.
func WithExtensions(t testing.TB, files map[string]string) string {
	t.Helper()
	system := binDir(t)
	root, err := os.MkdirTemp("/tmp", "pgext") //nolint:usetesting // the server is another user, and its sockets want a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil { // other users' servers run from here
		t.Fatal(err)
	}
	bin, share := filepath.Join(root, system), folderOf(t, system, "--sharedir")
	linkAll(t, system, bin, "postgres")
	server, err := os.ReadFile(filepath.Join(system, "postgres"))
	if err == nil {
		err = os.WriteFile(filepath.Join(bin, "postgres"), server, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	lib := folderOf(t, system, "--pkglibdir")
	linkAll(t, lib, filepath.Join(root, lib), "")
	linkAll(t, share, filepath.Join(root, share), "extension")
	linkAll(t, filepath.Join(share, "extension"), filepath.Join(root, share, "extension"), "")
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, share, "extension", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// folderOf asks PostgreSQL where it has something.
func folderOf(t testing.TB, bin, what string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "pg_config"), what).Output()
	if err != nil {
		t.Fatalf("pg_config %s: %v", what, err)
	}
	return strings.TrimSpace(string(out))
}

// linkAll makes a folder with links to all that another has, but one.
func linkAll(t testing.TB, from, to, but string) {
	t.Helper()
	var entries []fs.DirEntry
	err := os.MkdirAll(to, 0o755)
	if err == nil {
		entries, err = os.ReadDir(from)
	}
	for _, e := range entries {
		if err == nil && e.Name() != but {
			err = os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
