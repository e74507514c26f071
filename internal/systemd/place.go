package systemd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The files that a person would else write by hand: the configuration, and the units' secrets. Rules: a file is there
// whole or not at all, also after a crash; none that is there is changed; of a secret only its place is told.

const configFile = configDir + "/config.yaml"

// WriteConfiguration writes the configuration, root's and readable by operators. The same text there is left alone, any
// other is refused.
func WriteConfiguration(text string, report *Report) error {
	r := root("")
	return r.place(File{Path: configFile, Mode: 0o640, Text: text}, r.operatorGID(), report)
}

// ShareConfiguration lets the units and the operators read a configuration that somebody put there before there was a
// group for them. Its text stays.
func ShareConfiguration(report *Report) error {
	r := root("")
	gid := r.operatorGID()
	info, err := os.Stat(configFile)
	if err != nil || gid < 0 {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o004 != 0 || int(stat.Gid) == gid && info.Mode().Perm()&0o040 != 0 {
		return nil
	}
	if err := errors.Join(os.Chown(configFile, -1, gid), os.Chmod(configFile, info.Mode().Perm()|0o040)); err != nil {
		return fmt.Errorf("systemd: let the units read %s: %w", configFile, err)
	}
	report.add(Updated, configFile, "its group is "+OperatorGroup+" now, which may read it")
	return nil
}

// WriteSecret hands a secret to the units that load one of this name.
func WriteSecret(name, text string, report *Report) error {
	return root("").place(File{Path: path.Join(SecretDir, name), Mode: 0o600, Text: text}, -1, report)
}

// LinkSecret hands units that load a secret of this name the one that is called to. Whatever is there already stays.
func LinkSecret(name, to string, report *Report) error {
	link := path.Join(SecretDir, name)
	switch err := os.Symlink(to, link); {
	case errors.Is(err, fs.ErrExist):
		report.add(Unchanged, link, "")
	case err != nil:
		return placeError(link, err)
	default:
		report.add(Created, link, "a link to "+to)
	}
	return nil
}

// place creates a file.
func (r root) place(f File, gid int, report *Report) error {
	full := r.path(f.Path)
	dropUnfinished(filepath.Dir(full))
	err := createFile(full, f, gid)
	if errors.Is(err, fs.ErrExist) {
		return r.compare(f, report)
	}
	if err != nil {
		return placeError(full, err)
	}
	report.add(Created, full, "")
	return nil
}

// compare is for a file that was there before.
func (r root) compare(f File, report *Report) error {
	full := r.path(f.Path)
	text, err := bounded.ReadFile(full, bounded.File) // a link to another secret is as good as a file
	switch {
	case err != nil:
		return fmt.Errorf("systemd: compare %s: %w", full, err)
	case !bytes.Equal(bytes.TrimSpace(text), []byte(strings.TrimSpace(f.Text))):
		return fault.New(fault.Refused, "systemd: write "+full,
			"Move it away first (`sudo mv "+full+" /root/`), or leave out what would change it: then the one that is there "+
				"is used.",
			errors.New("a file with something else is there"))
	}
	report.add(Unchanged, full, "")
	return nil
}

// createFile is replaceFile for what must not replace anything.
func createFile(full string, f File, gid int) error {
	temp, err := writeBeside(full, f, gid)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Link(temp, full), os.Remove(temp)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(full))
}

// dropUnfinished removes what a process left that was killed while it wrote.
func dropUnfinished(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, unfinished))
	for _, file := range left {
		_ = os.Remove(file) // the next one tries again
	}
}

// isDropIns is whether a folder holds drop-ins of one of our units.
func isDropIns(dir string) bool {
	ours, _ := filepath.Match("postgres-*.d", filepath.Base(dir))
	return ours
}

// dropInsUnfinished removes what was left among the drop-ins of every unit, and folders that are empty then.
func dropInsUnfinished(r root) {
	folders, _ := filepath.Glob(r.path(unitDir + "/postgres-*.d"))
	for _, folder := range folders {
		dropUnfinished(folder)
		_ = os.Remove(folder) // only when nothing is in it any more
	}
}

func placeError(full string, err error) error {
	what := "systemd: write " + full
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.New(fault.NoSpace, what,
			"Make room on the disk of "+filepath.Dir(full)+"; nothing of the file was kept.", err)
	case errors.Is(err, syscall.EROFS):
		return fault.New(fault.NotPermitted, what, "Mount the disk of "+filepath.Dir(full)+" for writing.", err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
