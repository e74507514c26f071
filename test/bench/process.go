package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/test/proc"
)

// A program's use of the machine, from the kernel. When a program has ended but is not yet waited
// for, /proc still has its counters, its own apart from those of the programs it waited for: so
// pgbtui's CPU is told from its pg_dump's, which wait4 and time(1) add up.
//
// The peak of memory is VmHWM, sampled: it only grows, so that the last sample is the peak unless
// that came in the last moment of all.

// usage is what one program took.
type usage struct {
	own      time.Duration // CPU of the program itself
	children time.Duration // CPU of the programs it waited for
	peakRSS  int64         // bytes, of the program itself
	written  int64         // bytes dirtied on local file systems, by both
}

const (
	sampleEvery = 25 * time.Millisecond
)

// pipeline runs programs, the output of each being the next one's input, and returns what each
// took. The first may have an input and the last an output of its own.
func pipeline(commands ...*exec.Cmd) ([]usage, error) {
	stderr := make([]bytes.Buffer, len(commands))
	if err := startAll(commands, stderr); err != nil {
		return nil, err
	}
	used := make([]usage, len(commands))
	var group errgroup.Group
	for i, cmd := range commands {
		group.Go(func() (err error) {
			used[i], err = await(cmd)
			if err != nil {
				err = fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, stderr[i].String())
			}
			return err
		})
	}
	return used, group.Wait()
}

func startAll(commands []*exec.Cmd, stderr []bytes.Buffer) error {
	var ends []*os.File
	defer func() { // the programs have them now
		for _, f := range ends {
			f.Close()
		}
	}()
	for i, cmd := range commands {
		cmd.Stderr = &stderr[i]
		if i+1 < len(commands) {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			ends = append(ends, r, w)
			cmd.Stdout, commands[i+1].Stdin = w, r
		}
	}
	for i, cmd := range commands {
		if err := cmd.Start(); err != nil {
			for _, started := range commands[:i] {
				_ = started.Process.Kill()
				_ = started.Wait()
			}
			return err
		}
	}
	return nil
}

// await waits for a started program and reads its counters before they go.
func await(cmd *exec.Cmd) (usage, error) {
	pid := cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- waitUnreaped(pid) }()
	var u usage
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			u.peakRSS = max(u.peakRSS, proc.PeakRSS(pid))
			continue
		case err := <-ended:
			if err == nil {
				err = u.counters(pid)
			}
			return u, errors.Join(cmd.Wait(), err)
		}
	}
}

// waitUnreaped returns when the program has ended, and leaves it to be waited for.
func waitUnreaped(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// counters reads proc_pid_stat(5) and proc_pid_io(5). The latter of a program that has ended
// includes the programs it waited for (wait_task_zombie in kernel/exit.c adds them).
func (u *usage) counters(pid int) error {
	var ok bool
	if u.own, u.children, ok = proc.CPU(pid); !ok {
		return fmt.Errorf("/proc/%d/stat is not understood", pid)
	}
	u.written = proc.Field(pid, "io", "write_bytes:") - proc.Field(pid, "io", "cancelled_write_bytes:")
	return nil
}
