// Package supply builds a release as scripts/release does and looks at what people would get: the
// same bytes from any folder, an SBOM that has every module and no other, a package whose files are
// root's, and what it does to a host when it comes, is upgraded and goes.
//
// The builds share Go's cache, so what is built twice here is what the linker and the script make;
// `make release-check` also compiles everything twice.
package supply

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// What the releases here are called; a tag would say so otherwise.
const (
	version    = "1.2.3"
	revision   = "0123456789abcdef0123456789abcdef01234567"
	sourceDate = 1767225600 // 2026-01-01
)

// shared is the release that the tests look at, built once, and its folder.
var shared struct {
	once sync.Once
	dir  string
	out  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// release is the folder of a release of this checkout.
func release(t *testing.T) string {
	t.Helper()
	needs(t)
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "pgbtui-release-"); shared.err == nil { //nolint:usetesting // several tests look at it
			shared.out, shared.err = build(t, "../..", shared.dir)
		}
	})
	if shared.err != nil {
		t.Fatalf("%v\n%s", shared.err, shared.out)
	}
	return shared.dir
}

func needs(t *testing.T) {
	t.Helper()
	need.All(t, "building a release")
	need.Program(t, "dpkg-deb", "rpmbuild", "readelf", "tar", "gzip")
}

// build runs the script of the source tree at root, in an environment with these additions.
func build(t *testing.T, root, out string, env ...string) (said string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "scripts/release"), out)
	cmd.Env = append(os.Environ(), "VERSION="+version, "REVISION="+revision, "SOURCE_DATE_EPOCH="+strconv.Itoa(sourceDate))
	cmd.Env = append(cmd.Env, env...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// artefact is the one file of the release whose name ends so.
func artefact(t *testing.T, suffix string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(release(t), "*"+suffix))
	if err != nil || len(found) != 1 {
		t.Fatalf("%q end in %s: %v", found, suffix, err)
	}
	return found[0]
}

// entry is a file of an archive.
type entry struct {
	*tar.Header
	text []byte
}

// entries are all of a tar file, by name without a leading "./".
func entries(t *testing.T, archive io.Reader) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(h.Name, "./")] = entry{h, text}
	}
}

func tarball(t *testing.T) map[string]entry {
	t.Helper()
	raw, err := os.ReadFile(artefact(t, ".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return entries(t, r)
}

// packaged is what the package has: its files, or with "--ctrl-tarfile" its scripts.
func packaged(t *testing.T, which string) map[string]entry {
	t.Helper()
	raw, err := exec.CommandContext(t.Context(), "dpkg-deb", which, artefact(t, ".deb")).Output()
	if err != nil {
		t.Fatal(err)
	}
	return entries(t, bytes.NewReader(raw))
}
