package systemd

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// How the files of the units on a machine differ from what this program ships, and what drop-ins change of them.

// Drift is one file that is not as it is shipped.
type Drift struct {
	Path string
	What string // "is not there", "differs", "cannot be read", "was not written by pgbtui"
}

// CheckDrift compares the installed files below the root at; "" is this machine. installed is false where there are no
// units of ours. The program may lie elsewhere than this one: what the units name counts.
func CheckDrift(at string) (drift []Drift, installed bool, err error) {
	r := root(at)
	text, err := bounded.ReadFile(r.path(unitDir+"/"+BackupService("")), bounded.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, true, err
	}
	files, err := Files(programOf(string(text)))
	if err != nil {
		return nil, true, err
	}
	for _, f := range files {
		have, err := bounded.ReadFile(r.path(f.Path), bounded.File)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			drift = append(drift, Drift{f.Path, "is not there"})
		case err != nil:
			drift = append(drift, Drift{f.Path, "cannot be read"})
		case !isOurs(have):
			drift = append(drift, Drift{f.Path, "was not written by pgbtui"})
		case string(have) != f.Text:
			drift = append(drift, Drift{f.Path, "differs"})
		}
	}
	return drift, true, nil
}

// programOf is the program that a unit of ours runs.
func programOf(text string) string {
	for _, line := range values(parseUnit(text), "Service", "ExecStart") {
		program, _, _ := strings.Cut(strings.TrimPrefix(line, ":"), " ")
		return program
	}
	return DefaultBinary
}

// PolkitRule is the file that lets operators start units.
func PolkitRule() string { return polkitFile }

// DropIn is a file that changes a unit of ours.
type DropIn struct {
	Path string
	Keys []string // that it sets, sorted
}

// DropIns are those below the root at; "" is this machine.
func DropIns(at string) ([]DropIn, error) {
	var all []DropIn
	folders, err := filepath.Glob(root(at).path(unitDir + "/postgres-*.d"))
	for _, folder := range folders {
		unit := strings.TrimSuffix(filepath.Base(folder), ".d")
		if ActionOf(unit) == "" {
			continue
		}
		files, _ := filepath.Glob(folder + "/*.conf") // the pattern is good
		for _, file := range files {
			text, readErr := bounded.ReadFile(file, bounded.File)
			if readErr != nil {
				return all, readErr
			}
			one := DropIn{Path: path.Join(unitDir, unit+".d", filepath.Base(file))}
			for _, s := range parseUnit(string(text)) {
				one.Keys = append(one.Keys, s.key)
			}
			slices.Sort(one.Keys)
			one.Keys = slices.Compact(one.Keys)
			all = append(all, one)
		}
	}
	return all, err
}

// guards are what the names of directives that keep a unit in begin with.
var guards = []string{
	"AmbientCapabilities", "CapabilityBoundingSet", "DevicePolicy", "Exec", "Group", "KeyringMode", "LockPersonality",
	"MemoryDenyWriteExecute", "NoNewPrivileges", "Private", "ProcSubset", "Protect", "Restrict", "RootDirectory",
	"SupplementaryGroups",
	"SystemCall", "UMask", "User",
}

// Loosens are the keys of a drop-in by which a unit may do more than as it is shipped.
func (d DropIn) Loosens() (keys []string) {
	for _, key := range d.Keys {
		if slices.ContainsFunc(guards, func(g string) bool { return strings.HasPrefix(key, g) }) {
			keys = append(keys, key)
		}
	}
	return keys
}

// WrongModes are files and folders of the units whose modes let others write, or look where they should not.
func WrongModes(at string) (wrong []string) {
	r := root(at)
	for _, c := range []struct {
		path string
		not  fs.FileMode // bits that must not be set
	}{
		{configDir, 0o027},
		{configDir + "/conf.d", 0o027},
		{SecretDir, 0o077},
		{stateDir, 0o027},
		{envFile, 0o027},
		{configDir + "/config.yaml", 0o022},
		{polkitFile, 0o022},
	} {
		info, err := os.Stat(r.path(c.path))
		if err == nil && info.Mode().Perm()&c.not != 0 {
			wrong = append(wrong, c.path)
		}
	}
	return wrong
}
