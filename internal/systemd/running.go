package systemd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// Runs that outlive the units they were started by.

// runtimeDir has units that last until the next boot.
const runtimeDir = "/run/systemd/system"

// keepRunning puts the units of what runs, and the alert for how it ends, where they outlive those
// that are removed. A service without its unit loses its settings at the next reload, whoever asks
// for that: systemd then ends it after 90 seconds and tells nobody.
func keepRunning(ctx context.Context, r root, report *Report) error {
	bus, err := Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	units, err := bus.Units(ctx, append(Patterns(), drillServerBase+"@*.service")...)
	if err != nil {
		return err
	}
	for _, u := range units {
		if !strings.HasSuffix(u.Name, ".service") || !u.Running() || filepath.Dir(u.FragmentPath) != unitDir {
			continue
		}
		kept, err := r.keep(u.FragmentPath, u.Name)
		if err != nil {
			return err
		}
		if !kept {
			continue
		}
		report.add(Kept, u.Name, "it is running and will finish")
		if _, err := r.keep(unitDir+"/"+alertBase+"@.service", alertBase+"@.service"); err != nil {
			return err
		}
	}
	return nil
}

// keep copies a unit of ours to runtimeDir; false when it is none.
func (r root) keep(fragment, name string) (bool, error) {
	text, err := r.read(fragment)
	if err != nil || !isOurs(text) {
		return false, err
	}
	_, err = r.write(File{Path: runtimeDir + "/" + name, Mode: 0o644, Text: string(text)}, -1)
	return err == nil, err
}

// dropKept removes what keepRunning left, which would come before the units that are installed now.
func dropKept(r root, report *Report) error {
	left, err := filepath.Glob(r.path(runtimeDir + "/postgres-*.service"))
	if err != nil {
		return fmt.Errorf("systemd: look for units of this boot: %w", err)
	}
	for _, path := range left {
		text, err := bounded.ReadFile(path, bounded.File)
		if err != nil {
			return fmt.Errorf("systemd: read %s: %w", path, err)
		}
		if !isOurs(text) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("systemd: remove %s: %w", path, err)
		}
		report.add(Removed, path, "")
	}
	return nil
}
