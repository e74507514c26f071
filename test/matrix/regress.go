package main

import (
	"archive/tar"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// PostgreSQL's own regression tests leave a database that has something of nearly everything that a version knows. They
// are in Debian's source packages only: those are fetched once, and the tests' library is compiled beside them. Of a
// version whose source a mirror does not have, PGBTUI_POSTGRES_SOURCES may have it: a folder with tarballs of
// PostgreSQL's source, as postgresql-17.12.tar.bz2. Where neither has it, the version is left out, and the table says so.

// fetch downloads into the folder where it runs what belongs to the server of a version in a root: its source, as apt
// verifies it, and the headers that its library is compiled with. The root has no apt of its own; this machine's gets
// lists of its own here, and the root's sources.
const fetch = `set -eu
root=$1 major=$2
mkdir -p lists/partial cache/archives/partial
sed 's/^deb \(.*\)/deb \1\ndeb-src \1/' "$root/etc/apt/sources.list" >sources.list
query() { dpkg-query --admindir="$root/var/lib/dpkg" -W -f "$1" "postgresql-$major"; }
get() {
	apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" \
		-o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false -o Acquire::Retries=3 "$@"
}
get update
get download "postgresql-server-dev-$major=$(query '${Version}')"
get --download-only source "postgresql-$major=$(query '${source:Version}')" || echo "$major: no source" >&2
`

// errNoSource is a version whose source nobody has here.
var errNoSource = errors.New("no source package can be had")

// regressionTests is a folder with those of each version in the room, by its number.
func (r room) regressionTests(ctx context.Context) (string, error) {
	all := filepath.Join(filepath.Dir(r.root), "regress+"+filepath.Base(r.root))
	servers, _ := filepath.Glob(filepath.Join(r.root, "usr/lib/postgresql/*/bin/postgres")) // only a bad pattern fails
	for _, server := range servers {
		major := filepath.Base(filepath.Dir(filepath.Dir(server)))
		dir := filepath.Join(all, major)
		if _, err := os.Stat(dir); err == nil {
			continue
		}
		err := r.makeRegressionTests(ctx, major, dir)
		if errors.Is(err, errNoSource) {
			fmt.Fprintf(os.Stderr, "matrix: PostgreSQL %s is left out: %v\n", major, err)
			continue // the test says that it is not there
		}
		if err != nil {
			return "", fmt.Errorf("the regression tests of PostgreSQL %s: %w", major, err)
		}
	}
	return all, nil
}

// makeRegressionTests makes the folder of a version under another name first, so that what has the right one is whole.
func (r room) makeRegressionTests(ctx context.Context, major, dir string) error {
	unfinished := dir + ".unfinished"
	got, err := os.MkdirTemp("", "pgbtui-regress")
	if err != nil {
		return err
	}
	defer os.RemoveAll(got)
	defer os.RemoveAll(unfinished) // of a failure; else it has another name by then
	if err := errors.Join(os.RemoveAll(unfinished), os.MkdirAll(filepath.Join(unfinished, "lib"), 0o755)); err != nil {
		return err
	}
	apt := exec.CommandContext(ctx, "sh", "-c", fetch, "sh", r.root, major)
	apt.Dir = got
	if out, err := apt.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch the source package: %w\n%s", err, out)
	}
	headers, err := only(got, "*.deb")
	if err != nil {
		return err
	}
	source, err := only(got, "*.orig.tar.bz2")
	if folder := os.Getenv("PGBTUI_POSTGRES_SOURCES"); err != nil && folder != "" {
		source, err = only(folder, "postgresql-"+major+"[._]*.tar.bz2")
	}
	if err != nil {
		return errors.Join(errNoSource, err)
	}
	if err := unpackRegress(source, unfinished); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "dpkg", "-x", headers, filepath.Join(got, "dev")).CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w\n%s", headers, err, out)
	}
	out, err := exec.CommandContext(ctx, "gcc", "-shared", "-fPIC", "-O1", "-I", filepath.Join(got, "dev/usr/include/postgresql", major, "server"),
		"-o", filepath.Join(unfinished, "lib/regress.so"), filepath.Join(unfinished, "regress.c")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("compile the tests' library: %w\n%s", err, out)
	}
	for _, neighbour := range []string{"autoinc.so", "refint.so"} { // which the tests look for beside it
		if err := os.Symlink(filepath.Join("/usr/lib/postgresql", major, "lib", neighbour), filepath.Join(unfinished, "lib", neighbour)); err != nil {
			return err
		}
	}
	return os.Rename(unfinished, dir)
}

// only is the one file of a folder that fits.
func only(folder, pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("%s has %d files %s, not one", folder, len(found), pattern), err)
	}
	return found[0], nil
}

// unpackRegress takes src/test/regress out of PostgreSQL's source.
func unpackRegress(source, dir string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	files := 0
	for archive := tar.NewReader(bzip2.NewReader(f)); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", source, err)
		}
		_, name, found := strings.Cut(path.Clean(h.Name), "/src/test/regress/")
		if !found || h.Typeflag != tar.TypeReg || !filepath.IsLocal(name) {
			continue
		}
		if err := save(filepath.Join(dir, name), archive); err != nil {
			return err
		}
		files++
	}
	if files == 0 {
		return fmt.Errorf("%s has no src/test/regress", source)
	}
	return nil
}

func save(file string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
