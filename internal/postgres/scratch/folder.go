// Package scratch is what a run needs for a while and must not leave behind: private folders, and
// a private PostgreSQL server.
//
// Rules: a folder is locked as long as its owner lives, so that the next run can tell a dead
// one's and remove it. The server listens on a socket in its folder only, knows nothing of the
// environment, and never outlives this process.
package scratch

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Folder is a private folder. The zero value is none.
type Folder struct {
	Path string
	lock *os.File
}

// NewFolder makes a folder whose name begins with prefix. An empty parent is the system's folder
// for temporary files.
func NewFolder(parent, prefix string) (f *Folder, err error) {
	for range 3 { // a sweep may come between making it and locking it
		if f, err = newFolder(parent, prefix); err == nil {
			return f, nil
		}
	}
	return nil, err
}

func newFolder(parent, prefix string) (*Folder, error) {
	path, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, err
	}
	f := &Folder{Path: path}
	if f.lock, err = lock(path); err == nil {
		_, err = os.Lstat(path)
	}
	if err != nil {
		f.Remove()
		return nil, err
	}
	return f, nil
}

// Remove deletes the folder and all in it.
func (f *Folder) Remove() {
	if f == nil || f.Path == "" {
		return
	}
	_ = os.RemoveAll(f.Path)
	_ = f.lock.Close()
	*f = Folder{}
}

// Sweep removes what killed runs of this user left in parent: folders of that prefix that nobody
// has locked.
func Sweep(parent, prefix string) { sweep(parent, prefix, os.Geteuid(), nil) }

// SweepServers removes what killed servers of this user left in parent.
func SweepServers(parent string) { sweep(parent, prefix, os.Geteuid(), killStragglers) }

func sweep(parent, prefix string, uid int, before func(path string)) {
	if parent == "" {
		parent = os.TempDir()
	}
	left, _ := filepath.Glob(filepath.Join(parent, prefix+"*")) // only a bad pattern fails
	for _, path := range left {
		if info, err := os.Lstat(path); err != nil || !info.IsDir() || !belongs(info, uid) {
			continue
		}
		lock, err := lock(path)
		if err != nil {
			continue // somebody's who lives
		}
		if before != nil {
			before(path)
		}
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
}

func belongs(info os.FileInfo, uid int) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (int(stat.Uid) == os.Geteuid() || int(stat.Uid) == uid)
}

// lock holds a folder until the file is closed, at the latest when this process ends.
func lock(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
