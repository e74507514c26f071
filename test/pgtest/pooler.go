package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// poolerAlive ends the pooler when its standard input ends, however that comes about.
const poolerAlive = `"$0" "$1" & pid=$!; read -r _; kill -KILL $pid`

// Pooler runs PgBouncer before a server until the test ends. What it returns reaches the server
// through it; mode is PgBouncer's pool_mode. Everybody comes in as the server's superuser.
func (s *Server) Pooler(t testing.TB, mode string) *Server {
	t.Helper()
	program := need.Program(t, "pgbouncer")
	dir, err := os.MkdirTemp(s.Dir, "pool") //nolint:usetesting // the server is another user, and its sockets want a short path
	if err != nil {
		t.Fatal(err)
	}
	if c := credential(); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	config, logFile := filepath.Join(dir, "pgbouncer.ini"), filepath.Join(dir, "log")
	text := fmt.Sprintf(`[databases]
* = host=%s port=%s user=%s
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
logfile = %s
auth_type = any
pool_mode = %s
`, s.Host, s.Port, s.User, dir, logFile, mode)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", poolerAlive, program, config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(), Setsid: true}
	life, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = life.Close()
		_ = cmd.Wait() // its status says only how it was ended
	})
	pooler := &Server{Host: dir, Port: "6432", User: s.User, BinDir: s.BinDir, Dir: dir}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := pooler.ping()
		if err == nil {
			return pooler
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(logFile)
			t.Fatalf("pgbouncer did not start: %v\n%s", err, said)
		}
	}
}
