package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Questions that a person answers line by line: on a terminal, over ssh, on a serial console. Rules: an answer is tried
// before the next question; one that fails is told with its remedy and asked again; a secret is never shown; where
// nobody can be asked, nothing is.

// question is one that a verb asks.
type question struct {
	name      string // in a file of answers and, with dashes, as a flag
	text      string // explains it
	ask       string // what stands before the answer
	byDefault string // taken for an empty line; "" has none
	hidden    bool   // the answer is a secret

	try func(context.Context, string) (said string, err error)
}

// interview asks, and counts what was answered.
type interview struct {
	to       *streams
	open     bool // somebody can be asked
	answered int
	line     func(ctx context.Context, hidden bool) (string, error)
}

func newInterview(to *streams) *interview {
	i := &interview{to: to, open: !to.json && term.IsTerminal(int(to.in.Fd()))}
	i.line = i.readLine
	return i
}

// settle tries what was given, or else asks until an answer passes.
func (i *interview) settle(ctx context.Context, q question, given string) (string, error) {
	for {
		answer, asked := given, false
		if given == "" {
			var err error
			if answer, err = i.answer(ctx, q); err != nil {
				return "", err
			}
			asked = i.open
		}
		said, err := q.try(ctx, answer)
		if err == nil {
			if said != "" {
				i.tell("  ok: %s\n", printable.Text(said))
			}
			return answer, nil
		}
		if ctx.Err() != nil || !i.open {
			return "", err
		}
		i.refuse(q, answer, asked, err)
		given = ""
	}
}

// answer asks once. Where nobody can be asked, the default is the answer.
func (i *interview) answer(ctx context.Context, q question) (string, error) {
	if !i.open {
		if q.byDefault == "" {
			return "", usageText("nobody can be asked here, and --" + strings.ReplaceAll(q.name, "_", "-") + " is missing")
		}
		return q.byDefault, nil
	}
	i.tell("\n")
	if q.text != "" {
		i.tell("%s\n", printable.Text(q.text))
	}
	for {
		prompt := q.ask
		if q.byDefault != "" {
			prompt += " [" + printable.Text(q.byDefault) + "]"
		}
		i.tell("%s: ", prompt)
		line, err := i.line(ctx, q.hidden)
		if err != nil {
			return "", err
		}
		if line = strings.TrimSpace(line); line == "" {
			line = q.byDefault
		}
		if line != "" {
			i.answered++
			return line, nil
		}
		i.tell("  an answer is needed; Ctrl+C ends this\n")
	}
}

// refuse says what is wrong with an answer.
func (i *interview) refuse(q question, answer string, asked bool, err error) {
	if !asked && !q.hidden {
		i.tell("\n%s: %s\n", q.ask, printable.Text(answer))
	}
	for _, line := range printable.Lines(err.Error()) {
		i.tell("  no: %s\n", line)
	}
	if remedy := fault.Remedy(err); remedy != "" {
		i.tell("  remedy: %s\n", printable.Text(remedy))
	}
}

// tell prints to standard error: with --json, standard output has the document alone, and a prompt must be seen also
// where standard output is a file.
func (i *interview) tell(format string, args ...any) {
	_, _ = io.WriteString(printable.Writer(i.to.err), folded(fmt.Sprintf(format, args...), interviewColumns))
}

// interviewColumns is the width of a serial console, too.
const interviewColumns = 80

// readLine is one line of the terminal. A hidden one is not echoed, and what the terminal was is put back however the
// question ends.
func (i *interview) readLine(ctx context.Context, hidden bool) (string, error) {
	if hidden {
		restore, err := noEcho(int(i.to.in.Fd()))
		if err != nil {
			return "", err
		}
		defer func() {
			restore()
			i.tell("\n")
		}()
	}
	if err := i.to.awaitLine(ctx); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(i.to.in).ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		return "", fault.New(fault.Refused, "the terminal was closed before the last answer", "Run it again.", nil)
	}
	return line, nil
}

// noEcho keeps a terminal from showing what is typed. Ctrl+C goes on to be a signal.
func noEcho(terminal int) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(terminal, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("hide what is typed: %w", err)
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(terminal, unix.TCSETS, &silent); err != nil {
		return nil, fmt.Errorf("hide what is typed: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(terminal, unix.TCSETS, before) }, nil
}
