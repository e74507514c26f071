package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// row is one line of the table: what was seen of a piece.
type row struct {
	suite, versions, tests string
	day                    string // on which it was run, "2026-11-28"
	passed                 int
	out                    []string // left out, each with its reason
	failed                 []string
}

// leftOut begins what test/need says of a test that a system has no package for.
const leftOut = "LEFT OUT: "

// rowOf counts the tests in the output of go test -v, steps of a test among them. A test that was skipped for another
// reason than that the system has no package for it has failed, and so has an end that no test accounts for.
func rowOf(out []byte, err error) (r row) {
	reasons := map[string]string{} // by the name of the test
	var speaks string              // the test whose output is read
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if rest, found := strings.CutPrefix(text, "=== "); found {
			if words := strings.Fields(rest); len(words) == 2 {
				speaks = words[1]
			}
			continue
		}
		if _, reason, found := strings.Cut(text, leftOut); found {
			reasons[speaks] = reason
		}
		kind, rest, found := strings.Cut(text, ": ")
		name, _, _ := strings.Cut(rest, " ")
		switch {
		case found && kind == "--- PASS":
			r.passed++
		case found && kind == "--- FAIL":
			r.failed = append(r.failed, name)
		case found && kind == "--- SKIP" && reasons[name] != "":
			r.out = append(r.out, name+" ("+reasons[name]+")")
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

const head = "| Debian | versions | tests of | run on | passed, steps included | left out | failed |\n" +
	"| --- | --- | --- | --- | --- | --- | --- |\n"

// table is the generated part of the page.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString(head)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %s | %s |\n", r.suite, r.versions, r.tests, r.day, r.passed, listed(r.out), listed(r.failed))
	}
	return b.String()
}

const nothing = "none"

func listed(names []string) string {
	if len(names) == 0 {
		return nothing
	}
	return strings.ReplaceAll(strings.Join(names, ", "), "|", "¦") // which ends a cell
}

// parse reads the rows of a table.
func parse(text string) (rows []row, err error) {
	body, found := strings.CutPrefix(text, head)
	if !found {
		return nil, fmt.Errorf("the generated part does not begin with the table's head:\n%s", head)
	}
	for line := range strings.Lines(body) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 7 {
			return nil, fmt.Errorf("a row of the table has %d cells, not 7: %s", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		r := row{suite: cells[0], versions: cells[1], tests: cells[2], day: cells[3]}
		if r.passed, err = strconv.Atoi(cells[4]); err != nil {
			return nil, fmt.Errorf("a row of the table has no number of tests that passed: %w", err)
		}
		r.out, r.failed = unlisted(cells[5]), unlisted(cells[6])
		rows = append(rows, r)
	}
	return rows, nil
}

// unlisted keeps a list as one text, which is all that is done with it.
func unlisted(cell string) []string {
	if cell == nothing {
		return nil
	}
	return []string{cell}
}

// merge puts a row into the place of the one of the same tests. Rows stand in the order of the pieces, and one that no
// piece makes any more is gone.
func merge(known []row, fresh row) (merged []row) {
	for _, p := range pieces {
		made := func(r row) bool { return r.suite == p.debian() && r.tests == p.title }
		if made(fresh) {
			merged = append(merged, fresh)
		} else if i := slices.IndexFunc(known, made); i >= 0 {
			merged = append(merged, known[i])
		}
	}
	return merged
}
