package main

import (
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestOneStreamAndTwoAreMeasuredByTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs and starts servers")
	}
	if paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(paths) == 0 {
		need.Program(t, "initdb")
	}
	o := options{sizeMB: streamSizesMB[0], rounds: 2, only: partStreams, dir: t.TempDir(), hurry: true}
	found, err := measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.streams) != 1 || len(found.results) > 0 {
		t.Fatalf("%+v", found)
	}
	at := found.streams[0]
	if len(at.one) != 2 || len(at.two) != 2 || at.raw <= 0 || at.size <= at.raw {
		t.Errorf("%+v", at)
	}
	for _, s := range append(at.one, at.two...) {
		if s.wall <= 0 || s.stored <= 0 || s.programs.own <= 0 || s.dump <= 0 {
			t.Errorf("%+v", s)
		}
	}
	if report := found.streamsMarkdown(); !strings.Contains(report, "Rounds: 2") || found.markdown() != "" {
		t.Errorf("the report is\n%s", report)
	}
}
