package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// piece is one row of the table: some tests in one system.
type piece struct {
	suite string // of Debian, or several
	tests string // as -tests names them
	title string // as the table names them
	pkg   string // whose tests they are
	args  []string
	// PostgreSQL's own regression tests are needed.
	regress bool
	engine  bool // pgBackRest is what is tested: the row has its version
	outside bool // go test runs them on this machine
	run     func(ctx context.Context, p piece, binaries string) (row, error)
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

// pieces are all, in the order of the table.
var pieces = slices.Concat(
	ofDebian("trixie"), ofDebian("forky"), ofSeveral(), ofMinIO(),
	ofPgBackRest("bookworm"), ofPgBackRest("trixie"), ofPgBackRest("forky"),
)

// ofDebian is a Debian after 12, with another PostgreSQL and another systemd.
func ofDebian(suite string) (all []piece) {
	for _, p := range packages {
		all = append(all, piece{suite: suite, tests: p.tests, title: p.pkg, pkg: p.pkg, run: inRoom})
	}
	return append(all, piece{
		suite: suite, tests: "host", title: "an installed host", pkg: "test/installed",
		args: []string{"-run=^TestInstalled$"}, outside: true, run: booted,
	})
}

func ofSeveral() (all []piece) {
	for _, p := range packages {
		if p.tests != "e2e" { // of which there is more here, below
			all = append(all, piece{suite: several, tests: p.tests, title: p.pkg + ", with the newest", pkg: p.pkg, run: inRoom})
		}
	}
	return append(
		all,
		piece{
			suite: several, tests: "majors", title: "sets of each version, into it and each newer one", pkg: "test/e2e",
			args: []string{"-test.run=^TestEveryMajor"}, run: inRoom,
		},
		piece{
			suite: several, tests: "streams", title: "sets of several streams of each version, into it and the newest",
			pkg: "test/e2e", args: []string{"-test.run=^TestSeveralStreams"}, run: inRoom,
		},
		piece{
			suite: several, tests: "regression", title: "each version's own regression database", pkg: "test/e2e",
			args: []string{"-test.run=^TestTheRegressionDatabase"}, regress: true, run: inRoom,
		},
	)
}

func ofMinIO() []piece {
	return []piece{
		{
			suite: minio, tests: "store", title: "what is expected of a store", pkg: "test/s3suite",
			args: []string{"-run=MinIO"}, outside: true, run: withMinIO,
		},
		{
			suite: minio, tests: "flow", title: "the main flow (stores.md)", pkg: "cmd/pgbtui",
			args: []string{"-run=MinIO"}, outside: true, run: withMinIO,
		},
		{
			suite: minio, tests: "e2e", title: "test/e2e", pkg: "test/e2e",
			args: []string{"-skip=EveryMajor|RegressionDatabase"}, outside: true, run: withMinIO,
		},
	}
}

// clusters are the packages whose tests back a cluster up by pgBackRest.
var clusters = []struct{ tests, pkg string }{
	{"pitr", "internal/pitr"},
	{"backrest", "internal/pitr/backrest"},
	{"wal-g", "internal/pitr/walg"},
	{"beside", "internal/pitr/beside"},
	{"drills", "internal/pitr/drill"},
}

// ofPgBackRest has the suite's PostgreSQL backed up by the suite's pgBackRest.
func ofPgBackRest(suite string) (all []piece) {
	for _, p := range clusters {
		all = append(all, piece{suite: suite, tests: p.tests, title: p.pkg, pkg: p.pkg, engine: true, run: inRoom})
	}
	return all
}

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
	switch p.suite {
	case several:
		return "bookworm to experimental"
	case minio:
		return "the machine's own"
	}
	return p.suite
}

// of is a row of the piece.
func (p piece) of(versions string, found row) row {
	found.suite, found.versions = p.debian(), versions
	found.tests, found.day = p.title, today()
	return found
}

// inRoom runs the tests with the files of the system.
func inRoom(ctx context.Context, p piece, binaries string) (row, error) {
	r, versions, err := p.room(ctx, binaries)
	if err != nil {
		return row{}, err
	}
	if p.regress {
		if r.regress, err = r.regressionTests(ctx); err != nil {
			return row{}, err
		}
	}
	args := append([]string{"/matrix/" + binary(p.pkg), "-test.v", "-test.timeout=90m"}, p.args...)
	out, err := r.run(ctx, p.pkg, args...)
	return p.of(versions, rowOf(out, err)), ctx.Err()
}

func (p piece) room(ctx context.Context, binaries string) (r room, versions string, err error) {
	root, err := p.system().Root(ctx)
	if err != nil {
		return room{}, "", err
	}
	r = room{root: root, binaries: binaries, lacks: p.lacks()}
	if versions, err = r.versions(ctx, p.engine); err != nil {
		return room{}, "", err
	}
	fmt.Fprintf(os.Stderr, "matrix: %s, %s: %s\n", p.debian(), versions, p.title)
	return r, versions, nil
}

// booted boots the system, to do what is done on an installed host.
func booted(ctx context.Context, p piece, binaries string) (row, error) {
	_, versions, err := p.room(ctx, binaries)
	if err != nil {
		return row{}, err
	}
	out, err := p.here(ctx, "PGBTUI_LAB_SUITE="+p.suite)
	return p.of(versions, rowOf(out, err)), ctx.Err()
}

// here runs the tests on this machine.
func (p piece) here(ctx context.Context, env ...string) ([]byte, error) {
	args := append([]string{"test", "-count=1", "-v", "-timeout=90m"}, p.args...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+p.pkg)...)
	cmd.Env = append(append(os.Environ(), "PGBTUI_TEST_ALL=1"), env...)
	return cmd.CombinedOutput()
}
