package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Starting systemd-nspawn and waiting for what runs in it.

// enterGroups joins the cgroups named before "--" and becomes the command behind it.
const enterGroups = `while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"`

// unifyGroups becomes its arguments, which see cgroup2 alone: systemd 258 and newer know nothing else.
const unifyGroups = `mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"`

func (l *Lab) spawn(system System) error {
	console, err := os.Create(l.console())
	if err != nil {
		return err
	}
	defer console.Close()
	args := append([]string{"-euc", enterGroups, "sh"}, l.groups...)
	args = append(args, "--")
	if system.Suite != "" && !unified() {
		args = append(args, "unshare", "--mount", "--propagation", "slave", "sh", "-euc", unifyGroups, "sh")
	}
	args = append(args, "systemd-nspawn", "--quiet", "--directory="+l.Root(), "--machine="+l.name,
		"--boot", "--console=pipe", "--register=no", "--keep-unit", "--private-network",
		"--resolv-conf=off", "--timezone=off")
	l.nspawn = exec.Command("/bin/sh", args...)
	l.nspawn.Stdout, l.nspawn.Stderr = console, console
	// A group of its own keeps the terminal's ^C away; a killed owner's lab is powered off.
	// (SIGKILL would end nspawn only: systemd would run on.)
	l.nspawn.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}

	started := make(chan error)
	go func() {
		// The parent in "parent death" is the thread that forked, so it stays for the lab's life.
		runtime.LockOSThread()
		err := l.nspawn.Start()
		started <- err
		if err == nil {
			_ = l.nspawn.Wait() // its status says nothing that the console does not
			close(l.exited)
		}
	}()
	if err := <-started; err != nil {
		close(l.exited)
		return fmt.Errorf("start systemd-nspawn: %w", err)
	}
	return nil
}

func (l *Lab) console() string { return filepath.Join(l.dir, "console.log") }

// consoleTail is the console's end as an error, for a boot that failed.
func (l *Lab) consoleTail() error {
	log, _ := os.ReadFile(l.console()) // without a console there is nothing to add
	if len(bytes.TrimSpace(log)) == 0 {
		return nil
	}
	return fmt.Errorf("lab: its console ended with: %s", log[max(0, len(log)-2000):])
}

// findLeader waits for the lab's PID 1: nspawn's child that is process 1 of its own namespace.
func (l *Lab) findLeader(ctx context.Context) error {
	return l.poll(ctx, "systemd", func() error {
		for _, pid := range children(l.nspawn.Process.Pid) {
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			name, _, _ := strings.Cut(string(command), "\x00")
			if filepath.Base(name) == "systemd" && namespacePID(pid) == 1 {
				l.leader = pid
				return nil
			}
		}
		return errors.New("systemd-nspawn has not started it yet")
	})
}

// waitSystem waits until systemd has finished starting. "degraded" is finished too: a unit that
// fails in a lab is the business of the test that wants it.
func (l *Lab) waitSystem(ctx context.Context) error {
	return l.poll(ctx, "the system", func() error {
		// Its status is not 0 for "degraded"; what else went wrong is in what it printed.
		out, _ := l.Command(ctx, "root", "systemctl", "is-system-running").CombinedOutput()
		state := strings.TrimSpace(string(out))
		if state != "running" && state != "degraded" {
			return fmt.Errorf("systemctl is-system-running says %q", state)
		}
		return nil
	})
}

// children are the direct children of pid.
func children(pid int) []int {
	var pids []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		list, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// namespacePID is pid's number in its innermost PID namespace (NSpid, proc_pid_status(5)), or 0.
func namespacePID(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if numbers, found := strings.CutPrefix(line, "NSpid:"); found {
			fields := strings.Fields(numbers)
			inner, _ := strconv.Atoi(fields[len(fields)-1])
			return inner
		}
	}
	return 0
}
