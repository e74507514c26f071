// Command pgbtui backs PostgreSQL up to S3, proves and restores what it stored, and is the
// operator's console for that. This package turns arguments into one call, and errors into one
// message and an exit code; everything else is below internal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"

	_ "codeberg.org/pgbtui/pgbtui/internal/ui/noquery" // before Bubble Tea, see there
)

func main() { os.Exit(int(execute())) }

func execute() fault.Code {
	ctx, stop := signalContext(context.Background())
	defer stop()
	_ = hideMemory() // what it guards against is guarded by the units' sandbox, too
	p := newProgram(outside{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: time.Now})
	return p.main(ctx, os.Args[1:])
}

// signalContext ends with a fault that carries the exit code of the signal. A second signal of
// the same kind is left to its default, so that a hung run can still be ended by hand.
func signalContext(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(signalled(s))
		case <-quit:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(quit)
		<-done
		cancel(nil)
	}
}

func signalled(s os.Signal) error {
	code := fault.Terminated
	if s == syscall.SIGINT {
		code = fault.Interrupted
	}
	return fault.New(code, "stopped by "+s.String(), "", nil)
}

// main runs one command line. Exactly one message reaches standard error when it fails.
func (p *program) main(ctx context.Context, args []string) fault.Code {
	defer p.close()
	root := newRootCommand(p) //nolint:contextcheck // verbs get the context from ExecuteContext
	root.SetArgs(args)
	typed, err := root.ExecuteContextC(ctx)
	return p.end(ctx, typed, args, err)
}

// asksForJSON finds --json on a command line that could not be parsed.
func asksForJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}
