// May this user read the system's journal at all? libsystemd answers everybody: who may not
// read a file simply does not see its entries, and an empty journal looks like a quiet system.

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// checkAccess looks for one system journal that opens: in dir, or where journald keeps its
// files, persistent or until the next boot (systemd-journald.service(8), FILES).
func checkAccess(dir string) error {
	if dir != "" {
		return access([]string{dir}, "")
	}
	return access([]string{"/var/log/journal", "/run/log/journal"}, "system")
}

// access tries the journal files with a prefix in dirs and in their folders, one per machine id.
func access(dirs []string, prefix string) error {
	var refused error
	for _, dir := range dirs {
		folders := []string{dir}
		if entries, err := os.ReadDir(dir); err == nil {
			for _, e := range entries {
				if e.IsDir() {
					folders = append(folders, filepath.Join(dir, e.Name()))
				}
			}
		}
		for _, folder := range folders {
			readable, err := anyReadable(folder, prefix)
			if readable {
				return nil
			}
			if errors.Is(err, fs.ErrPermission) {
				refused = err
			}
		}
	}
	if refused != nil {
		return fault.New(fault.NotPermitted, "journal: open",
			fmt.Sprintf("Run `usermod -aG systemd-journal %s` as root and log in again.", currentUser()), refused)
	}
	return fault.New(fault.Unavailable, "journal: open: no journal files in "+strings.Join(dirs, " or "),
		"Start systemd-journald, with Storage=persistent or auto in journald.conf.", nil)
}

// anyReadable reports whether a journal file in folder opens, or why the last one did not.
func anyReadable(folder, prefix string) (readable bool, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), ".journal") {
			continue
		}
		var file *os.File
		if file, err = os.Open(filepath.Join(folder, e.Name())); err == nil {
			return true, file.Close()
		}
	}
	return false, err
}

func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "USER"
}
