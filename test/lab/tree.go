package lab

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The lab's file system: overlays over the machine's or another system's, cleared of its own state.

// layers are the directories that may be file systems of their own on a host; an overlay does not
// reach into a mount below its lower directory, so each of them gets its own.
var layers = []string{"/", "/usr", "/var", "/etc", "/opt"}

// cleared is what would make the lab this machine's twin: its units and what is enabled, its
// mounts, its clusters (which may be running, and large), its journal.
var cleared = []string{
	"etc/systemd/system", "etc/systemd/network", "etc/fstab", "etc/crypttab",
	"etc/rc0.d", "etc/rc1.d", "etc/rc2.d", "etc/rc3.d", "etc/rc4.d", "etc/rc5.d", "etc/rc6.d", "etc/rcS.d",
	"etc/postgresql", "var/lib/postgresql", "var/log/postgresql", "var/log/journal",
	"var/lib/systemd/timers", "etc/pgbtui", "var/lib/pgbtui",
}

// buildTree mounts the overlays over the system and makes the machine in them a new one.
func (l *Lab) buildTree(system, hostname string) error {
	var below uint64
	for i, layer := range layers {
		var stat unix.Stat_t
		if err := unix.Stat(filepath.Join(system, layer), &stat); err != nil {
			continue // not every host has /opt
		}
		if i > 0 && stat.Dev == below {
			continue // part of the root file system, already there
		}
		if i == 0 {
			below = stat.Dev
		}
		if err := l.overlay(system, layer, i); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(l.Root())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, path := range cleared {
		if err := root.RemoveAll(path); err != nil {
			return fmt.Errorf("clear %s: %w", path, err)
		}
	}
	return furnish(root, hostname)
}

func (l *Lab) overlay(system, layer string, number int) error {
	upper := filepath.Join(l.dir, fmt.Sprintf("upper%d", number))
	work := filepath.Join(l.dir, fmt.Sprintf("work%d", number))
	target := filepath.Join(l.Root(), layer)
	for _, dir := range []string{upper, work, target} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	lower := strings.ReplaceAll(filepath.Join(system, layer), ":", `\:`) // a colon separates directories
	data := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	if err := unix.Mount("overlay", target, "overlay", 0, data); err != nil {
		return fmt.Errorf("mount overlay of %s: %w", lower, err)
	}
	l.mounts = append(l.mounts, target)
	return nil
}

// furnish writes what the new machine needs. A machine ID that is already there also keeps
// systemd from a "first boot", which would enable every unit that the host has installed.
func furnish(root *os.Root, hostname string) error {
	for _, dir := range []string{"etc/systemd/system/multi-user.target.wants", "etc/postgresql", "var/log/journal"} {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		"etc/machine-id": randomHex(16) + "\n",
		"etc/hostname":   hostname + "\n",
		"etc/hosts":      "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 " + hostname + "\n",
		"etc/fstab":      "",
		// A test that reads a burst from the journal must find all of it.
		"etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=persistent\nRateLimitBurst=0\nSystemMaxUse=256M\n",
	}
	links := map[string]string{
		"etc/systemd/system/default.target":                             "/lib/systemd/system/multi-user.target",
		"etc/systemd/system/multi-user.target.wants/postgresql.service": "/lib/systemd/system/postgresql.service",
		"etc/systemd/system/systemd-firstboot.service":                  "/dev/null",
		"etc/systemd/system/systemd-networkd-wait-online.service":       "/dev/null",
		"etc/systemd/system/console-getty.service":                      "/dev/null",
		"etc/systemd/system/systemd-networkd.service":                   "/dev/null",
	}
	for name, content := range files {
		if err := replaceFile(root, name, content); err != nil {
			return err
		}
	}
	for name, target := range links {
		if err := root.Symlink(target, name); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile drops a symbolic link of the host first: following it could leave the lab.
func replaceFile(root *os.Root, name, content string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, []byte(content), 0o644)
}

// baseDir finds a place for labs on a real file system: the upper directory of one overlay cannot
// lie on another (a container's root, or a lab's).
func baseDir() (string, error) {
	candidates := []string{"/var/tmp", "/tmp", "/dev/shm"}
	if dir := os.Getenv("PGBTUI_LAB_DIR"); dir != "" {
		candidates = []string{dir}
	}
	for _, dir := range candidates {
		var stat unix.Statfs_t
		if err := unix.Statfs(dir, &stat); err != nil || stat.Type == unix.OVERLAYFS_SUPER_MAGIC {
			continue
		}
		return dir, nil
	}
	return "", fmt.Errorf("lab: no directory on a real disk among %s; name one in PGBTUI_LAB_DIR", strings.Join(candidates, ", "))
}

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)
}
