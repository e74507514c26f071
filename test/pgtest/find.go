package pgtest

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// binDir finds a server's programs, or says what is missing.
func binDir(t testing.TB) string {
	t.Helper()
	dir := findBinDir()
	if dir == "" {
		need.Program(t, "initdb")
	}
	return dir
}

// findBinDir is the folder of the newest server on this machine, or "".
func findBinDir() string {
	best, bestMajor := "", 0
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && major > bestMajor {
			best, bestMajor = filepath.Dir(path), major
		}
	}
	if best == "" {
		if path, err := exec.LookPath("initdb"); err == nil {
			best = filepath.Dir(path)
		}
	}
	return best
}

// credential is the user postgres when we are root, since the server refuses to run as root.
func credential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u = &user.User{Uid: "65534", Gid: "65534"}
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
