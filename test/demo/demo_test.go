package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// build makes the demo's programs, as `make demo` does, and returns their folder.
func build(t *testing.T) string {
	t.Helper()
	need.All(t, "the demo (a lab)")
	need.Root(t)
	need.Program(t, "systemd-nspawn")
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/",
		"./cmd/pgbtui", "./test/s3server/cmd/s3server", "./test/seed/cmd/seed", "./test/demo")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func TestWithoutATerminalEveryStepSucceedsAndIsReported(t *testing.T) {
	programs := build(t)
	out, err := exec.CommandContext(t.Context(), filepath.Join(programs, "demo"), "-size", "40").CombinedOutput()
	t.Logf("\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	var d demo
	for _, s := range append(d.prepare(), d.prove()...) {
		if !strings.Contains(string(out), "✓ "+s.name) {
			t.Errorf("no line says that this was done: %s", s.name)
		}
	}
}

func TestLeavingTheConsoleEndsTheDemo(t *testing.T) {
	programs := build(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "demo"), "-size", "30")
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()

	screen := waitScreen(t, terminal, "", "Overview")
	screen = waitScreen(t, terminal, screen, database)
	if _, err := terminal.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(terminal) // ends with EIO when the last process lets go of the terminal
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v\n%s%s", err, screen, rest)
	}
	if !strings.Contains(string(rest), "Shutting down") {
		t.Errorf("after q: %q", rest)
	}
}

// waitScreen reads on until text has shown since the console opened.
func waitScreen(t *testing.T, terminal io.Reader, seen, text string) string {
	t.Helper()
	buffer := make([]byte, 64<<10)
	for {
		if _, opened, ok := strings.Cut(seen, "The console opens"); ok && strings.Contains(opened, text) {
			return seen
		}
		n, err := terminal.Read(buffer)
		if err != nil {
			t.Fatalf("%v before %q showed in:\n%s", err, text, seen)
		}
		seen += string(buffer[:n])
	}
}

func TestAFailedStepStopsTheDemoAndNamesWhatWasNotRun(t *testing.T) {
	cause := errors.New("no such bucket")
	var out strings.Builder
	d := demo{out: &out}
	ran := false
	err := d.play(t.Context(), []step{
		{"one", func(context.Context) (string, error) { return "fine", nil }},
		{"two", func(context.Context) (string, error) { return "", cause }},
		{"three", func(context.Context) (string, error) { ran = true; return "", nil }},
	})
	if !errors.Is(err, cause) || ran {
		t.Errorf("err %v, third step ran: %v", err, ran)
	}
	for _, line := range []string{"✓ one", "✗ two", "– three"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q in:\n%s", line, out.String())
		}
	}
}
