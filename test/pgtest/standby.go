package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Standby runs a hot standby of a server until the test ends. It streams from the server, and has its settings besides
// those given.
func (s *Server) Standby(t testing.TB, settings map[string]string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgtest") //nolint:usetesting // the server is another user, and its sockets want a short path
	if err != nil {
		t.Fatal(err)
	}
	standby := &Server{
		Host: dir, User: s.User, BinDir: s.BinDir, Dir: dir, Data: filepath.Join(dir, "data"),
		options: Options{BinDir: s.BinDir, Settings: settings},
	}
	if standby.reaper, err = newReaper(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.destroy)
	if err := standby.follow(s); err != nil {
		t.Fatalf("pgtest: standby: %v", err)
	}
	return standby
}

func (s *Server) follow(primary *Server) error {
	if c := credential(); c != nil {
		if err := os.Chown(s.Dir, int(c.Uid), int(c.Gid)); err != nil {
			return err
		}
	}
	cmd := s.command("pg_basebackup", "-D", s.Data, "-h", primary.Host, "-p", primary.Port, "-U", primary.User,
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if err := s.configure(); err != nil {
		return err
	}
	return s.run()
}

// CatchUp waits until a standby has replayed what its primary has written so far.
func (s *Server) CatchUp(t testing.TB, primary *Server) {
	t.Helper()
	written := primary.QueryString(t, "postgres", "SELECT pg_current_wal_lsn()::text")
	s.await(t, "SELECT (pg_last_wal_replay_lsn() >= $1::text::pg_lsn)::int", written, "the standby does not catch up")
}

// Receive waits until a standby has got what its primary has written so far, which it may be unable to replay.
func (s *Server) Receive(t testing.TB, primary *Server) {
	t.Helper()
	written := primary.QueryString(t, "postgres", "SELECT pg_current_wal_flush_lsn()::text")
	s.await(t, "SELECT (pg_last_wal_receive_lsn() >= $1::text::pg_lsn)::int", written, "nothing comes to the standby")
}

// await asks a standby until it answers 1.
func (s *Server) await(t testing.TB, question, position, complaint string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s.QueryInt(t, "postgres", question, position) == 1 {
			return
		}
	}
	t.Fatalf("pgtest: %s:\n%s", complaint, s.Log())
}
