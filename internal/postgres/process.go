package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Process is a running client program; reading it reads the program's standard output.
// Read to the end and call Wait, whose nil alone says that the output is whole; to give up
// earlier, cancel the context or call Close. Close is safe after Wait.
//
// The program runs in its own process group, gets SIGTERM when the context ends and SIGKILL
// killAfter later, and SIGKILL from the kernel when this process dies.
type Process struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	name   string
	out    *os.File
	pause  time.Duration // before a read that would find little
	few    bool          // the last read did
	stderr *tail
	done   chan struct{} // closed when the program has ended and err is set
	err    error
}

const killAfter = 5 * time.Second

// pg_dump writes 4 KiB at a time. A reader that is woken for each of them costs more than the
// bytes do, so standard output gets a pipe of pipeBytes, and after a read of less than fewBytes
// the next one waits readPause: the pipe takes 500 MB/s meanwhile without making pg_dump wait.
const (
	pipeBytes = 1 << 20
	fewBytes  = 128 << 10
	readPause = 2 * time.Millisecond
)

// command is what start needs to know.
type command struct {
	path   string
	args   []string
	env    []string
	dir    string              // "": ours
	as     *syscall.Credential // nil: this process's user
	apart  uintptr             // namespaces of its own
	stop   syscall.Signal      // tells it to end; 0 is SIGTERM
	stdin  *source             // nil: /dev/null
	onLine func(string)        // each line of standard error; may be nil
}

func start(ctx context.Context, c command) (*Process, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &Process{ctx: ctx, cancel: cancel, name: filepath.Base(c.path), done: make(chan struct{})}
	if err := p.start(c); err != nil {
		cancel(errClosed)
		return nil, fault.New(fault.Failed, "postgres: start "+p.name, "", err)
	}
	return p, nil
}

func (p *Process) start(c command) error {
	cmd := p.command(c)
	var pipes pipes
	defer pipes.closeChild()
	out := pipes.stream(&cmd.Stdout)
	errs := pipes.output(&cmd.Stderr)
	var in *os.File
	if c.stdin != nil {
		in = pipes.input(&cmd.Stdin)
	}
	if pipes.err == nil {
		if got, err := unix.FcntlInt(out.Fd(), unix.F_SETPIPE_SZ, pipeBytes); err == nil && got >= pipeBytes {
			p.pause = readPause // refused beyond the user's share of pipes: then every write is waited for
		}
		pipes.err = p.launch(cmd)
	}
	if pipes.err != nil {
		pipes.closeOurs()
		return pipes.err
	}
	p.out = out
	p.stderr = follow(errs, c.onLine)
	if c.stdin != nil {
		c.stdin.feed(in)
	}
	return nil
}

// launch hands the program to the goroutine that owns it.
func (p *Process) launch(cmd *exec.Cmd) error {
	started := make(chan error)
	go p.run(cmd, started)
	return <-started
}

func (p *Process) command(c command) *exec.Cmd {
	cmd := exec.CommandContext(p.ctx, c.path, c.args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: c.as, Cloneflags: c.apart,
	}
	stop := c.stop
	if stop == 0 {
		stop = syscall.SIGTERM
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, stop) }
	cmd.WaitDelay = killAfter
	return cmd
}

// run starts and awaits the program on one thread: the kernel sends Pdeathsig when the starting
// thread ends, so that thread has to stay until the program is gone.
func (p *Process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	err := cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = cmd.Wait()
	if p.ctx.Err() != nil { // the leader was told to end; so must what it started
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// Read reads standard output. EOF does not yet mean success: see Wait.
func (p *Process) Read(b []byte) (int, error) {
	if p.few {
		time.Sleep(p.pause)
	}
	n, err := p.out.Read(b)
	p.few = n < min(fewBytes, len(b))
	return n, err
}

// Wait waits for the end and returns nil when the program exited with 0. Otherwise the error
// holds an *ExitError, or the cause of the context's end. It may be called more than once.
func (p *Process) Wait() error {
	<-p.done
	lines := p.stderr.wait()
	switch {
	case p.err == nil:
		return nil
	case p.ctx.Err() != nil:
		return fmt.Errorf("postgres: %s: %w", p.name, context.Cause(p.ctx))
	}
	code, remedy := diagnose(lines)
	var exit *exec.ExitError
	if errors.As(p.err, &exit) && exit.ExitCode() < 0 && remedy == "" {
		remedy = "Look for the out-of-memory killer in the kernel's journal."
	}
	return fault.New(code, "postgres", remedy, &ExitError{Program: p.name, Lines: lines, Err: p.err})
}

var errClosed = errors.New("closed before its end")

// Close ends the program if it still runs, waits for it, and frees its output.
func (p *Process) Close() error {
	p.cancel(errClosed)
	<-p.done
	p.stderr.wait()
	_ = p.out.Close() // a second Close is no error of the caller's
	return nil
}
