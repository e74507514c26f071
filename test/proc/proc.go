// Package proc reads what the kernel tells of processes in /proc, for tests and benchmarks. A
// process that is gone, or may not be looked at, has no facts: zero values, no errors.
package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Field is the number after a name at a line's start of /proc/PID/FILE, 0 when there is none.
func Field(pid int, file, name string) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n
		}
	}
	return 0
}

// PeakRSS is the most memory, in bytes, that a living process had resident so far. The kernel's
// ru_maxrss is no help: it counts from before exec, and so holds the size of whoever started it.
func PeakRSS(pid int) int64 { return Field(pid, "status", "VmHWM:") << 10 }

// Children are the processes that any thread of pid started, and that were not waited for yet.
func Children(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var pids []int
	for _, file := range files {
		b, _ := os.ReadFile(file)
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}

// Strings are the parts of /proc/PID/FILE that a zero byte ends: cmdline or environ.
func Strings(pid int, file string) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// clockTick is the unit of CPU times in /proc: USER_HZ is 100 on every Linux that Go runs on.
const clockTick = time.Second / 100

// CPU is how long pid, and how long the children that it waited for, were on a processor so far. Fields 14 to 17 of
// proc_pid_stat(5); ok is false for a process that is gone.
func CPU(pid int) (own, children time.Duration, ok bool) {
	fields := stat(pid)
	const utime, stime, cutime, cstime = 11, 12, 13, 14 // counted from the state, field 3
	if len(fields) <= cstime {
		return 0, 0, false
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return time.Duration(n) * clockTick
	}
	return ticks(utime) + ticks(stime), ticks(cutime) + ticks(cstime), true
}

// Started is when pid began, in clock ticks since boot: with the pid it names one process for
// good. Field 22 of proc_pid_stat(5).
func Started(pid int) string {
	const starttime = 19 // counted from the state, field 3
	if fields := stat(pid); len(fields) > starttime {
		return fields[starttime]
	}
	return ""
}

// stat are the fields of /proc/PID/stat from the state on.
func stat(pid int) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(b), ") ") // the name before it may hold anything but that
	return strings.Fields(after)
}
