// Where this process's standard error goes: the choice between journal entries and text.

package journal

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// IsJournalStderr reports whether standard error is connected to journald, as systemd sets it
// up for units: JOURNAL_STREAM=device:inode (systemd.exec(5)) names the same file.
// A unit whose stderr was redirected, or a child that inherited the variable only, is not.
func IsJournalStderr() bool { return isJournalStream(os.Getenv("JOURNAL_STREAM"), os.Stderr) }

func isJournalStream(variable string, file interface{ Stat() (fs.FileInfo, error) }) bool {
	var device, inode uint64
	if n, err := fmt.Sscanf(variable, "%d:%d", &device, &inode); err != nil || n != 2 {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && uint64(stat.Dev) == device && stat.Ino == inode //nolint:unconvert // Dev is 32 bits wide on some machines
}
