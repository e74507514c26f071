package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// A small run of everything. Times are not looked at: they are another machine's business.
func TestEveryWayIsMeasuredWithAFloorOfItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs and starts servers")
	}
	if paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(paths) == 0 {
		need.Program(t, "initdb")
	}
	dir := t.TempDir()
	found, err := measure(t.Context(), options{sizeMB: 8, smallMB: 8, rounds: 2, only: partBackup, dir: dir, tls: true, hurry: true})
	if err != nil {
		t.Fatal(err)
	}
	checkWays(t, found)
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	report := found.markdown()
	for _, want := range []string{floorName, plainName, encryptedName, "peak RSS", "own CPU", "of pg_dump's own gzip", "https"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report says nothing of %q:\n%s", want, report)
		}
	}
}

func TestWhatReadingASetFetchedIsWhatTheStoreSent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs and starts servers")
	}
	if paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(paths) == 0 {
		need.Program(t, "initdb")
	}
	dir := t.TempDir()
	openAbove(t, dir)
	found, err := measure(t.Context(), options{sizeMB: 8, rounds: 1, only: partRestore, dir: dir, hurry: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.read) != 2 || found.read[0].encrypted || !found.read[1].encrypted {
		t.Fatalf("%+v", found.read)
	}
	for _, set := range found.read {
		p := set.place
		if p.raw <= p.tableRaw || p.tableRaw <= 0 || p.table <= 0 || p.head <= 0 || p.both >= float64(p.stored) {
			t.Errorf("a place is not believable: %+v", p)
		}
		for i, c := range set.commands {
			fetched := c.most()
			if whole := i != 1 && i != 3; whole && fetched.bytes != p.stored || !whole && (fetched.bytes <= 0 || fetched.bytes >= p.stored) {
				t.Errorf("%s fetched %d of %d bytes", c.name, fetched.bytes, p.stored)
			}
			run := c.pairs[0].run
			seen := run.wall > 100*time.Millisecond // a shorter one can end between two samples
			if seen && run.programs.peakRSS < 1<<20 || fetched.requests == 0 {
				t.Errorf("%s is not believable: %+v", c.name, c)
			}
		}
		if set.overhead() < 1 {
			t.Errorf("one table fetched less than it has: %f", set.overhead())
		}
	}
	if report := found.readingMarkdown(); !strings.Contains(report, "| `drill` |") || found.markdown() != "" {
		t.Errorf("the report: %s", report)
	}
}

// openAbove lets the drill's server, which root has run by somebody else, reach a folder of the test.
func openAbove(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func checkWays(t *testing.T, found *findings) {
	t.Helper()
	if len(found.results) < 3 || len(found.small) != 2 || found.raw <= 0 || found.size < found.raw/4 {
		t.Fatalf("findings are not whole: %+v", found)
	}
	for _, r := range append(found.small, found.results...) {
		if len(r.pairs) != 2 {
			t.Errorf("%s has %d pairs", r.name, len(r.pairs))
		}
		for _, p := range r.pairs {
			if p.floor.wall <= 0 || p.run.wall <= 0 || p.floor.stored != 0 || p.run.stored < 1<<20 || p.run.programs.peakRSS < 1<<20 || p.run.programs.own <= 0 {
				t.Errorf("%s: a pair is not believable: %+v", r.name, p)
			}
			if strings.HasPrefix(r.name, plainName) && mega(p.run.programs.written) > aimDisk {
				t.Errorf("%s wrote %d bytes to the local disk", r.name, p.run.programs.written)
			}
		}
	}
}

func TestAProgramsOwnCPUIsToldFromItsChildrens(t *testing.T) {
	const spin = `i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done`
	took, err := pipeline(exec.Command("/bin/sh", "-c", "/bin/sh -c '"+spin+"'; true"))
	if err != nil {
		t.Fatal(err)
	}
	if u := took[0]; u.children == 0 || u.own >= u.children {
		t.Errorf("own %v, children %v, but only the child worked", u.own, u.children)
	}
}

func TestPeakOfMemoryIsNotThatOfTheStartingProcess(t *testing.T) {
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	took, err := pipeline(exec.Command("/bin/sleep", "0.2"))
	if err != nil {
		t.Fatal(err)
	}
	if rss := took[0].peakRSS; rss == 0 || rss > int64(len(ballast))/2 {
		t.Errorf("sleep took %d bytes", rss)
	}
	ballast[0] = 2 // alive until here
}

func TestBytesToDiskAreCountedThroughAChild(t *testing.T) {
	file := filepath.Join(".", "written.tmp") // a temporary folder may lie in memory, which does not count
	t.Cleanup(func() { _ = os.Remove(file) })
	took, err := pipeline(exec.Command("/bin/sh", "-c", "head -c 3000000 /dev/zero >"+file+"; true"))
	if err != nil {
		t.Fatal(err)
	}
	if took[0].written < 3000000 {
		t.Errorf("counted %d of 3000000 bytes", took[0].written)
	}
}

func TestAFailingProgramOfAPipelineIsNamedWithItsWords(t *testing.T) {
	_, err := pipeline(exec.Command("/bin/echo", "a"), exec.Command("/bin/sh", "-c", "cat >/dev/null; echo went wrong >&2; exit 7"))
	if err == nil || !strings.Contains(err.Error(), "sh: exit status 7") || !strings.Contains(err.Error(), "went wrong") {
		t.Errorf("error = %v", err)
	}
}

func TestSpreadOfValues(t *testing.T) {
	same := func(v float64) float64 { return v }
	if got := spreadOf([]float64{3, 1, 2}, same); got != (spread{1, 2, 3}) {
		t.Errorf("three: %v", got)
	}
	if got := spreadOf([]float64{4, 1, 2, 3}, same); got != (spread{1, 2.5, 4}) {
		t.Errorf("four: %v", got)
	}
}

func TestVersionIsTakenOutOfASentence(t *testing.T) {
	for text, want := range map[string]string{
		"*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***": "p 1.5.4",
		"aws-cli/1.45.11 Python/3.12.1 Linux/6.1 botocore/1.43": "p 1.45.11",
		"nothing": "p",
	} {
		if got := shortVersion("p", text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
