package main

import (
	"bufio"
	"context"
	"errors"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What a person has to agree to is asked on the terminal; a script agrees by a flag. Without either
// the answer is no: there is no setting that skips the question.

// agreed says the consequence in one sentence and asks for a y. yes is the flag --yes.
func (s *streams) agreed(ctx context.Context, consequence string, yes bool) error {
	if yes {
		return nil
	}
	if !term.IsTerminal(int(s.in.Fd())) {
		return fault.New(fault.Refused, "not confirmed: "+consequence, "Say --yes where nobody can be asked.", nil)
	}
	_, _ = s.err.Write([]byte(consequence + "\nDo it? y, then enter: "))
	if err := s.awaitLine(ctx); err != nil {
		return err
	}
	line, _ := bufio.NewReader(s.in).ReadString('\n') // the end of input is no y
	if answer := strings.TrimSpace(line); answer == "y" || answer == "yes" {
		return nil
	}
	return fault.New(fault.Refused, "not confirmed, nothing was changed", "", nil)
}

// awaitLine waits until the terminal has a line, so that a signal ends the question: a read could
// not be broken off.
func (s *streams) awaitLine(ctx context.Context) error {
	terminal := []unix.PollFd{{Fd: int32(s.in.Fd()), Events: unix.POLLIN}}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n, err := unix.Poll(terminal, pollMilliseconds); n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

const pollMilliseconds = 200
