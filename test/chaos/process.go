package chaos

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is the program under way. Its output may be read at any time.
type process struct {
	cmd  *exec.Cmd
	out  lockedBuffer // both streams
	done chan struct{}
	peak int64 // resident bytes, as far as seen; read after done
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the program, one backup if no arguments are given, and watches it until it ends.
func (w *World) start(ctx context.Context, args ...string) (*process, error) {
	if len(args) == 0 {
		args = []string{"--headless"}
	}
	p := w.command(ctx, w.lab.program, append(args, "--config", w.configFile())...)
	return p, w.run(p)
}

func (w *World) command(ctx context.Context, program string, args ...string) *process {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.environment(), w.dir, &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the keyboard is for the laboratory
	p.cmd.WaitDelay = time.Second                           // a child that lives on is found by other means
	return p
}

func (w *World) run(p *process) error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	w.ran = append(w.ran, p)
	go p.follow(w.seen)
	return nil
}

// follow owns the program until it has ended.
func (p *process) follow(seen *watcher) {
	defer close(p.done)
	stop := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- seen.follow(p.cmd.Process.Pid, stop) }()
	_ = p.cmd.Wait() // the status is asked for in code
	close(stop)
	p.peak = <-peak
}

// wait lasts until the program has ended.
func (p *process) wait() { <-p.done }

// kill ends the program for good.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	p.wait()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// over reports whether the program has ended.
func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// within reports whether the program ended in time.
func (p *process) within(limit time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}

// code is the exit code as a shell and systemd see it.
func (p *process) code() int {
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// killed reports whether SIGKILL ended it.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func (p *process) said() string { return p.out.String() }

// said is everything that the program has printed in this world.
func (w *World) said() string {
	var all strings.Builder
	for _, p := range w.ran {
		all.WriteString(p.said())
	}
	return all.String()
}
