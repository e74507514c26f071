package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// HasAmcheck reports whether pg_amcheck is among the programs; it is since 14.
func (t Tools) HasAmcheck() bool {
	_, err := os.Stat(t.path("pg_amcheck"))
	return err == nil
}

// amcheckCorrupt is pg_amcheck's exit status for corruption that it found (pg_amcheck.c).
const amcheckCorrupt = 2

// Amcheck runs pg_amcheck over every table and index of the target, and that all rows are in
// their indexes. It creates the extension amcheck there. Corruption: code Integrity.
func (t Tools) Amcheck(ctx context.Context, target Target) error {
	if err := target.check(); err != nil {
		return err
	}
	p, err := start(ctx,
		command{
			path: t.path("pg_amcheck"), args: []string{"--no-password", "--install-missing", "--heapallindexed"},
			env: target.Env(os.Environ()),
		})
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	found, _ := bounded.Head(p, lineBytes) // its end is Wait's to tell
	err = discardAll(p)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == amcheckCorrupt {
		first, _, _ := strings.Cut(string(found), "\n")
		return fault.New(fault.Integrity, fmt.Sprintf("postgres: pg_amcheck of %s: %s", target.name(), first), remedyCorrupt,
			err)
	}
	return err
}
