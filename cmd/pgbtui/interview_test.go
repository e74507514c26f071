package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// asked is an interview whose answers are known.
func asked(answers ...string) (*interview, *bytes.Buffer) {
	said := &bytes.Buffer{}
	i := &interview{to: &streams{out: io.Discard, err: said}, open: true}
	i.line = func(context.Context, bool) (string, error) {
		if len(answers) == 0 {
			return "", errors.New("no more answers")
		}
		next := answers[0]
		answers = answers[1:]
		return next + "\n", nil
	}
	return i, said
}

func wantsYes(_ context.Context, answer string) (string, error) {
	if answer != "yes" {
		return "", fault.New(fault.Usage, "\x1b[31mnot "+answer, "Say yes.", nil)
	}
	return "fine", nil
}

func TestAWrongAnswerIsToldWithItsRemedyAndAskedAgain(t *testing.T) {
	i, said := asked("", "no", " yes ")
	answer, err := i.settle(t.Context(), question{name: "agree", ask: "Agree", try: wantsYes}, "")
	if err != nil || answer != "yes" || i.answered != 2 {
		t.Errorf("%q, %v after %d answers", answer, err, i.answered)
	}
	for _, want := range []string{"an answer is needed", "no: ", "remedy: Say yes.", "ok: fine"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if strings.Contains(said.String(), "\x1b") {
		t.Errorf("an answer reaches the terminal as it is: %q", said)
	}
}

func TestAGivenAnswerIsTriedAndAskedOnlyIfItIsWrong(t *testing.T) {
	i, said := asked("yes")
	if answer, err := i.settle(t.Context(), question{ask: "Agree", try: wantsYes}, "yes"); err != nil || answer != "yes" || i.answered != 0 {
		t.Errorf("%q, %v after %d answers", answer, err, i.answered)
	}
	if answer, err := i.settle(t.Context(), question{ask: "Agree", try: wantsYes}, "no"); err != nil || answer != "yes" || i.answered != 1 {
		t.Errorf("%q, %v after %d answers", answer, err, i.answered)
	}
	if !strings.Contains(said.String(), "Agree: no\n") {
		t.Errorf("the wrong answer is not shown:\n%s", said)
	}
}

func TestWhereNobodyCanBeAskedTheDefaultIsTakenOrTheFlagIsNamed(t *testing.T) {
	i, _ := asked()
	i.open = false
	if answer, err := i.settle(t.Context(), question{byDefault: "yes", try: wantsYes}, ""); err != nil || answer != "yes" {
		t.Errorf("%q, %v", answer, err)
	}
	_, err := i.settle(t.Context(), question{name: "key_file", try: wantsYes}, "")
	if fault.CodeOf(err) != fault.Usage || !strings.Contains(err.Error(), "--key-file") {
		t.Error(err)
	}
	if _, err := i.settle(t.Context(), question{try: wantsYes}, "no"); fault.CodeOf(err) != fault.Usage {
		t.Errorf("a wrong answer: %v", err)
	}
}

func TestASecretIsNotEchoedAndTheTerminalIsAsBeforeHoweverItEnds(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	i := newInterview(&streams{in: tty, out: io.Discard, err: io.Discard})
	ctx, cancel := context.WithCancelCause(t.Context())
	type end struct {
		line string
		err  error
	}
	ended := make(chan end, 1)
	read := func() {
		line, err := i.readLine(ctx, true)
		ended <- end{line, err}
	}
	go read()
	silent(t, tty)
	if _, err := master.WriteString("s3cret\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-ended; got.err != nil || got.line != "s3cret\n" {
		t.Errorf("%q, %v", got.line, got.err)
	}
	go read()
	silent(t, tty)
	cancel(fault.New(fault.Interrupted, "stopped by interrupt", "", nil))
	if got := <-ended; fault.CodeOf(got.err) != fault.Interrupted {
		t.Errorf("after Ctrl+C: %v", got.err)
	}
	after, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("the terminal was %+v and is %+v, %v", before, after, err)
	}
	echo := []unix.PollFd{{Fd: int32(master.Fd()), Events: unix.POLLIN}}
	if n, err := unix.Poll(echo, 200); err != nil || n > 0 {
		text := make([]byte, 100)
		read, _ := master.Read(text)
		t.Errorf("what was typed was echoed: %q, %v", text[:read], err)
	}
}

// silent waits until a terminal does not echo.
func silent(t *testing.T, tty *os.File) {
	t.Helper()
	for range 1000 {
		if state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS); err == nil && state.Lflag&unix.ECHO == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the terminal goes on echoing")
}
