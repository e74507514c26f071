package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Ending a lab, and clearing away what a killed owner could not.

// powerOffBound is how long an orderly power-off may take (2 s is usual) before it is cut short.
const powerOffBound = 15 * time.Second

// Shutdown powers the lab off and removes everything of it. Later calls return the first answer.
func (l *Lab) Shutdown() error {
	l.shutdown.Do(func() {
		if l.nspawn != nil && l.nspawn.Process != nil {
			l.powerOff()
		}
		l.shutdownErr = errors.Join(remove(l.dir, l.mounts, l.groups), l.lock.Close())
	})
	return l.shutdownErr
}

// powerOff asks nspawn, which passes an orderly request on to systemd, and kills at the bound.
func (l *Lab) powerOff() {
	_ = l.nspawn.Process.Signal(syscall.SIGTERM)
	select {
	case <-l.exited:
	case <-time.After(powerOffBound):
		killGroups(l.groups)
		<-l.exited
	}
}

// remove ends what still runs, unmounts (newest first) and deletes what a lab has on the machine.
func remove(dir string, mounts, groups []string) error {
	var errs []error
	killGroups(groups)
	for i := len(mounts) - 1; i >= 0; i-- {
		errs = append(errs, unmount(mounts[i]))
	}
	errs = append(errs, removeNspawn(dir))
	for _, group := range groups {
		errs = append(errs, removeGroup(group))
	}
	if err := errors.Join(errs...); err != nil {
		return err // deleting below a mount that is still there would eat the machine's view of it
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("lab: remove: %w", err)
	}
	return nil
}

// removeNspawn removes what an nspawn that was killed leaves in /run; from systemd 256 on that is a mount, too.
func removeNspawn(dir string) error {
	exported := filepath.Join("/run/systemd/nspawn/unix-export", filepath.Base(dir))
	if err := unmountAll(exported); err != nil {
		return err
	}
	_ = os.RemoveAll(filepath.Join("/run/systemd/nspawn/propagate", filepath.Base(dir)))
	_ = os.Remove(exported)
	return nil
}

// unmountAll unmounts what lies on one another at a place.
func unmountAll(target string) error {
	for range 10 {
		err := unix.Unmount(target, 0)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			break // nothing is mounted there any more, or nothing is there
		}
		if err := unmount(target); err != nil {
			return err
		}
	}
	return nil
}

func unmount(target string) error {
	var err error
	for range 50 { // the kernel lets go of a dead namespace's mounts some moments later
		if err = unix.Unmount(target, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("lab: unmount %s: %w", target, err)
	}
	return nil
}

// claim makes a lab's directory. The lock in it is held while the owner lives, however it ends;
// it is taken before the directory gets the name by which others look for leftovers.
func claim(base string) (*Lab, error) {
	l := &Lab{name: namePrefix + randomHex(4), exited: make(chan struct{})}
	l.dir = filepath.Join(base, l.name)
	unnamed, err := os.MkdirTemp(base, ".pgbtui-lab-")
	if err != nil {
		return nil, fmt.Errorf("lab: make directory: %w", err)
	}
	if l.lock, err = os.Create(filepath.Join(unnamed, "owner.lock")); err == nil {
		err = errors.Join(
			unix.Flock(int(l.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB),
			os.Chmod(unnamed, 0o755), // the lab's other users walk through it to their own root
			os.Rename(unnamed, l.dir))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lab: claim: %w", err), os.RemoveAll(unnamed))
	}
	return l, nil
}

// namePrefix starts every lab's name, directory and cgroup.
const namePrefix = "pgbtui-lab-"

// removeLeftovers removes the labs in base whose owner is gone.
func removeLeftovers(base string) error {
	dirs, _ := filepath.Glob(filepath.Join(base, namePrefix+"*"))
	for _, dir := range dirs {
		lock, err := os.Open(filepath.Join(dir, "owner.lock"))
		if err != nil {
			continue // being made or being removed by its owner at this moment
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			err = removeDead(dir)
		}
		if err := errors.Join(err, lock.Close()); err != nil {
			return err
		}
	}
	return nil
}

func removeDead(dir string) error {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("lab: remove leftovers: %w", err)
	}
	var mounts, groups []string
	for line := range strings.Lines(string(mountinfo)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			mounts = append(mounts, fields[4])
		}
	}
	hierarchies, err := hierarchies()
	for _, mount := range hierarchies {
		groups = append(groups, filepath.Join(mount, filepath.Base(dir)))
	}
	return errors.Join(err, remove(dir, mounts, groups))
}
