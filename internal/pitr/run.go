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
	"slices"
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

// ErrEnough ends the reading of what a program prints when more would tell nothing more; the program is stopped.
var ErrEnough = errors.New("enough was read")

// ErrNoProgram is a program that is not there.
var ErrNoProgram = errors.New("the program is not installed")

// Command is a program that is to be run.
type Command struct {
	Program string
	Args    []string
	Env     []string               // nil: Environment()
	As      *syscall.Credential    // nil: this process's user
	Read    func(io.Reader) error  // standard output; nil: nobody reads it
	OnLine  func(text string)      // each line of standard error; may be nil
	Failed  func(*ExitError) error // what an exit code means; nil: the error as it is
	Largest int64                  // bytes of any file that it writes; 0: as it likes
}

// ExitError is the end of a program that failed, with what it said.
type ExitError struct {
	Program string
	Code    int      // -1: by a signal
	Said    []string // its last lines
	Err     error
}

func (e *ExitError) Error() string {
	said := strings.Join(e.Said, "; ")
	if said == "" {
		said = e.Err.Error()
	}
	return e.Program + ": " + said
}

func (e *ExitError) Unwrap() error { return e.Err }

// Output is what a program prints, as a whole.
func Output(ctx context.Context, c Command) (out []byte, err error) {
	c.Read = func(r io.Reader) (err error) {
		out, err = bounded.ReadAll(r, mostOutput)
		return err
	}
	return out, Run(ctx, c)
}

// Run runs a program to its end.
func Run(ctx context.Context, c Command) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	program, args := c.words()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = "/", c.Env
	if cmd.Env == nil {
		cmd.Env = Environment()
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.As}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopsWithin
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	var out io.Reader
	if c.Read != nil {
		if out, err = cmd.StdoutPipe(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return c.notStarted(err)
	}
	var said []string
	var follows sync.WaitGroup
	follows.Go(func() { said = follow(errs, c.OnLine) })
	var unread error
	if c.Read != nil {
		if unread = c.Read(out); unread != nil {
			stop() // else it waits for somebody who reads
		}
		_, _ = io.Copy(io.Discard, out)
	}
	follows.Wait()
	return c.ended(ctx, cmd.Wait(), unread, said)
}

// words are the command line. Who may not change another user's limits can lower those of what becomes the program.
func (c Command) words() (program string, args []string) {
	if c.Largest == 0 {
		return c.Program, c.Args
	}
	limits := []string{"--fsize=" + strconv.FormatInt(c.Largest, 10), "--core=0", "--", c.Program}
	return "prlimit", append(limits, c.Args...)
}

func (c Command) notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("pitr: start %s: %w", c.Program, ErrNoProgram)
	}
	return fmt.Errorf("pitr: start %s: %w", c.Program, err)
}

// ended says what the end of a program means.
func (c Command) ended(ctx context.Context, err, unread error, said []string) error {
	switch {
	case errors.Is(unread, ErrEnough):
		return nil
	case unread != nil:
		return fmt.Errorf("pitr: read what %s prints: %w", c.Program, unread)
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("pitr: %s: %w", c.Program, context.Cause(ctx))
	}
	end := &ExitError{Program: c.Program, Code: -1, Said: said, Err: err}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		end.Code = exit.ExitCode()
	}
	if c.Failed != nil {
		return c.Failed(end)
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

// Environment is what programs get of ours: what they need, and the variables whose names begin with a prefix of their
// engine's.
func Environment(prefixes ...string) []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		own := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if name == "PATH" || name == "HOME" || slices.ContainsFunc(prefixes, own) {
			env = append(env, kv)
		}
	}
	return env
}

// Owner is how a program becomes the owner of the server's files; nil is this process's user already. Nobody but root
// and the owner can: code NotPermitted.
func (s Server) Owner() (*syscall.Credential, error) {
	switch uint32(os.Geteuid()) {
	case s.UID:
		return nil, nil
	case 0:
	default:
		return nil, fault.New(fault.NotPermitted, "pitr: become the owner of "+s.DataDirectory, AsOwner, nil)
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
