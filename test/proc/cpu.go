package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Scheduled is how long the threads of pid were on a processor so far, and how long they were ready for one that had
// others: to the nanosecond, unlike CPU, but without threads that have ended. See sched-stats in the kernel's
// documentation.
func Scheduled(pid int) (ran, waited time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range files {
		b, _ := os.ReadFile(file)
		var on, off int64
		if _, err := fmt.Sscan(string(b), &on, &off); err == nil {
			ran += time.Duration(on)
			waited += time.Duration(off)
		}
	}
	return ran, waited
}
