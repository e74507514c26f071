package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// streams are what a call reads from and prints to, and in which form: lines for people, or JSON.
//
// Rule: nothing that a terminal acts on comes out, whatever is printed.
type streams struct {
	in      *os.File
	out     io.Writer
	err     io.Writer
	json    bool // --json
	noColor bool // --no-color
}

// printf prints lines for people.
func (s *streams) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.text(), format, args...) }

// notef prints one line for people to standard error, beside what the verb prints.
func (s *streams) notef(format string, args ...any) {
	_, _ = fmt.Fprintln(s.err, printable.Text(fmt.Sprintf(format, args...)))
}

// text is standard output for lines for people.
func (s *streams) text() io.Writer { return printable.Writer(s.out) }

// printJSON prints one document.
func (s *streams) printJSON(v any) error {
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	if _, err := s.out.Write(printable.JSON(document.Bytes())); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// toStdout reports whether what is printed goes to this process's own standard output.
func (s *streams) toStdout() bool { return s.out == io.Writer(os.Stdout) }

// columns is how wide lines may be on standard output; 0: as they are.
func (s *streams) columns(wide bool) int {
	if wide || !s.toStdout() {
		return 0
	}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		return width
	}
	return 0
}

// canDraw reports whether a person sits at a terminal that can be drawn on.
func (s *streams) canDraw(getenv func(string) string) bool {
	if kind := getenv("TERM"); kind == "dumb" || kind == "" {
		return false
	}
	return term.IsTerminal(int(s.in.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}

// quote shows what a program said word for word. It may hold people's rows, so it goes to the terminal of
// whoever restores and nowhere else: not where standard error is a journal, a file or a pipe.
func (s *streams) quote(err error) {
	var exit *postgres.ExitError
	file, ok := s.err.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || !errors.As(err, &exit) {
		return
	}
	out := printable.Writer(file)
	_, _ = fmt.Fprintf(out, "  %s, shown on this terminal only:\n", exit.Program)
	for _, line := range exit.Lines {
		_, _ = fmt.Fprintf(out, "    %s\n", printable.Text(line))
	}
}
