// Run: the console from start to end. It owns the signals, since Bubble Tea ignores a hang-up and
// the end of its input; it leaves within a second even when the terminal takes no more bytes.

package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// leaveWithin bounds the end when the terminal is gone or stuck.
const leaveWithin = 700 * time.Millisecond

// framesASecond is how often the renderer looks whether something changed, the most that it allows: the first frame
// and each key wait for the next look. Nothing is sent where nothing changed.
const framesASecond = 120

// errHangup is the cause of an end by a vanished terminal: leaving, not failing.
var errHangup = errors.New("ui: the terminal is gone")

// Run shows the console until it is left. Leaving, a hang-up and the end of ctx change nothing
// about runs that go on. Errors: code Terminated after SIGTERM, Interrupted after SIGINT,
// Failed after a panic (whose trace was printed to Options.Output by then).
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer onSignals(stop)()
	c := &crash{stop: func() { stop(errors.New("panic")) }}
	model := newRoot(ctx, o)
	out := framesOn(o.Output)
	model.hasShell, model.drawn = hasShell(), out.drawn
	program := tea.NewProgram(guard{model, c},
		tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithAltScreen(), tea.WithFPS(framesASecond),
		tea.WithInput(&watched{File: o.Input, gone: func() { stop(errHangup) }}), tea.WithOutput(out))
	ended := make(chan error, 1)
	go func() {
		_, err := program.Run()
		ended <- err
	}()
	err, back := waitEnd(ctx, o.Output, ended)
	stop(nil)
	return farewell(o, model, c, ctx, err, back)
}

// waitEnd waits for the program; once ctx is over only for leaveWithin. A terminal that takes no
// more bytes (a dead link with full buffers) blocks the last write: half way its queue is thrown
// away, and if that does not help, writes stop waiting, so that the caller's cannot hang either.
// back is false when the terminal could not be given back.
func waitEnd(ctx context.Context, out *os.File, ended <-chan error) (err error, back bool) {
	select {
	case err = <-ended:
		return err, true
	case <-ctx.Done():
	}
	fd := int(out.Fd())
	for _, unblock := range []func() error{
		func() error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) },
		func() error { return unix.SetNonblock(fd, true) },
	} {
		select {
		case err = <-ended:
			return err, true
		case <-time.After(leaveWithin / 2):
			_ = unblock()
		}
	}
	return nil, false
}

// farewell prints what is to be said after the alternate screen is gone, and makes Run's error.
func farewell(o Options, model *root, c *crash, ctx context.Context, err error, back bool) error {
	if what, stack := c.happened(); what != "" {
		if back {
			_, _ = fmt.Fprintf(o.Output,
				"pgbtui: the console stopped: %s\nRuns continue under systemd; nothing else was touched.\n\n%s\n", clean(what),
				stack)
		}
		return fault.New(fault.Failed, "ui: the console stopped",
			"Report the trace above. `pgbtui status` shows the state without the console.", errors.New(clean(what)))
	}
	if back && !errors.Is(context.Cause(ctx), errHangup) {
		_, _ = io.WriteString(o.Output, goesOn(model.liveRuns()))
	}
	var sig signalError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &sig):
		return sig.asError()
	case errors.Is(cause, errHangup) || errors.Is(err, tea.ErrProgramKilled):
		return nil
	}
	if err != nil {
		return fault.New(fault.Failed, "ui: run console", "", err)
	}
	return nil
}

// goesOn are the two plain lines on leaving while runs go on, or "".
func goesOn(live []UnitRun) string {
	if len(live) == 0 {
		return ""
	}
	var units []string
	for _, r := range live {
		units = append(units, clean(r.Unit))
	}
	return fmt.Sprintf("%s: %s continues without the console.\nCome back with: pgbtui\n",
		strings.Join(units, ", "), runTitle(live[0]))
}

// signalError is the cause of an end by a signal.
type signalError struct{ os.Signal }

func (s signalError) Error() string { return "ui: " + s.String() }

func (s signalError) asError() error {
	switch s.Signal {
	case syscall.SIGTERM:
		return fault.New(fault.Terminated, "ui: the console was ended", "", s)
	case syscall.SIGINT:
		return fault.New(fault.Interrupted, "ui: the console was interrupted", "", s)
	}
	return nil // hang-up: leaving
}

// onSignals ends the console at a signal; the result undoes it and waits.
func onSignals(stop context.CancelCauseFunc) (undo func()) {
	ch, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(ch, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case s := <-ch:
			stop(signalError{s})
		case <-done:
		}
	})
	return func() {
		signal.Stop(ch)
		close(done)
		wg.Wait()
	}
}

// hasShell reports whether a shell with job control is above: the kernel does not stop a process
// whose parent is not in its session (ssh -t host pgbtui), and Bubble Tea would wait for ever.
func hasShell() bool {
	mine, err1 := unix.Getsid(0)
	its, err2 := unix.Getsid(os.Getppid())
	group, err3 := unix.Getpgid(os.Getppid())
	return err1 == nil && err2 == nil && err3 == nil && mine == its && group != unix.Getpgrp()
}

// watched is a terminal whose end of input is told: Bubble Tea would sit there for ever.
type watched struct {
	*os.File
	gone func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.File.Read(p)
	if err != nil && !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.EAGAIN) {
		w.gone()
	}
	return n, err
}
