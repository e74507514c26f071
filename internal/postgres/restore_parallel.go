package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Parallel sessions, in steps. pg_restore itself hands everything to all sessions at once, as soon as what an archive
// calls its dependencies is there, and some dependencies are in no archive:
//
//   - Rows of an extension's own tables go by each other's rows, and other tables' rows may go by them.
//   - A constraint that an entry of its own adds to a table with partitions or children holds for their rows, too, also
//     where it is not validated: made before them, it refuses them. A foreign key to a table with partitions needs
//     the indexes that are attached to its own; two of them lock the same partitions.
//   - A grant on a schema comes before those on what is in it. Who has passed a right on and may use the schema by a
//     grant alone then does it in vain, now and then ("permission denied for schema").
//   - A comment goes by the object that it is of, which for a domain's constraint is the domain. They come last.
//
// What is told apart here is told by the kinds and names of the list; a name that is taken for another costs time only.
// What depends on an entry of a later step goes there, too: a view that is grouped by the key of a table with
// partitions, say. That is told by the archive's own dependencies, as far as the scanner knows the archive.

// The steps, in their order.
const (
	firstStep = iota // one session: definitions and rows of extensions' tables, where there are any
	mainStep         // all sessions: what there is
	tiedStep         // one session: what holds for partitions and children; of these only foreign keys take long
	grantStep        // one session: grants and comments
	lateStep         // all sessions: what needs grants
	stepCount
)

// Beginnings of entries as --list prints them, after the numbers. The last list is what pg_restore
// keeps for after the grants (_tocEntryRestorePass in pg_backup_archiver.c).
var (
	tiedEntries  = []string{"CHECK CONSTRAINT ", "INDEX ATTACH "}
	grantEntries = []string{"ACL ", "DEFAULT ACL ", "COMMENT ", "SECURITY LABEL "}
	lateEntries  = []string{
		"MATERIALIZED VIEW DATA ", "EVENT TRIGGER ", "COMMENT - EVENT TRIGGER ", "SECURITY LABEL - EVENT TRIGGER ",
		"STATISTICS DATA ", "EXTENDED STATISTICS DATA ", // some are of materialized views
	}
)

const (
	tableEntry      = "TABLE "
	rowsEntry       = "TABLE DATA "
	attachEntry     = "TABLE ATTACH "
	constraintEntry = "CONSTRAINT "
	foreignKeyEntry = "FK CONSTRAINT "
)

// restoreSteps runs pg_restore once for each step that the archive has anything for.
func (t Tools) restoreSteps(ctx context.Context, target Target, o RestoreOptions) error {
	steps, err := t.steps(ctx, o.File)
	if err != nil {
		return err
	}
	jobs := o.Jobs
	for i, entries := range steps {
		if len(entries) == 0 && (i != mainStep || o.Rows == nil) { // further archives may have rows
			continue
		}
		o.Entries, o.Jobs = entries, jobs
		if i == firstStep || i == tiedStep || i == grantStep {
			o.Jobs = 1
		}
		if o.Rows != nil {
			if err := t.restoreStep(ctx, target, o, i); err != nil {
				return err
			}
			continue
		}
		if err := t.restore(ctx, target, o, nil); err != nil {
			return err
		}
	}
	return nil
}

// steps are the archive's entries for each step, in its order.
func (t Tools) steps(ctx context.Context, file string) (steps [stepCount][]int, err error) {
	dump, err := os.Open(file)
	if err != nil {
		return steps, fmt.Errorf("postgres: open archive: %w", err)
	}
	defer func() { _ = dump.Close() }()
	lines, err := t.List(ctx, dump)
	if err != nil {
		return steps, err
	}
	if _, err := dump.Seek(0, io.SeekStart); err != nil {
		return steps, fmt.Errorf("postgres: read archive: %w", err)
	}
	return stepsOf(lines, dependencies(dump))
}

