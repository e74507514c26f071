package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/proc"
)

// memoryGroup is a cgroup of the memory controller, version 1 or 2, in which a real shortage can
// be made: the kernel's out-of-memory killer then chooses, kills and counts.
type memoryGroup struct {
	dir, limit, usage, events string
}

// newMemoryGroup fails where this machine or this user cannot have one.
func newMemoryGroup() (*memoryGroup, error) {
	name := "pgbtui-chaos-" + randomHex(4)
	v1 := &memoryGroup{filepath.Join("/sys/fs/cgroup/memory", name), "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control"}
	v2 := &memoryGroup{filepath.Join("/sys/fs/cgroup", name), "memory.max", "memory.current", "memory.events"}
	var errs []error
	for _, g := range []*memoryGroup{v1, v2} {
		if err := os.Mkdir(g.dir, 0o755); err != nil {
			errs = append(errs, err)
			continue
		}
		if _, err := os.Stat(filepath.Join(g.dir, g.limit)); err == nil {
			return g, nil
		}
		errs = append(errs, os.Remove(g.dir), fmt.Errorf("%s has no memory controller", g.dir))
	}
	return nil, errors.Join(errs...)
}

func (g *memoryGroup) write(file, value string) error {
	return os.WriteFile(filepath.Join(g.dir, file), []byte(value), 0o600)
}

// take moves a program here. What it starts from now on is born here.
func (g *memoryGroup) take(pid int) error {
	err := g.write("cgroup.procs", strconv.Itoa(pid))
	for _, c := range proc.Children(pid) {
		if moved := g.write("cgroup.procs", strconv.Itoa(c)); !tooLate(moved) {
			err = errors.Join(err, moved)
		}
	}
	return err
}

// eat lets memory run short: the limit is drawn close, and a program beside the victims fills a
// buffer that does not fit. The victims are named to the kernel as the first to go, as the units do.
func (g *memoryGroup) eat(ctx context.Context, victim int) (*exec.Cmd, error) {
	for _, pid := range append(proc.Children(victim), victim) {
		err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("900"), 0o600)
		if err != nil && (pid == victim || !tooLate(err)) {
			return nil, err
		}
	}
	raw, err := os.ReadFile(filepath.Join(g.dir, g.usage))
	if err != nil {
		return nil, err
	}
	used, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		return nil, err
	}
	if err := g.write(g.limit, strconv.FormatInt(used+4<<20, 10)); err != nil {
		return nil, err
	}
	eater := exec.CommandContext(ctx, "/bin/sh", "-c", `echo $$ >"$0" && exec dd if=/dev/zero of=/dev/null bs=64M count=1 status=none`, filepath.Join(g.dir, "cgroup.procs"))
	eater.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return eater, eater.Start()
}

// kills is how often the kernel killed here.
func (g *memoryGroup) kills() int64 {
	raw, _ := os.ReadFile(filepath.Join(g.dir, g.events))
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

// remove needs the group to be empty, which takes the kernel a moment.
func (g *memoryGroup) remove() error {
	var err error
	for range 100 {
		if err = os.Remove(g.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}
