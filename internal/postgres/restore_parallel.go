package postgres

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Parallel sessions, in three steps: what there is, then its grants by one session, then what needs
// grants. pg_restore itself hands grants to all sessions at once, and nothing in an archive says that
// those on a schema come before those on what is in it. Who has passed a right on and may use the schema
// by a grant alone then does it in vain, now and then ("permission denied for schema").

// Beginnings of entries as --list prints them, after the numbers. The second list is what pg_restore
// keeps for after the grants (_tocEntryRestorePass in pg_backup_archiver.c).
var (
	grantEntries = []string{"ACL ", "DEFAULT ACL "}
	lateEntries  = []string{"MATERIALIZED VIEW DATA ", "EVENT TRIGGER ", "COMMENT - EVENT TRIGGER ", "SECURITY LABEL - EVENT TRIGGER "}
)

// restoreSteps runs pg_restore once for each step that the archive has anything for.
func (t Tools) restoreSteps(ctx context.Context, target Target, o RestoreOptions) error {
	steps, err := t.steps(ctx, o.File)
	if err != nil {
		return err
	}
	jobs := o.Jobs
	for i, entries := range steps {
		if len(entries) == 0 {
			continue
		}
		if o.Entries, o.Jobs = entries, jobs; i == grantStep {
			o.Jobs = 1
		}
		if err := t.restore(ctx, target, o, nil); err != nil {
			return err
		}
	}
	return nil
}

const grantStep = 1

// steps are the archive's entries for each step, in its order.
func (t Tools) steps(ctx context.Context, file string) (steps [3][]int, err error) {
	archive, err := os.Open(file)
	if err != nil {
		return steps, fmt.Errorf("postgres: open archive: %w", err)
	}
	defer func() { _ = archive.Close() }()
	lines, err := t.List(ctx, archive)
	if err != nil {
		return steps, err
	}
	return stepsOf(lines)
}

// stepsOf leaves out nothing but comments: an entry that is not understood would not be restored.
func stepsOf(lines []string) (steps [3][]int, err error) {
	for _, line := range lines {
		if line == "" || strings.HasPrefix(line, ";") {
			continue
		}
		id, entry, ok := listedEntry(line)
		if !ok {
			return steps, fault.New(fault.Failed, fmt.Sprintf("postgres: list archive: %.60q is no entry", line), "Restore with one job, which needs no list.", nil)
		}
		step := 0
		switch {
		case beginsWith(entry, grantEntries):
			step = grantStep
		case beginsWith(entry, lateEntries):
			step = grantStep + 1
		}
		steps[step] = append(steps[step], id)
	}
	return steps, nil
}

// listedEntry takes a line of --list apart: "215; 1259 16385 TABLE public items shop". Names come after the
// kind, so that none can pass for another kind.
func listedEntry(line string) (id int, entry string, ok bool) {
	number, rest, found := strings.Cut(line, "; ")
	id, err := strconv.Atoi(number)
	parts := strings.SplitN(rest, " ", 3)
	if !found || err != nil || len(parts) < 3 {
		return 0, "", false
	}
	return id, parts[2], true
}

func beginsWith(s string, any []string) bool {
	return slices.ContainsFunc(any, func(p string) bool { return strings.HasPrefix(s, p) })
}
