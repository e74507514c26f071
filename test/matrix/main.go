// Command matrix runs the tests that know a database, a shell of PostgreSQL's programs or a systemd in the systems
// that people run besides this machine's own: Debian 13 and what comes after it. It writes what was run, and what
// of it failed, into docs/versions.md. `make matrix` runs it, as root.
//
// All of it takes more than an hour, so it goes in pieces: each is one row of the table, with the day on which it was
// run, and a run replaces the rows of its own pieces and no others.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/page"
)

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
	suites := flag.String("suite", "", "only these systems, separated by commas: "+strings.Join(names(pieces, piece.suiteName), ", "))
	tests := flag.String("tests", "", "only these tests, separated by commas: "+strings.Join(names(pieces, piece.testsName), ", "))
	update := flag.String("update", "", "replace the rows of what was run in this page, docs/versions.md")
	flag.Parse()
	chosen, err := choose(*suites, *tests)
	if err != nil {
		return false, err
	}
	binaries, err := os.MkdirTemp("", "pgbtui-matrix")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(binaries)
	if err := compile(ctx, binaries, chosen); err != nil {
		return false, err
	}
	var rows []row
	for _, p := range chosen {
		r, err := p.run(ctx, p, binaries)
		if err != nil {
			return failed, err
		}
		rows = append(rows, r)
		failed = failed || len(r.failed) > 0 || r.passed == 0
		// At once: what was run stays told when a later piece ends the run.
		if err := tell(*update, r); err != nil {
			return failed, err
		}
	}
	fmt.Print(table(rows))
	return failed, nil
}

func tell(file string, r row) error {
	if file == "" {
		return nil
	}
	old, err := page.Generated(file, command)
	if err != nil {
		return err
	}
	known, err := parse(old)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return page.Update(file, command, table(merge(known, r)))
}

const command = "make matrix"

// choose are the pieces that the lists name; an empty list names all. A name that no piece has is an error, and so is
// a choice that leaves none.
func choose(suites, tests string) ([]piece, error) {
	chosen := pieces
	for _, by := range []struct {
		list, what string
		name       func(piece) string
	}{
		{list: suites, what: "system", name: piece.suiteName},
		{list: tests, what: "tests", name: piece.testsName},
	} {
		if by.list == "" {
			continue
		}
		wanted := strings.Split(by.list, ",")
		for _, w := range wanted {
			if !slices.Contains(names(pieces, by.name), w) {
				return nil, fmt.Errorf("no %s %q: there are %s", by.what, w, strings.Join(names(pieces, by.name), ", "))
			}
		}
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(p piece) bool { return !slices.Contains(wanted, by.name(p)) })
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s has no tests %s", suites, tests)
	}
	return chosen, nil
}

// names are each name once, in the order of the pieces.
func names(of []piece, name func(piece) string) (found []string) {
	for _, p := range of {
		if !slices.Contains(found, name(p)) {
			found = append(found, name(p))
		}
	}
	return found
}

// compile makes the programs that the pieces run inside of a system.
func compile(ctx context.Context, dir string, chosen []piece) error {
	inside := slices.DeleteFunc(slices.Clone(chosen), func(p piece) bool { return p.outside })
	for _, p := range names(inside, func(p piece) string { return p.pkg }) {
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

// today is the day that a row carries.
func today() string { return time.Now().UTC().Format(time.DateOnly) }
