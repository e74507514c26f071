package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A lab's own cgroups. systemd-nspawn --keep-unit puts its payload below the caller's cgroup
// under a fixed name: two labs of one caller would share every unit's group, and stopping a unit
// in one would count, or kill, the other's processes.

// makeGroups makes one cgroup per hierarchy that systemd manages: the unified one and, on hybrid
// and legacy hosts, the one named "systemd".
func (l *Lab) makeGroups() error {
	hierarchies, err := hierarchies()
	if err != nil {
		return err
	}
	for _, mount := range hierarchies {
		dir := filepath.Join(mount, l.name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("make cgroup: %w", err)
		}
		l.groups = append(l.groups, dir)
	}
	return nil
}

// hierarchies are the mount points of the hierarchies that systemd manages, from
// /proc/self/mountinfo (proc_pid_mountinfo(5): the type follows a lone hyphen).
func hierarchies() ([]string, error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var mounts []string
	for line := range strings.Lines(string(info)) {
		place, kind, found := strings.Cut(line, " - ")
		fields, types := strings.Fields(place), strings.Fields(kind)
		if !found || len(fields) < 5 || len(types) < 3 {
			continue
		}
		if types[0] == "cgroup2" || (types[0] == "cgroup" && strings.Contains(types[2], "name=systemd")) {
			mounts = append(mounts, fields[4])
		}
	}
	if len(mounts) == 0 {
		return nil, errors.New("no cgroup hierarchy for systemd is mounted")
	}
	return mounts, nil
}

// unified reports whether the machine has cgroup2 alone, as newer systemd wants it.
func unified() bool {
	var stat unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup", &stat) == nil && stat.Type == unix.CGROUP2_SUPER_MAGIC
}

// killGroups kills whatever runs in the cgroups, and in those below, until nothing does. Killing
// systemd-nspawn alone would leave its payload running.
func killGroups(groups []string) {
	for range 500 {
		var pids []int
		for _, group := range groups {
			pids = append(pids, members(group)...)
		}
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// members are the processes in a cgroup and in those below it.
func members(group string) []int {
	var pids []int
	for _, dir := range subgroups(group) {
		list, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		for _, field := range strings.Fields(string(list)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// subgroups are a cgroup and all below it, parents first; none when it does not exist.
func subgroups(group string) []string {
	var dirs []string
	_ = filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil // groups come and go while they are walked
	})
	return dirs
}

// removeGroup removes a cgroup with everything below it, children first. The kernel empties a
// group some moments after its last process died.
func removeGroup(group string) error {
	for _, dir := range slices.Backward(subgroups(group)) {
		err := unix.Rmdir(dir)
		for try := 0; errors.Is(err, unix.EBUSY) && try < 250; try++ {
			time.Sleep(20 * time.Millisecond)
			err = unix.Rmdir(dir)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("lab: remove cgroup %s: %w", dir, err)
		}
	}
	return nil
}
