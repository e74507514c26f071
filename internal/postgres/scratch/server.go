package scratch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Options say of which programs a server is made, and where.
type Options struct {
	Tools     postgres.Tools // of postgres.FindServer
	Dir       string         // a disk with room for the data; "" is the system's for temporary files
	SocketDir string         // "" is the system's too

	// Guarded says that a folder above SocketDir keeps everybody out whom the server is not for, and that
	// whom it is for is another user: the socket itself is then open.
	Guarded bool

	Needs Needs // of the database that will be copied into it
}

// Server is a private PostgreSQL server: Host, Port and User reach it as its only superuser, whose
// name no other server's role has.
type Server struct {
	Host, Port, User string

	Lacks []string // of what was needed, what it could not have

	libraries, parameters []string // that the copy wants at the server's start

	data, socket *Folder
	process      *postgres.Process
}

// serverPort names the socket in its folder.
const serverPort = "5432"

// prefix of the folders of servers.
const prefix = "pgbtui-server-"

// maxSocket is how long the path of a socket may be: sun_path, with the lock file beside it.
const maxSocket = 107 - len("/.s.PGSQL.5432.lock")

// Start removes what killed servers left, makes a new cluster and waits until it answers. ctx
// bounds the server's life as well as the start; Close ends it earlier.
func Start(ctx context.Context, o Options) (*Server, error) {
	as, err := servant()
	if err != nil {
		return nil, err
	}
	s := &Server{Port: serverPort, User: bootstrapName()}
	err = s.folders(o, as)
	if err == nil {
		err = s.initialise(ctx, o, as)
	}
	if err == nil {
		err = s.run(ctx, o, as)
	}
	if err == nil {
		err = s.equip(ctx, o, as)
	}
	if err != nil {
		s.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("scratch: start a private server: %w", err)
	}
	return s, nil
}

// bootstrapName is no role of any source: the source's superuser then comes from the globals,
// with its own settings, like every other role.
func bootstrapName() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return "pgbtui_private_" + hex.EncodeToString(b[:])
}

func (s *Server) folders(o Options, as *syscall.Credential) (err error) {
	socketDir := o.SocketDir
	if socketDir == "" {
		socketDir = os.TempDir()
	}
	if len(filepath.Join(socketDir, prefix))+10 > maxSocket { // MkdirTemp adds up to ten digits
		socketDir = "/tmp"
	}
	for _, dir := range []string{o.Dir, socketDir} {
		sweep(dir, prefix, uidOf(as), killStragglers)
	}
	if s.data, err = ownedFolder(o.Dir, as); err != nil {
		return err
	}
	if s.socket, err = ownedFolder(socketDir, as); err != nil {
		return err
	}
	s.Host = s.socket.Path
	if o.Guarded {
		if err := os.Chmod(s.Host, 0o711); err != nil { //nolint:gosec // guarded by the folder above
			return err
		}
	}
	if len(s.Host) > maxSocket || strings.ContainsAny(s.Host, `",`) {
		return fault.New(fault.Config, "scratch: no socket fits into "+filepath.Dir(s.Host),
			"Set TMPDIR to a short path without commas and quotes.", nil)
	}
	return nil
}

func ownedFolder(parent string, as *syscall.Credential) (*Folder, error) {
	f, err := NewFolder(parent, prefix)
	if err == nil && as != nil {
		if err = os.Chown(f.Path, int(as.Uid), int(as.Gid)); err != nil {
			f.Remove()
		}
	}
	if os.IsPermission(err) {
		err = fault.New(fault.NotPermitted, "", "Let this user write there, or set spool_dir to a disk where it may.", err)
	}
	return f, err
}

func (s *Server) dataDir() string { return filepath.Join(s.data.Path, "data") }

// program is one of the server's. What it knows of the world is fixed: no secret, no socket of
// the service manager, no PG* setting can reach it.
func (s *Server) program(o Options, as *syscall.Credential, name string, args ...string) postgres.Program {
	env := []string{"PATH=/usr/bin:/bin", "LANG=C", "LC_ALL=C", "TZ=UTC"}
	if path := os.Getenv("LD_LIBRARY_PATH"); path != "" { // builds that need it need it here too
		env = append(env, "LD_LIBRARY_PATH="+path)
	}
	return postgres.Program{
		Path: filepath.Join(o.Tools.Dir, name), Args: args, Env: env, Dir: s.data.Path, As: as, Stop: syscall.SIGQUIT,
	}
}

