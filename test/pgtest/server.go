// Package pgtest runs private PostgreSQL servers for tests.
//
// A server lives in a short folder below /tmp, listens on a socket there and on a free port of
// 127.0.0.1, trusts everybody, never syncs, and is gone with its files when the test ends or
// when the test binary dies in any way, SIGKILL included (see reap.go). Run by root, the
// server's files and processes belong to the user postgres.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Server is one running cluster. Host, Port and User reach it as a superuser over its socket.
type Server struct {
	Host   string // the folder of the socket
	Port   string // of the socket and of 127.0.0.1
	User   string // "postgres", a superuser
	BinDir string // the programs that match the server
	Dir    string // everything of this server
	Data   string // the data directory, below Dir

	options Options
	copies  string    // how CREATE DATABASE copies: by files costs half of the default, where one can say so
	cmd     *exec.Cmd // nil while stopped
	reaper  *reaper
}

// Options change how a server starts. The zero value is right for nearly every test.
type Options struct {
	BinDir   string            // another build's programs; default: the newest below /usr/lib/postgresql
	Settings map[string]string // postgresql.conf, as `name = 'value'`
	HBA      string            // replaces pg_hba.conf
	InitArgs []string          // more arguments for initdb
	Env      []string          // more variables for its programs
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartWith(t, Options{})
}

// StartWith is Start with options.
func StartWith(t testing.TB, o Options) *Server {
	t.Helper()
	if o.BinDir == "" {
		o.BinDir = binDir(t)
	}
	s, err := start(o)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(s.destroy)
	return s
}

var shared = sync.OnceValues(func() (*Server, error) { return start(Options{BinDir: findBinDir()}) })

// Shared is one server for all tests of the binary, started by the first that asks. Tests make
// their own databases in it, drop the roles they create, and never stop it.
func Shared(t testing.TB) *Server {
	t.Helper()
	binDir(t)
	s, err := shared()
	if err != nil {
		t.Fatalf("pgtest: shared server: %v", err)
	}
	return s
}

func start(o Options) (*Server, error) {
	dir, err := os.MkdirTemp("/tmp", "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{Host: dir, User: "postgres", BinDir: o.BinDir, Dir: dir, Data: filepath.Join(dir, "data"), options: o}
	if s.reaper, err = newReaper(dir); err == nil {
		err = s.create()
	}
	if err == nil {
		err = s.run()
	}
	if err != nil {
		s.destroy()
		return nil, err
	}
	return s, nil
}

// create runs initdb and writes the configuration.
func (s *Server) create() error {
	if c := credential(); c != nil {
		if err := os.Chown(s.Dir, int(c.Uid), int(c.Gid)); err != nil {
			return err
		}
	}
	args := append([]string{"-D", s.Data, "-U", s.User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"}, s.options.InitArgs...)
	cmd := s.command("initdb", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s.configure()
}

func (s *Server) configure() error {
	port, err := freePort()
	if err != nil {
		return err
	}
	s.Port = port
	var b strings.Builder
	fmt.Fprintf(&b, "port = %s\nunix_socket_directories = '%s'\nlisten_addresses = '127.0.0.1'\n", s.Port, s.Host)
	b.WriteString("fsync = off\nfull_page_writes = off\nshared_buffers = 16MB\nmax_connections = 60\nlc_messages = 'C'\n")
	for k, v := range s.options.Settings {
		fmt.Fprintf(&b, "%s = '%s'\n", k, strings.ReplaceAll(v, "'", "''"))
	}
	if s.options.HBA != "" {
		if err := os.WriteFile(filepath.Join(s.Data, "pg_hba.conf"), []byte(s.options.HBA), 0o600); err != nil {
			return err
		}
	}
	conf, err := os.OpenFile(filepath.Join(s.Data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := conf.WriteString(b.String()); err != nil {
		conf.Close()
		return err
	}
	return conf.Close()
}

// run starts the postmaster and waits until it answers.
func (s *Server) run() error {
	logFile, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	cmd := s.command("postgres", "-D", s.Data)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr.Setsid = true // an interrupt at the keyboard is for the test, which then stops the server
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := s.ping()
		if err == nil {
			return nil
		}
		if exited(cmd.Process.Pid) || time.Now().After(deadline) {
			return fmt.Errorf("server did not start: %w\n%s", err, s.Log())
		}
	}
}

func (s *Server) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := s.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	version, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
	if major, err := strconv.Atoi(version); err == nil && major >= 15 {
		s.copies = " STRATEGY file_copy"
	}
	return conn.Close(ctx)
}

// Log is what the server has written so far.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.logPath())
	return string(b)
}

func (s *Server) logPath() string { return filepath.Join(s.Dir, "log") }

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.BinDir, program), args...)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C", "LC_ALL=C", "TZ=UTC"}
	cmd.Env = append(cmd.Env, s.options.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential()}
	return cmd
}

// exited reports whether our child pid has ended; the exit status stays to be fetched by Wait.
func exited(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err != nil || info.Signo != 0
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}
