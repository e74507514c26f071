package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/proc"
)

// Stop shuts the server down as systemctl would: sessions are ended with a message.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.end(syscall.SIGINT)
}

// Kill ends every process of the server by SIGKILL, so that clients see a bare reset.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGSTOP) // no child is born while they are counted
	waitStopped(t, s.cmd.Process.Pid)
	children := proc.Children(s.cmd.Process.Pid)
	s.end(syscall.SIGKILL)
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range children {
		waitGone(t, pid)
	}
	if err := os.Remove(filepath.Join(s.Data, "postmaster.pid")); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// waitStopped returns when a process that was sent SIGSTOP runs no more: the signal takes its time, too.
func waitStopped(t testing.TB, pid int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, after, ok := strings.Cut(string(stat), ") ") // of the name; the state comes next
		if err != nil || ok && strings.ContainsAny(after[:1], "TZX") {
			return
		}
	}
	t.Fatalf("pgtest: process %d outlives SIGSTOP", pid)
}

// waitGone returns when a killed process holds no memory any more. The kernel takes its time, and until
// then the next server finds the shared memory in use.
func waitGone(t testing.TB, pid int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid)); err != nil || len(maps) == 0 {
			return
		}
	}
	t.Fatalf("pgtest: process %d outlives SIGKILL", pid)
}

// Run starts a stopped or killed server again, on the same socket and port.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	if s.cmd != nil {
		return
	}
	if err := s.run(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// Restart is Stop and Run.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Run(t)
}

func (s *Server) end(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	_ = s.cmd.Wait() // its status says only how it was ended
	s.cmd = nil
}

func (s *Server) destroy() {
	s.end(syscall.SIGQUIT)
	if s.reaper != nil {
		s.reaper.finish()
	}
	_ = os.RemoveAll(s.Dir)
}
