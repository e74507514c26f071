package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Running things in a lab and putting files into it.

// Command prepares argv as user in the lab: all namespaces, that user's groups, home and nothing
// of the caller's environment but TERM. Standard streams are the caller's to set, so a terminal
// can be handed in. Killing the command kills argv too.
func (l *Lab) Command(ctx context.Context, user string, argv ...string) *exec.Cmd {
	args := []string{"--target", strconv.Itoa(l.leader), "--all", "--wdns=/", "--"}
	// setpriv goes last before argv: changing identity clears the parent death signal.
	args = append(args, "setpriv", "--reset-env", "--pdeathsig", "KILL")
	account, err := l.account(user)
	if user != "root" && err == nil {
		args = append(args, "--reuid", account.uid, "--regid", account.gid, "--init-groups")
	}
	args = append(args, "--", "env", "LANG=C.UTF-8",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	cmd := exec.CommandContext(ctx, "nsenter", append(args, argv...)...)
	cmd.Cancel = func() error { return killEntered(cmd.Process) }
	cmd.WaitDelay = 5 * time.Second
	if err != nil {
		cmd.Err = err
	}
	return cmd
}

// Output runs argv as user and returns its standard output; the error holds both streams.
func (l *Lab) Output(ctx context.Context, user string, argv ...string) (string, error) {
	out, err := l.Command(ctx, user, argv...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)+"\n"+string(out)))
		}
		return string(out), fmt.Errorf("lab: %s: %w", strings.Join(argv, " "), err)
	}
	return string(out), nil
}

// Run is Output for tests: a failure ends the test.
func (l *Lab) Run(t testing.TB, user string, argv ...string) string {
	t.Helper()
	out, err := l.Output(t.Context(), user, argv...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// SQL runs one statement as the superuser and returns unaligned rows without headings.
func (l *Lab) SQL(ctx context.Context, database, statement string) (string, error) {
	out, err := l.Output(ctx, "postgres", "env", "PGDATABASE="+database,
		"psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement)
	return strings.TrimSuffix(out, "\n"), err
}

// AddUser makes a login with the groups named (which must exist).
func (l *Lab) AddUser(ctx context.Context, name string, groups ...string) error {
	argv := []string{"useradd", "--create-home", "--shell", "/bin/bash"}
	if len(groups) > 0 {
		argv = append(argv, "--groups", strings.Join(groups, ","))
	}
	_, err := l.Output(ctx, "root", append(argv, name)...)
	return err
}

// Copy puts the machine's file at source into the lab at target, with the mode given.
func (l *Lab) Copy(source, target string, mode os.FileMode) error {
	file, err := os.Open(source)
	if err != nil {
		return fmt.Errorf("lab: copy: %w", err)
	}
	defer file.Close()
	return l.write(target, mode, file)
}

// WriteFile puts content into the lab at target, with the mode given.
func (l *Lab) WriteFile(target, content string, mode os.FileMode) error {
	return l.write(target, mode, strings.NewReader(content))
}

func (l *Lab) write(target string, mode os.FileMode, content io.Reader) error {
	root, err := os.OpenRoot(l.Root())
	if err != nil {
		return fmt.Errorf("lab: write %s: %w", target, err)
	}
	defer root.Close()
	name := strings.TrimPrefix(filepath.Clean(target), "/")
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("lab: write %s: %w", target, err)
	}
	file, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("lab: write %s: %w", target, err)
	}
	_, err = io.Copy(file, content)
	if err := errors.Join(err, file.Chmod(mode), file.Close()); err != nil {
		return fmt.Errorf("lab: write %s: %w", target, err)
	}
	return nil
}

// killEntered kills what nsenter runs rather than nsenter, which then reaps it and ends. Orphaned,
// the dead process would hold up the end of the lab's PID namespace until the machine's init reaps it.
func killEntered(nsenter *os.Process) error {
	entered := children(nsenter.Pid)
	for _, pid := range entered {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if len(entered) == 0 {
		return nsenter.Kill()
	}
	return nil
}

type account struct{ uid, gid string }

// account reads the lab's own passwd(5): the machine's accounts are not the lab's.
func (l *Lab) account(user string) (account, error) {
	file, err := os.Open(filepath.Join(l.Root(), "etc/passwd"))
	if err != nil {
		return account{}, fmt.Errorf("lab: find user: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) >= 4 && fields[0] == user {
			return account{uid: fields[2], gid: fields[3]}, nil
		}
	}
	return account{}, fmt.Errorf("lab: there is no user %q in the lab", user)
}
