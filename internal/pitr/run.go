package pitr

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// How every program is started. It gets SIGTERM when the context ends, and SIGKILL stopsWithin later.

const stopsWithin = 30 * time.Second

// mostOutput bounds what is taken into memory of what a program prints.
const mostOutput = 64 << 20

// Bounds of what is kept of a program's errors.
const (
	mostLines   = 40
	longestLine = 2000
)

// errEnough ends the reading of what a program prints when more would tell nothing more; the program is stopped.
var errEnough = errors.New("enough was read")

var errNoProgram = errors.New("the program is not installed")

// command is what run needs to know.
type command struct {
	program string
	args    []string
	env     []string
	as      *syscall.Credential    // nil: this process's user
	read    func(io.Reader) error  // standard output; nil: nobody reads it
	onLine  func(text string)      // each line of standard error; may be nil
	failed  func(*exitError) error // what an exit code means; nil: the error as it is
	largest uint64                 // bytes of any file that it writes; 0: as it likes
}

// exitError is the end of a program that failed, with what it said.
type exitError struct {
	program string
	code    int // -1: by a signal
	said    []string
	err     error
}

func (e *exitError) Error() string {
	said := strings.Join(e.said, "; ")
	if said == "" {
		said = e.err.Error()
	}
	return e.program + ": " + said
}

func (e *exitError) Unwrap() error { return e.err }

// output is what a program prints, as a whole.
func output(ctx context.Context, c command) (out []byte, err error) {
	c.read = func(r io.Reader) (err error) {
		out, err = bounded.ReadAll(r, mostOutput)
		return err
	}
	return out, run(ctx, c)
}

// run runs a program to its end.
func run(ctx context.Context, c command) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	program, args := c.words()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = "/", c.env
	if cmd.Env == nil {
		cmd.Env = environment()
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.as}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopsWithin
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	var out io.Reader
	if c.read != nil {
		if out, err = cmd.StdoutPipe(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return c.notStarted(err)
	}
	var said []string
	var follows sync.WaitGroup
	follows.Go(func() { said = follow(errs, c.onLine) })
	var unread error
	if c.read != nil {
		if unread = c.read(out); unread != nil {
			stop() // else it waits for somebody who reads
		}
		_, _ = io.Copy(io.Discard, out)
	}
	follows.Wait()
	return c.ended(ctx, cmd.Wait(), unread, said)
}

// words are the command line. Who may not change another user's limits can lower those of what becomes the program.
func (c command) words() (program string, args []string) {
	if c.largest == 0 {
		return c.program, c.args
	}
	limits := []string{"--fsize=" + strconv.FormatUint(c.largest, 10), "--core=0", "--", c.program}
	return "prlimit", append(limits, c.args...)
}

func (c command) notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("pitr: start %s: %w", c.program, errNoProgram)
	}
	return fmt.Errorf("pitr: start %s: %w", c.program, err)
}

// ended says what the end of a program means.
func (c command) ended(ctx context.Context, err, unread error, said []string) error {
	switch {
	case errors.Is(unread, errEnough):
		return nil
	case unread != nil:
		return fmt.Errorf("pitr: read what %s prints: %w", c.program, unread)
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("pitr: %s: %w", c.program, context.Cause(ctx))
	}
	end := &exitError{program: c.program, code: -1, said: said, err: err}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		end.code = exit.ExitCode()
	}
	if c.failed != nil {
		return c.failed(end)
	}
	return end
}

// follow takes the last lines that a program says.
func follow(from io.Reader, onLine func(string)) (last []string) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text := printable.OneLine(lines.Text())
		if len(text) > longestLine {
			text = text[:longestLine] + "…"
		}
		if onLine != nil {
			onLine(text)
		}
		last = append(last, text)
		if len(last) > mostLines {
			last = last[1:]
		}
	}
	_, _ = io.Copy(io.Discard, from) // behind a line that is too long
	return last
}

// environment is what programs get of ours: what they need, and the engine's secrets where they are given by it.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if name == "PATH" || name == "HOME" || strings.HasPrefix(name, "PGBACKREST_REPO") {
			env = append(env, kv)
		}
	}
	return env
}

// owner is how programs become the owner of the server's files. Only root has to, and can.
func (s Server) owner() (*syscall.Credential, error) {
	switch uint32(os.Geteuid()) {
	case s.UID:
		return nil, nil
	case 0:
	default:
		return nil, fault.New(fault.NotPermitted, "pitr: become the owner of "+s.DataDirectory, asOwner, nil)
	}
	as := &syscall.Credential{Uid: s.UID, Gid: s.GID}
	account, err := user.LookupId(strconv.FormatUint(uint64(s.UID), 10))
	if err != nil {
		return as, nil //nolint:nilerr // a number without a name has no more groups
	}
	groups, err := account.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("pitr: look up the groups of %s: %w", account.Username, err)
	}
	for _, id := range groups {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			as.Groups = append(as.Groups, uint32(n))
		}
	}
	return as, nil
}
