package systemd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What the units leave below /var/lib/pgbtui. Copies of what is in the bucket go; what no bucket has stays.

const stateDir = "/var/lib/pgbtui"

// documents is where a unit keeps what it has read of sets, below its StateDirectory=.
const documents = "documents"

// lasting says what stays of a unit's folder, and why.
var lasting = map[string]string{
	"requests": "requests for restores, and what became of them",
	"backup":   "which set each job made last: if one is missing after the next installation, it is told",
	"watch":    "what was told already, which the next installation does not tell again",
	"restore":  "dumps that a restore was reading when it ended",
	"doctor":   "when a copy of the private key was proven, by pgbtui doctor key",
}

// clearState removes the copies, and folders in which nothing else was. The folders belong to the units' users, who
// could put links there, so that everything is done below the one folder that is root's.
func clearState(r root, report *Report) error {
	state, err := os.OpenRoot(r.path(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("systemd: look at %s: %w", r.path(stateDir), err)
	}
	defer func() { _ = state.Close() }()
	folders, err := fs.ReadDir(state.FS(), ".")
	if err != nil {
		return fmt.Errorf("systemd: look at %s: %w", r.path(stateDir), err)
	}
	for _, f := range folders {
		path := r.path(filepath.Join(stateDir, f.Name()))
		if why := clearFolder(state, f); why == "" {
			report.add(Removed, path, "")
		} else {
			report.add(Kept, path, why)
		}
	}
	return nil
}

// KeyCopies is the file in which doctor remembers when a copy of the private key was proven. Nothing finds that out
// again: somebody would have to decrypt another challenge.
const KeyCopies = "key-copies.json"

// clearBut empties a folder but for one file.
func clearBut(state *os.Root, folder, but string) error {
	entries, err := fs.ReadDir(state.FS(), folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == but && e.Type().IsRegular() {
			continue
		}
		if err := state.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// clearFolder says why a folder stays; "" when it is gone.
func clearFolder(state *os.Root, folder fs.DirEntry) string {
	name := folder.Name()
	why := cmp.Or(lasting[name], "not written by pgbtui's units")
	if !folder.IsDir() || name == "requests" { // the operators' folder, which the package makes
		return why
	}
	if name == "doctor" { // what was seen once, which the next look tells anew
		if err := clearBut(state, name, KeyCopies); err != nil {
			return fmt.Sprintf("it cannot be removed: %v", err)
		}
	}
	if err := state.RemoveAll(filepath.Join(name, documents)); err != nil {
		return fmt.Sprintf("%s in it cannot be removed: %v", documents, err)
	}
	if state.Remove(name) == nil { // only when nothing is in it any more
		return ""
	}
	return why
}
