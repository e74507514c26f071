// Command matrix runs the tests that know a database, a shell of PostgreSQL's programs or a systemd in the systems
// that people run besides this machine's own: Debian 13 and what comes after it. It writes what was run, and what
// of it failed, into docs/versions.md. `make matrix` runs it, as root.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
	"codeberg.org/pgbtui/pgbtui/test/page"
)

// packages are those whose tests need nothing but PostgreSQL's programs and what they bring themselves.
var packages = []string{
	"internal/postgres", "internal/postgres/archive", "internal/postgres/scratch", "internal/backup/integration", "test/e2e",
}

// several is the system with all major versions side by side, and severalTests what is run there: sets of each version
// restored into it and into each newer one.
const (
	several      = "several"
	severalTests = "test/e2e"
)

// suites are of Debian, each with another PostgreSQL and another systemd than Debian 12.
var suites = []string{"trixie", "forky", several}

// row is one line of the table: a group of tests in one system.
type row struct {
	suite, versions, tests string
	passed                 int
	failed                 []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

func run(ctx context.Context) (failed bool, err error) {
	only := flag.String("suite", strings.Join(suites, ","), "Debian's suites, and several for one with all versions of PostgreSQL, separated by commas")
	labs := flag.Bool("labs", true, "boot each system too, and do what is done on an installed host: ten minutes each")
	update := flag.String("update", "", "replace the generated part of this page, docs/versions.md")
	flag.Parse()
	binaries, err := os.MkdirTemp("", "pgbtui-matrix")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(binaries)
	if err := compile(ctx, binaries); err != nil {
		return false, err
	}
	var rows []row
	for _, suite := range strings.Split(*only, ",") {
		inside := inSystem
		if suite == several {
			inside = withSeveral
		}
		found, err := inside(ctx, suite, binaries, *labs)
		if err != nil {
			return false, err
		}
		rows = append(rows, found...)
	}
	for _, r := range rows {
		failed = failed || len(r.failed) > 0 || r.passed == 0
	}
	text := table(rows, time.Now())
	fmt.Print(text)
	if *update != "" {
		err = page.Update(*update, "make matrix", text)
	}
	return failed, err
}

func compile(ctx context.Context, dir string) error {
	for _, p := range packages {
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", filepath.Join(dir, binary(p)), "./"+p)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("compile the tests of %s: %w\n%s", p, err, out)
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "pgbtui"), "./cmd/pgbtui")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile pgbtui: %w\n%s", err, out)
	}
	return nil
}

func binary(p string) string { return strings.ReplaceAll(p, "/", "_") + ".test" }

func inSystem(ctx context.Context, suite, binaries string, labs bool) ([]row, error) {
	root, err := lab.Furnished(suite).Root(ctx)
	if err != nil {
		return nil, err
	}
	r := room{root: root, binaries: binaries}
	versions, err := r.versions(ctx)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, p := range packages {
		fmt.Fprintf(os.Stderr, "matrix: %s, %s: %s\n", suite, versions, p)
		out, err := r.run(ctx, p, "/matrix/"+binary(p), "-test.v", "-test.timeout=90m")
		rows = append(rows, rowOf(suite, versions, p, out, err))
	}
	if !labs {
		return rows, nil
	}
	fmt.Fprintf(os.Stderr, "matrix: %s, %s: an installed host\n", suite, versions)
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=90m", "-run=^TestInstalled$",
		"./test/installed")
	cmd.Env = append(os.Environ(), "PGBTUI_LAB_SUITE="+suite, "PGBTUI_TEST_ALL=1")
	out, err := cmd.CombinedOutput()
	return append(rows, rowOf(suite, versions, "an installed host", out, err)), nil
}

// withSeveral runs the tests with the newest server of all, and restores sets of each major version into it and into
// each newer one.
func withSeveral(ctx context.Context, _, binaries string, _ bool) (rows []row, err error) {
	root, err := lab.SeveralPostgres().Root(ctx)
	if err != nil {
		return nil, err
	}
	r := room{root: root, binaries: binaries}
	versions, err := r.versions(ctx)
	if err != nil {
		return nil, err
	}
	const suite = "bookworm to experimental"
	for _, p := range packages {
		tests, args := p+", with the newest", []string{"-test.v", "-test.timeout=90m"}
		if p == severalTests {
			tests, args = "sets of each version, into it and each newer one", append(args, "-test.run=^TestEveryMajor")
		}
		fmt.Fprintf(os.Stderr, "matrix: %s, %s: %s\n", suite, versions, tests)
		out, err := r.run(ctx, p, append([]string{"/matrix/" + binary(p)}, args...)...)
		rows = append(rows, rowOf(suite, versions, tests, out, err))
	}
	return rows, nil
}

// rowOf counts the tests in the output of go test -v, steps of a test among them. An end that no test accounts
// for is a failure too.
func rowOf(suite, versions, tests string, out []byte, err error) row {
	r := row{suite: suite, versions: versions, tests: tests}
	for line := range bytes.Lines(out) {
		kind, rest, found := strings.Cut(strings.TrimSpace(string(line)), ": ")
		name, _, _ := strings.Cut(rest, " ")
		switch {
		case found && kind == "--- PASS":
			r.passed++
		case found && kind == "--- FAIL":
			r.failed = append(r.failed, name)
		case found && kind == "--- SKIP":
			r.failed = append(r.failed, name+" (skipped)")
		}
	}
	if err != nil && len(r.failed) == 0 {
		r.failed = append(r.failed, err.Error())
	}
	if len(r.failed) > 0 {
		os.Stderr.Write(out)
	}
	return r
}

// table is the generated part of the page.
func table(rows []row, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Run on %s.\n\n", now.UTC().Format(time.DateOnly))
	b.WriteString("| Debian | versions | tests of | passed, steps included | failed |\n")
	b.WriteString("| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		failed := strings.Join(r.failed, ", ")
		if failed == "" {
			failed = "none"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |\n", r.suite, r.versions, r.tests, r.passed, failed)
	}
	return b.String()
}
