package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestAListNamesTheJobWhereItSaysMoreThanTheDatabase(t *testing.T) {
	set := backup.Set{
		ID: "20261122T020000Z-0000ff", Kind: backup.KindNative, Database: "sales", Job: "weekly", FinishedAt: time.Now(),
	}
	if row := listRow(&set, time.Now()); !slices.Contains(row, "sales (weekly)") {
		t.Errorf("list: %q", row)
	}
}

func TestATableFitsItsTerminalAndIsWholeElsewhere(t *testing.T) {
	rows := [][]string{
		{"ID", "INSTANCE", "FINISHED", "STATE"},
		{"20261122T020000Z-0000ff", "db1", "2026-11-22 02:00 UTC", "ok, stored"},
		{"20261121T020000Z-0000aa", "db1", "2026-11-21 02:00 UTC", "FAILED verification: " + strings.Repeat("数 long ", 30)},
	}
	for columns, want := range map[int][]string{
		0: {"INSTANCE", "FINISHED"}, 200: {"INSTANCE", "FINISHED"}, 85: {"INSTANCE", "FINISHED"}, 70: {"INSTANCE"}, 50: {},
	} {
		var out strings.Builder
		if err := (table{rows: rows, spare: []string{"FINISHED", "INSTANCE"}}).write(&out, columns); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for _, head := range []string{"INSTANCE", "FINISHED"} {
			if strings.Contains(lines[0], head) != slices.Contains(want, head) {
				t.Errorf("%d columns: %s", columns, lines[0])
			}
		}
		for _, line := range lines {
			if columns > 0 && ansi.StringWidth(line) > columns {
				t.Errorf("%d columns: %d of %q", columns, ansi.StringWidth(line), line)
			}
		}
		whole := strings.HasSuffix(lines[len(lines)-1], "long")
		if len(lines) != 3 || !strings.Contains(lines[2], "FAILED verif") || (columns == 0) != whole {
			t.Errorf("%d columns: %q", columns, lines)
		}
	}
}
