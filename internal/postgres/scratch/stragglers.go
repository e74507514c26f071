package scratch

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A server's processes stand in its data directory, each in a process group of its own. When the
// first was killed, the others notice at their next wait; one that builds an index does so late.

// killStragglers ends every process that stands in a folder below path, and waits until they are gone.
func killStragglers(path string) {
	for range 100 {
		pids := standingIn(path)
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(pids) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func standingIn(path string) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		// Others' processes can't be looked at, and are not the server's.
		if at, err := os.Readlink(link); err == nil && strings.HasPrefix(at, path+"/") {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
