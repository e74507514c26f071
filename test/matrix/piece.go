package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// piece is one row of the table: some tests in one system.
type piece struct {
	suite string // of Debian, or several
	tests string // as -tests names them
	title string // as the table names them
	pkg   string // whose tests they are
	args  []string
	boots bool // the system, to do what is done on an installed host
}

func (p piece) suiteName() string { return p.suite }
func (p piece) testsName() string { return p.tests }

// several is the system with all major versions side by side.
const several = "several"

// packages are those whose tests need nothing but PostgreSQL's programs and what they bring themselves.
var packages = []struct{ tests, pkg string }{
	{"postgres", "internal/postgres"},
	{"archive", "internal/postgres/archive"},
	{"scratch", "internal/postgres/scratch"},
	{"integration", "internal/backup/integration"},
	{"e2e", "test/e2e"},
}

// pieces are all, in the order of the table. trixie and forky have each another PostgreSQL and another systemd than
// Debian 12.
var pieces = func() (all []piece) {
	for _, suite := range []string{"trixie", "forky"} {
		for _, p := range packages {
			all = append(all, piece{suite: suite, tests: p.tests, title: p.pkg, pkg: p.pkg})
		}
		all = append(all, piece{suite: suite, tests: "host", title: "an installed host", pkg: "test/installed", boots: true})
	}
	for _, p := range packages {
		if p.tests != "e2e" {
			all = append(all, piece{suite: several, tests: p.tests, title: p.pkg + ", with the newest", pkg: p.pkg})
		}
	}
	return append(all, piece{
		suite: several, tests: "majors", title: "sets of each version, into it and each newer one", pkg: "test/e2e",
		args: []string{"-test.run=^TestEveryMajor"},
	})
}()

// lacks are what a system has no package of, and why; tests that need it are left out there, and the table says so.
func (p piece) lacks() string {
	if p.suite == several {
		return "pg_cron: Debian has no package of it for PostgreSQL 19"
	}
	return ""
}

func (p piece) system() lab.System {
	if p.suite == several {
		return lab.SeveralPostgres()
	}
	return lab.Furnished(p.suite)
}

// debian is the suite as the table has it.
func (p piece) debian() string {
	if p.suite == several {
		return "bookworm to experimental"
	}
	return p.suite
}

func (p piece) run(ctx context.Context, binaries string) (row, error) {
	root, err := p.system().Root(ctx)
	if err != nil {
		return row{}, err
	}
	r := room{root: root, binaries: binaries, lacks: p.lacks()}
	versions, err := r.versions(ctx)
	if err != nil {
		return row{}, err
	}
	fmt.Fprintf(os.Stderr, "matrix: %s, %s: %s\n", p.debian(), versions, p.title)
	var out []byte
	if p.boots {
		cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=90m", "-run=^TestInstalled$", "./"+p.pkg)
		cmd.Env = append(os.Environ(), "PGBTUI_LAB_SUITE="+p.suite, "PGBTUI_TEST_ALL=1")
		out, err = cmd.CombinedOutput()
	} else {
		args := append([]string{"/matrix/" + binary(p.pkg), "-test.v", "-test.timeout=90m"}, p.args...)
		out, err = r.run(ctx, p.pkg, args...)
	}
	if ctx.Err() != nil {
		return row{}, ctx.Err()
	}
	found := rowOf(out, err)
	found.suite, found.versions, found.tests, found.day = p.debian(), versions, p.title, today()
	return found, nil
}
