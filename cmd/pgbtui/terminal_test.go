package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// onTerminal is what the program writes to a terminal of 80x24, and its exit code.
func (w *world) onTerminal(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "pgbtui", args...)
	cmd.Env, cmd.Dir = append(w.env(), env...), w.dir
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	text, _ := io.ReadAll(terminal) // ends with EIO when the program has gone
	_ = cmd.Wait()                  // the status is read below
	return string(text), cmd.ProcessState.ExitCode()
}

func TestATerminalThatCanNotBeDrawnOnGetsTheSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, env := range [][]string{{"TERM=dumb"}, {"TERM="}} {
		text, code := w.onTerminal(t, env)
		if code != 3 || !strings.HasPrefix(text, "FAIL "+w.db) || strings.Contains(text, "\x1b") {
			t.Errorf("%q: exit %d, %q", env, code, text)
		}
	}
}

// Verbs never colour; the one thing that is drawn is a run's progress, which rewrites its line.
func TestVerbsWriteNoColoursToATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pg.Exec(t, w.db, sample)
	for _, args := range [][]string{{"--headless"}, {"list"}, {"status"}, {"show", "latest"}, {"verify", "latest"}} {
		for _, env := range [][]string{{"TERM=xterm-256color"}, {"TERM=xterm-256color", "NO_COLOR=1"}} {
			text, code := w.onTerminal(t, env, args...)
			rest := strings.NewReplacer("\r\n", "\n", "\r\x1b[K", "", "\x1b[K", "", "\r", "").Replace(text)
			if bad := controls(rest); code != 0 || len(bad) > 0 {
				t.Errorf("%q: exit %d, %q in %q", args, code, bad, text)
			}
			for _, line := range strings.Split(rest, "\n") {
				if args[0] == "list" && len(line) > 80 {
					t.Errorf("%d columns on a terminal of 80: %q", len(line), line)
				}
			}
			if args[0] == "verify" && strings.Count(rest, "set=") > 1 {
				t.Errorf("what all lines have in common is told more than once: %q", rest)
			}
		}
	}
}

// What is longer than the terminal goes on in the next line, between words; a command stays whole, so that it can be
// copied, and into a pipe every line is as it is.
func TestEveryVerbFitsItsTerminalAndBreaksNoCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pg.Exec(t, w.db, sample)
	for range 3 {
		w.run(t, 0, "--headless")
	}
	config := filepath.Join(w.dir, "config.yaml")
	text := fmt.Sprintf("s3: {bucket: %s, region: us-east-1, endpoint: %q, path_style: true}\nkeep: {days: 30, weekly: 52, monthly: 12}\n"+
		"jobs: {%s: {postgres: {host: %s, port: %q, user: %s}}}\n", w.s3.Bucket, w.s3.Endpoint, w.db, w.pg.Host, w.pg.Port, w.pg.User)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"list"},
		{"status"},
		{"watch"},
		{"show", "latest"},
		{"kit"},
		{"config", "show"},
		{"config", "check"},
		{"prune", "--dry-run"},
		{"restore", "latest", "--check", "--to", "elsewhere"},
	} {
		args = append(args, "--config", config)
		text, code := w.onTerminal(t, []string{"TERM=dumb"}, args...)
		if code != 0 && code != 3 && code != 78 && code != 69 {
			t.Errorf("%q: exit %d: %s", args, code, text)
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n") {
			if ansi.StringWidth(line) > 80 && !unbroken(line) {
				t.Errorf("%q: %d columns: %q", args, ansi.StringWidth(line), line)
			}
		}
	}
	for _, args := range [][]string{{"config", "show"}, {"prune", "--dry-run"}, {"list"}} {
		args = append(args, "--config", config)
		piped := w.run(t, 0, args...).out.String()
		wide, _ := w.onTerminal(t, []string{"TERM=dumb"}, append(args, "--wide")...)
		if !strings.HasSuffix(strings.ReplaceAll(wide, "\r", ""), piped) { // behind what standard error has
			t.Errorf("%q --wide:\n%s\nand into a pipe:\n%s", args, wide, piped)
		}
	}
}

// unbroken lines are commands and their comments, and those with a word that leaves room for nothing else.
func unbroken(line string) bool {
	text := strings.TrimSpace(line)
	command, _, _ := strings.Cut(text, " ")
	return slices.Contains([]string{"#", "sudo", "aws", "zstd", "createdb", "pg_restore", "psql", "echo", "journal"}, command) ||
		slices.ContainsFunc(words(text), func(word string) bool { return len(word) > 50 })
}

func TestAHoldOnATerminalIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, 0, "--headless")
	// 0x04 is the end of input, 0x03 an interrupt.
	for answer, want := range map[string]int{"n\n": 4, "\n": 4, "\x04": 4, "\x03": 130, "y\n": 0} {
		cmd := exec.CommandContext(t.Context(), "pgbtui", "hold", "latest", "--reason", "because")
		cmd.Env, cmd.Dir = append(w.env(), "TERM=dumb"), w.dir
		terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		var text []byte
		buf := make([]byte, 4096)
		for !strings.Contains(string(text), "y, then enter: ") {
			n, err := terminal.Read(buf)
			if text = append(text, buf[:n]...); err != nil {
				break
			}
		}
		_, _ = terminal.WriteString(answer)
		rest, _ := io.ReadAll(terminal) // ends with EIO when the program has gone
		_ = cmd.Wait()                  // the status is read below
		_ = terminal.Close()
		if got := cmd.ProcessState.ExitCode(); got != want || !strings.Contains(string(text), "Retention will not delete") {
			t.Errorf("%q: exit %d, want %d: %q", answer, got, want, string(text)+string(rest))
		}
	}
}
