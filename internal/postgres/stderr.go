package postgres

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strings"
)

// Bounds of what is kept of a program's standard error.
const (
	keptLines = 20
	lineBytes = 1024
)

// ExitError is a client program that did not end well, with its first error and the last lines of its
// standard error, at most 20 of at most 1 KiB. The lines are the server's words: not safe for a terminal.
type ExitError struct {
	Program string
	Lines   []string
	Err     error // usually an *exec.ExitError
}

// Error names the program, its end, and what it said, without what may quote a row.
func (e *ExitError) Error() string {
	words := said(discreet(e.Program, e.Lines))
	if len(words) == 0 {
		return e.Program + ": " + e.Err.Error()
	}
	return e.Program + ": " + e.Err.Error() + ": " + strings.Join(words, "; ")
}

// said are the lines that say something: a statement is quoted with its empty ones, and with its end.
func said(lines []string) (words []string) {
	for _, line := range lines {
		if line = strings.TrimRight(line, "; \t"); line != "" {
			words = append(words, line)
		}
	}
	return words
}

// Unwrap returns the program's end.
func (e *ExitError) Unwrap() error { return e.Err }

// tail follows a program's standard error to its end and keeps the last lines, and of those that they push out
// the first error: the long statement that failed comes behind it.
type tail struct {
	lines    []string
	entry    string // what pg_restore was at, as firstErr is
	firstErr string // "" as long as it is among the lines
	done     chan struct{}
}

// follow takes over r and hands each line, cut to lineBytes, to onLine when there is one.
func follow(r *os.File, onLine func(string)) *tail {
	t := &tail{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer r.Close()
		t.read(r, onLine)
	}()
	return t
}

func (t *tail) read(r io.Reader, onLine func(string)) {
	buffered := bufio.NewReaderSize(r, lineBytes)
	for {
		part, more, err := buffered.ReadLine()
		if err != nil {
			return
		}
		line := string(part)
		for more && err == nil {
			_, more, err = buffered.ReadLine()
		}
		if chatter.MatchString(line) {
			continue
		}
		if len(t.lines) == keptLines {
			if t.firstErr == "" && strings.Contains(t.lines[0], ": error: ") {
				t.firstErr = t.lines[0]
			}
			if t.firstErr == "" && objectOf(t.lines[0]) != "" {
				t.entry = t.lines[0]
			}
			t.lines = append(t.lines[:0], t.lines[1:]...)
		}
		t.lines = append(t.lines, line)
		if onLine != nil {
			onLine(line)
		}
	}
}

// chatter is what pg_restore --verbose says of its progress.
var chatter = regexp.MustCompile(`^pg_restore: (?:connecting|creating|processing|executing|disabling|enabling|` +
	`dropping|entering|finished|launching|skipping|reducing|transferring|no item|restoring|restored|while|implied) `)

// wait returns the kept lines after the end.
func (t *tail) wait() []string {
	<-t.done
	if t.firstErr == "" {
		return t.lines
	}
	if t.entry != "" {
		return append([]string{t.entry, t.firstErr}, t.lines[min(2, len(t.lines)):]...)
	}
	return append([]string{t.firstErr}, t.lines[1:]...)
}
