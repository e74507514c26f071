package systemd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// root is a directory that stands for /: the real one, or an image that is being built.
type root string

func (r root) path(p string) string { return filepath.Join("/", string(r), p) }

// read is a regular file's text, or nil when there is none. A link, a device or a directory at
// that place was put there on purpose (a link to /dev/null masks a unit) and is refused.
func (r root) read(p string) ([]byte, error) {
	full := r.path(p)
	info, err := os.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("systemd: read %s: %w", full, err)
	case !info.Mode().IsRegular():
		target, _ := os.Readlink(full)
		remedy := "Remove it first, if it is not needed."
		if target == "/dev/null" {
			remedy = "Run `sudo systemctl unmask " + printable.ShellWord(filepath.Base(p)) + "`: the unit is masked."
		}
		return nil, fault.New(fault.Refused, "systemd: read "+full, remedy, errors.New("not a regular file"))
	}
	text, err := bounded.ReadFile(full, bounded.File)
	if err != nil {
		return nil, fmt.Errorf("systemd: read %s: %w", full, err)
	}
	if text == nil {
		text = []byte{}
	}
	return text, nil
}

// write puts a file in place as a whole: a reader sees the old text or the new, a crash leaves
// one of them. gid is the group to give it to, or -1.
func (r root) write(f File, gid int) (Action, error) {
	full := r.path(f.Path)
	before, err := r.read(f.Path)
	if err != nil {
		return "", err
	}
	if before != nil && bytes.Equal(before, []byte(f.Text)) {
		return Unchanged, nil
	}
	if err := makeDir(filepath.Dir(full)); err != nil {
		return "", fmt.Errorf("systemd: write %s: %w", full, err)
	}
	if isDropIns(filepath.Dir(full)) {
		dropUnfinished(filepath.Dir(full))
	}
	if err := replaceFile(full, f, gid); err != nil {
		return "", fmt.Errorf("systemd: write %s: %w", full, err)
	}
	if before == nil {
		return Created, nil
	}
	return Updated, nil
}

// makeDir makes a folder that systemd and polkit, which is not root, must be able to look into.
func makeDir(dir string) error {
	return os.MkdirAll(dir, 0o755) //nolint:gosec // readable for all, like everything below /etc/systemd
}

func replaceFile(full string, f File, gid int) error {
	temp, err := writeBeside(full, f, gid)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, full); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(filepath.Dir(full))
}

// unfinished are the names of files that are not yet in their place.
const unfinished = ".pgbtui-*"

// writeBeside writes a file under another name in the same folder, from where it is moved into its place.
func writeBeside(full string, f File, gid int) (name string, err error) {
	temp, err := os.CreateTemp(filepath.Dir(full), unfinished)
	if err != nil {
		return "", err
	}
	_, err = temp.WriteString(f.Text)
	if err == nil && gid >= 0 {
		err = temp.Chown(-1, gid)
	}
	if err == nil {
		err = temp.Chmod(f.Mode)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(temp.Name()))
	}
	return temp.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// remove deletes a file of ours; false when there was none or it is not ours.
func (r root) remove(p string) (bool, error) {
	text, err := r.read(p)
	if err != nil && fault.CodeOf(err) != fault.Refused { // a link or the like: not ours
		return false, err
	}
	if text == nil || !isOurs(text) {
		return false, nil
	}
	if err := os.Remove(r.path(p)); err != nil {
		return false, fmt.Errorf("systemd: remove %s: %w", r.path(p), err)
	}
	return true, nil
}
