package beside

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Tools are the programs that work on a copy.
func (c *Copy) Tools() postgres.Tools { return postgres.Tools{Dir: c.BinDir, Major: c.Major} }

// Database is how one of the copy's databases is reached, by the owner of its files and by root.
func (c *Copy) Database(name string) postgres.Target {
	return postgres.Target{Host: c.place().socket(), Port: port, User: c.User, Database: name, NoSecrets: true}
}

// startServer starts the copy's server, which then lives on its own until it is told to end.
func (c *Copy) startServer(e *pitr.Engine) (ended <-chan struct{}, err error) {
	p, err := program(e, "postgres", "-D", c.place().data(), "-c", "config_file="+c.place().config())
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(c.place().log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("pitr: open the log of copy %s: %w", c.ID, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(p.Path, p.Args...) //nolint:noctx // it outlives whoever starts it, and is ended by stopServer
	cmd.Env, cmd.Dir = append(e.Environment(), "LC_ALL=C", "TZ=UTC"), c.place().data()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: p.As}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("pitr: start the server of copy %s: %w", c.ID, err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	return done, nil
}

// pid is the copy's server, or 0 where none runs.
func (c *Copy) pid() int {
	raw, err := bounded.ReadFile(filepath.Join(c.place().data(), "postmaster.pid"), bounded.File)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return 0
	}
	// The number may be another process's by now; a server stands in its data directory.
	if at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || at != c.place().data() {
		return 0
	}
	return pid
}

// Visible reports whether this user sees the copy's server: its owner and root do.
func (c *Copy) Visible() bool {
	info, err := os.Stat(c.place().data())
	if err != nil {
		return os.Geteuid() == 0
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return os.Geteuid() == 0 || ok && os.Geteuid() == int(stat.Uid)
}

// Running reports whether the copy's server runs.
func (c *Copy) Running() bool { return c.pid() != 0 }

// stopWait bounds how long a server is waited for that was told to end.
const stopWait = time.Minute

// stopServer ends the copy's server and whatever else works on its files.
func (c *Copy) stopServer() {
	if pid := c.pid(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGINT) // fast: sessions are ended
		for deadline := time.Now().Add(stopWait); c.pid() != 0 && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	c.endStragglers()
}

// endStragglers ends every process that stands in the copy's files or has them in an argument: those of a server whose
// first process was killed, and an engine that still restores for somebody who was killed.
func (c *Copy) endStragglers() {
	data := c.place().data()
	for range 100 {
		found := false
		links, _ := filepath.Glob("/proc/[0-9]*/cwd")
		for _, link := range links {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err != nil || pid == os.Getpid() {
				continue
			}
			at, _ := os.Readlink(link)
			if at == data || strings.HasPrefix(at, data+"/") || namedBy(pid, data) {
				found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
			}
		}
		if !found {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// namedBy reports whether a process has a folder as an argument of its own, or as the value of an option.
func namedBy(pid int, folder string) bool {
	raw, _ := bounded.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid), bounded.File)
	return slices.ContainsFunc(strings.Split(string(raw), "\x00"), func(arg string) bool {
		_, value, _ := strings.Cut(arg, "=")
		return arg == folder || strings.HasPrefix(arg, "--") && value == folder
	})
}

// Seen is what the copy's server says of itself.
type Seen struct {
	Running    bool      `json:"running"`
	InRecovery bool      `json:"inRecovery"`
	Paused     bool      `json:"paused"`
	LSN        wal.LSN   `json:"lsn,omitzero"`
	Commit     time.Time `json:"commit,omitzero"`
}

// status is one line, so that one question answers all. Before 14, a server is either paused or not.
const statusSQL = `SELECT pg_catalog.pg_is_in_recovery()::text || '|' ||
	CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused()::text ELSE 'false' END || '|' ||
	coalesce(pg_catalog.pg_last_wal_replay_lsn()::text, '') || '|' ||
	coalesce((extract(epoch FROM pg_catalog.pg_last_xact_replay_timestamp())::numeric * 1000000)::bigint::text, '')`

// See asks the copy's server how it stands.
func (c *Copy) See(ctx context.Context) (seen Seen, err error) {
	if !c.Running() {
		return seen, nil
	}
	session, err := postgres.Connect(ctx, c.Database("template1"), 0)
	if err != nil {
		return seen, err
	}
	defer func() { _ = session.Close(ctx) }()
	answer, err := session.Ask(ctx, statusSQL, 10*time.Second)
	if err != nil {
		return seen, err
	}
	fields := strings.Split(answer, "|")
	if len(fields) != 4 {
		return seen, fmt.Errorf("pitr: copy %s says %.80q of itself", c.ID, answer)
	}
	seen = Seen{Running: true, InRecovery: fields[0] == "true", Paused: fields[1] == "true"}
	if fields[2] != "" { // of a promoted server that was started again, there is none
		if seen.LSN, err = wal.ParseLSN(fields[2]); err != nil {
			return seen, err
		}
	}
	if fields[3] != "" {
		micros, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return seen, err
		}
		seen.Commit = time.UnixMicro(micros).UTC()
	}
	return seen, nil
}

// mostLog is how much of the log's end is looked at.
const mostLog = 256 << 10

// logLines are the last lines of the copy's server.
func (c *Copy) logLines() (lines []string) {
	f, err := os.Open(c.place().log())
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > mostLog {
		_, _ = f.Seek(-mostLog, io.SeekEnd)
	}
	scanner := bufio.NewScanner(bounded.Reader(f, mostLog))
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// notReached are words of a server that ended before its target, and what they mean.
var notReached = []struct {
	words, remedy string
	code          fault.Code
}{
	{
		"recovery ended before configured recovery target was reached",
		"WAL is missing from the archive: look for the gap with `pgbtui cluster status`, and choose an earlier moment.",
		fault.NotFound,
	},
	{"No space left on device", "Free space, or give a folder on another disk by --at.", fault.NoSpace},
	{"could not access file", "Install the library that the source loads at its start.", fault.Refused},
	{
		"resource manager with ID", "The source wrote WAL by an extension's library, which has to be loaded at the start.",
		fault.Refused,
	},
}

// errEnded is a server that ended by itself.
func (c *Copy) errEnded() error {
	lines := c.logLines()
	last := ""
	for _, line := range lines {
		if strings.Contains(line, "FATAL:") || strings.Contains(line, "PANIC:") {
			last = line
		}
	}
	what := "pitr: the server of copy " + c.ID + " ended before its target"
	for _, known := range notReached {
		for _, line := range lines {
			if strings.Contains(line, known.words) {
				return fault.New(known.code, what, known.remedy, errors.New(strings.TrimSpace(line)))
			}
		}
	}
	if last == "" && len(lines) > 0 {
		last = lines[len(lines)-1]
	}
	return fault.New(fault.Failed, what, "Look for the reason in the kernel's journal if the server does not say it.",
		errors.New(strings.TrimSpace(last)))
}

var tooSmall = regexp.MustCompile(
	`(max_[a-z_]+) = [0-9]+ is a lower setting than on the primary server, where its value was ([0-9]{1,6})`)

// raised are the settings that WAL asks more of than the base backup did: the source was set to more in between.
func (c *Copy) raised() (parameters []parameter) {
	for _, line := range c.logLines() {
		if m := tooSmall.FindStringSubmatch(line); m != nil {
			parameters = append(parameters, parameter{m[1], m[2]})
		}
	}
	return parameters
}

// stopped is what the server said of where it stopped, or "".
func (c *Copy) stopped() (line string) {
	for _, one := range c.logLines() {
		if _, said, ok := strings.Cut(one, "LOG:  recovery stopping "); ok {
			line = "recovery stopping " + said
		}
	}
	return line
}