// dependencies are the entries that each entry of an archive depends on. Of an archive that is not understood there
// are none: then the kinds of the entries must do.
func dependencies(file io.Reader) map[int][]int {
	scanner := archive.NewScanner(archive.Options{MaxEntryBytes: 1 << 30})
	var head *archive.Archive
	for err := error(nil); head == nil && err == nil && scanner.Err() == nil; {
		_, err = io.CopyN(scanner, file, 64<<10)
		head = scanner.Head()
	}
	if head == nil {
		return nil
	}
	known := make(map[int][]int, len(head.Entries))
	for _, e := range head.Entries {
		known[e.DumpID] = e.Deps
	}
	return known
}

// stepsOf leaves out nothing but comments: an entry that is not understood would not be restored.
func stepsOf(lines []string, dependencies map[int][]int) (steps [stepCount][]int, err error) {
	var ids []int
	var entries []string
	for _, line := range lines {
		if line == "" || strings.HasPrefix(line, ";") {
			continue
		}
		id, entry, ok := listedEntry(line)
		if !ok {
			return steps, fault.New(fault.Failed, fmt.Sprintf("postgres: list archive: %.60q is no entry", line),
				"Restore with one job, which needs no list.", nil)
		}
		ids, entries = append(ids, id), append(entries, entry)
	}
	tables := tablesOf(entries)
	of := make(map[int]int, len(ids)) // the step of an entry; what it depends on stands before it
	for i, entry := range entries {
		step := tables.step(entry, i)
		for _, id := range dependencies[ids[i]] {
			step = max(step, of[id])
		}
		of[ids[i]] = step
		steps[step] = append(steps[step], ids[i])
	}
	return steps, nil
}

// listedTables are what the entries say of each other.
type listedTables struct {
	defined   map[string]bool // tables that are created
	filled    map[string]bool // tables that have rows of their own, partitioned ones not among them
	partition bool            // there are partitions
	rowsFrom  int             // place of the first rows
	strange   bool            // there are rows of tables that are not created
}

func tablesOf(entries []string) listedTables {
	t := listedTables{defined: map[string]bool{}, filled: map[string]bool{}, rowsFrom: len(entries)}
	for i, entry := range entries {
		switch {
		case strings.HasPrefix(entry, rowsEntry):
			t.filled[withoutOwner(entry[len(rowsEntry):])] = true
			t.rowsFrom = min(t.rowsFrom, i)
		case strings.HasPrefix(entry, attachEntry):
			t.partition = true
		case strings.HasPrefix(entry, tableEntry):
			t.defined[withoutOwner(entry[len(tableEntry):])] = true
		}
	}
	for table := range t.filled {
		t.strange = t.strange || !t.defined[table]
	}
	return t
}

// withoutOwner is schema and table of "public items shop".
func withoutOwner(names string) string {
	if end := strings.LastIndexByte(names, ' '); end >= 0 {
		return names[:end]
	}
	return names
}

func (t listedTables) step(entry string, at int) int {
	switch {
	case beginsWith(entry, lateEntries): // comments of event triggers among them
		return lateStep
	case beginsWith(entry, grantEntries):
		return grantStep
	case t.strange && (at < t.rowsFrom || t.strangeRows(entry)):
		return firstStep
	case beginsWith(entry, tiedEntries), t.partition && strings.HasPrefix(entry, foreignKeyEntry):
		return tiedStep
	case strings.HasPrefix(entry, constraintEntry) && !t.hasRows(entry[len(constraintEntry):]):
		return tiedStep
	}
	return mainStep
}

func (t listedTables) strangeRows(entry string) bool {
	names, rows := strings.CutPrefix(entry, rowsEntry)
	return rows && !t.defined[withoutOwner(names)]
}

// hasRows reports whether the table of "public items items_pkey shop" has rows of its own.
func (t listedTables) hasRows(names string) bool {
	for end, c := range names {
		if c == ' ' && t.filled[names[:end]] {
			return true
		}
	}
	return false
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
