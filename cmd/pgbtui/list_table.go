package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Tables for people. Rules: into a file or a pipe, and with --wide, everything is written; on a terminal a line
// stays one line: columns that say least there go first, and the last one, which is text, is cut. Where that text is
// what people look for, it goes on below itself instead.

// table is lines of cells; the first are the heads.
type table struct {
	rows [][]string
	// spare are the heads of columns that go where there is no room, the first one first.
	spare []string
	// folds: the last column is never cut.
	folds bool
}

// leastText is what the last column keeps of its text before another column goes.
const leastText = 24

// cellGap is between columns.
const cellGap = 2

// write writes the table for a terminal of so many columns; 0: as wide as it is.
func (t table) write(w io.Writer, columns int) error {
	rows := t.rows
	if len(rows) == 0 {
		return nil
	}
	widths := widthsOf(rows)
	for _, head := range t.spare {
		if columns == 0 || before(widths)+min(leastText, widths[len(widths)-1]) <= columns {
			break
		}
		rows = without(rows, head)
		widths = widthsOf(rows)
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, t.line(row, widths, columns)); err != nil {
			return fmt.Errorf("print a table: %w", err)
		}
	}
	return nil
}

func (t table) line(row []string, widths []int, columns int) string {
	var b strings.Builder
	last := len(row) - 1
	for i, cell := range row[:last] {
		b.WriteString(cell + strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+cellGap))
	}
	text := row[last]
	switch {
	case columns > 0 && t.folds:
		begin := "\n" + strings.Repeat(" ", before(widths))
		text = strings.Join(brokenAt(text, max(leastText/2, columns-before(widths))), begin)
	case columns > 0:
		text = ansi.Truncate(text, max(leastText/2, columns-before(widths)), "…")
	}
	return strings.TrimRight(b.String()+text, " ")
}

// before is what all columns but the last take.
func before(widths []int) (sum int) {
	for _, w := range widths[:len(widths)-1] {
		sum += w + cellGap
	}
	return sum
}

func widthsOf(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	return widths
}

// without leaves a column out.
func without(rows [][]string, head string) [][]string {
	out := make([][]string, len(rows))
	for r, row := range rows {
		for i, cell := range row {
			if rows[0][i] != head {
				out[r] = append(out[r], cell)
			}
		}
	}
	return out
}