// initialise makes the cluster. Whoever gets into the socket's folder, which is the server's
// user, is trusted.
func (s *Server) initialise(ctx context.Context, o Options, as *syscall.Credential) error {
	return postgres.RunProgram(ctx, s.program(o, as, "initdb",
		"--pgdata="+s.dataDir(), "--username="+s.User, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"))
}

// settings are for a server that is loaded once and thrown away.
func (s *Server) settings(o Options) []string {
	permissions := "0700"
	if o.Guarded {
		permissions = "0777"
	}
	return append([]string{
		"listen_addresses=", `unix_socket_directories="` + s.Host + `"`, "unix_socket_permissions=" + permissions,
		"port=" + s.Port,
		// Nothing has to survive.
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
		"max_wal_size=2GB", "checkpoint_timeout=1h", "autovacuum=off",
		"shared_buffers=128MB", "maintenance_work_mem=256MB", "huge_pages=off", "max_connections=30",
		"max_locks_per_transaction=1024",
		"jit=off", // the sandbox forbids memory that is writable and executable
		// In /dev/shm, the end of any other unit of this user with RemoveIPC= would remove it.
		"dynamic_shared_memory_type=mmap",
		"restart_after_crash=off", // a killed process ends the server, so that it is noticed
		// What is said goes to one place, and never holds statements: they have people's data.
		"logging_collector=off", "log_destination=stderr", "log_min_messages=fatal", "log_min_error_statement=panic",
		"lc_messages=C",
	}, s.equipment()...)
}

// startApart gives a server that runs as another user, for root, no network and no shared memory of
// others, where the system lets root take them away.
func startApart(ctx context.Context, p postgres.Program) (*postgres.Process, error) {
	if p.As != nil {
		p.Apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
		process, err := postgres.StartProgram(ctx, p)
		if !errors.Is(err, syscall.EPERM) { // a container without the right to make namespaces
			return process, err
		}
		p.Apart = 0
	}
	return postgres.StartProgram(ctx, p)
}

// startWait bounds the time until the server answers.
const startWait = 2 * time.Minute

func (s *Server) run(ctx context.Context, o Options, as *syscall.Credential) (err error) {
	args := []string{"-D", s.dataDir()}
	for _, setting := range s.settings(o) {
		args = append(args, "-c", setting)
	}
	if s.process, err = startApart(ctx, s.program(o, as, "postgres", args...)); err != nil {
		return err
	}
	ready, cancel := context.WithTimeoutCause(ctx, startWait,
		fault.New(fault.Unavailable, fmt.Sprintf("it does not answer after %s", startWait), "", nil))
	defer cancel()
	for {
		session, err := postgres.Connect(ready, s.Target("postgres"), 0)
		if err == nil {
			return session.Close(ready)
		}
		select {
		case <-s.Ended():
			return s.Err()
		case <-ready.Done():
			return context.Cause(ready)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Target is a database of the server.
func (s *Server) Target(database string) postgres.Target {
	return postgres.Target{Host: s.Host, Port: s.Port, User: s.User, Database: database, NoSecrets: true}
}

// Ended is closed when the server has ended.
func (s *Server) Ended() <-chan struct{} { return s.process.Ended() }

// Err is why the server has ended by itself, or nil while it runs.
func (s *Server) Err() error {
	select {
	case <-s.Ended():
	default:
		return nil
	}
	err := s.process.Wait()
	if err == nil {
		err = errors.New("it ended by itself")
	}
	if code := fault.CodeOf(err); code == fault.NoSpace {
		return fault.New(code, "the private server", "Free space, or set spool_dir to a larger disk.", err)
	}
	return fault.New(fault.Failed, "the private server",
		"Look for the out-of-memory killer in the kernel's journal, and raise the unit's MemoryMax=.", err)
}

// Close ends the server, without saving anything, and removes every trace.
func (s *Server) Close() {
	if s.process != nil {
		_ = s.process.Close()
	}
	if s.data != nil && s.data.Path != "" {
		killStragglers(s.data.Path)
	}
	s.socket.Remove()
	s.data.Remove()
}
