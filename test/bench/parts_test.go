package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestTheConsoleIsMeasuredFromItsStartOn(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	found, err := measureConsole(t.Context(), options{dir: t.TempDir(), idle: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.frames) != consoleStarts || len(found.keys) != consoleKeys {
		t.Fatalf("%d starts, %d keys", len(found.frames), len(found.keys))
	}
	for i, frame := range found.frames {
		if frame <= 0 || found.ran[i] <= 0 {
			t.Errorf("a start is not believable: %v, CPU %v", frame, found.ran[i])
		}
	}
	if text := (&findings{machine: lookAround(t.Context()), console: found}).consoleMarkdown(); !strings.Contains(text, "| key to first byte") {
		t.Errorf("the report: %s", text)
	}
}

func TestEveryCommandAmongManySetsIsMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs and starts servers")
	}
	if paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(paths) == 0 {
		need.Program(t, "initdb")
	}
	found, version, err := measureSets(t.Context(), options{sets: 30, smallMB: 1, rounds: 1, dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.rows) != 7 || !strings.Contains(version, "PostgreSQL") {
		t.Fatalf("%d rows, %q", len(found.rows), version)
	}
	for _, row := range found.rows {
		for _, run := range row.runs {
			if run.wall <= 0 || run.load == "" {
				t.Errorf("%s: %+v", row.name, run)
			}
		}
	}
	if text := (&findings{machine: lookAround(t.Context()), sets: found}).setsMarkdown(); !strings.Contains(text, "| `pgbtui list, again` |") {
		t.Errorf("the report: %s", text)
	}
}
