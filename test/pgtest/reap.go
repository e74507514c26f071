package pgtest

import (
	"os"
	"os/exec"
	"syscall"
)

// reaper is a shell that waits for the end of a pipe whose other end only this process holds.
// However this process ends, the reaper then ends the server of dir and removes dir.
//
// Not Pdeathsig: that is bound to the thread that started the child, and removes no files.
type reaper struct {
	cmd  *exec.Cmd
	hold *os.File
}

const reap = `read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
ours() { tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$1/data"; } 2>/dev/null
if [ -n "$pid" ] && ours "$1"; then
	kill -QUIT "$pid"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		ours "$1" || break
		sleep 0.25
	done
	ours "$1" && kill -KILL "$pid"
fi
rm -rf "$1"`

func newReaper(dir string) (*reaper, error) {
	end, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer end.Close()
	cmd := exec.Command("/bin/sh", "-c", reap, "pgtest-reaper", dir)
	cmd.Dir = "/"
	cmd.Stdin = end
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		hold.Close()
		return nil, err
	}
	return &reaper{cmd: cmd, hold: hold}, nil
}

func (r *reaper) finish() {
	_ = r.hold.Close()
	_ = r.cmd.Wait()
}
