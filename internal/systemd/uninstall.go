package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Uninstall stops and disables our timers and removes the files that Install wrote, and nothing
// else: configuration, requests, user, group, database role and every backup stay. A backup that
// is running goes on to its end, by a copy of its unit that lasts until the next boot. dir is as InstallOptions.Root.
func Uninstall(ctx context.Context, dir string) (*Report, error) {
	r := root(dir)
	if r.machine() && os.Geteuid() != 0 {
		return nil, fault.New(fault.NotPermitted, "systemd: uninstall units",
			"Run it as root: `sudo pgbtui units uninstall`.", nil)
	}
	files, err := Files(DefaultBinary)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	if err := silenceTimers(ctx, r, report); err != nil {
		return report, err
	}
	if r.live() {
		if err := keepRunning(ctx, r, report); err != nil {
			return report, err
		}
		if err := stopSocket(ctx); err != nil {
			return report, err
		}
	}
	for _, f := range append(files, File{Path: plainTimer + ".d/" + calendarName}) {
		removed, err := r.remove(f.Path)
		if err != nil {
			return report, err
		}
		if removed {
			report.add(Removed, r.path(f.Path), "")
		} else if _, err := os.Lstat(r.path(f.Path)); err == nil {
			report.add(Kept, r.path(f.Path), "not written by pgbtui")
		}
	}
	for _, path := range ownDropIns(r) {
		if err := removeSchedule(r, path); err != nil {
			return report, err
		}
		report.add(Removed, r.path(path), "")
	}
	dropInsUnfinished(r)
	_ = os.Remove(r.path(plainTimer + ".d")) // only when nothing is in it any more
	if r.live() {
		if err := reload(ctx, report); err != nil {
			return report, err
		}
	}
	return report, leftBehind(r, report)
}

func reload(ctx context.Context, report *Report) error {
	bus, err := Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	return daemonReload(ctx, bus, report)
}

func daemonReload(ctx context.Context, bus *Bus, report *Report) error {
	if err := bus.reload(ctx); err != nil {
		return err
	}
	report.add(Ran, "systemctl daemon-reload", "")
	return nil
}

// stopSocket closes the way to new servers of drills. Those that run go on.
func stopSocket(ctx context.Context) error {
	bus, err := Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	if u, err := bus.Unit(ctx, DrillServerSocket); err != nil || !u.Running() {
		return err
	}
	return bus.Stop(ctx, DrillServerSocket)
}

// silenceTimers stops and disables every timer that runs a unit of ours.
func silenceTimers(ctx context.Context, r root, report *Report) error {
	links, err := filepath.Glob(r.path(wantsDir + "/" + backupBase + "*.timer"))
	if err != nil {
		return fmt.Errorf("systemd: look for timers: %w", err)
	}
	if !r.live() {
		for _, link := range links {
			if err := os.Remove(link); err != nil {
				return fmt.Errorf("systemd: disable %s: %w", link, err)
			}
			report.add(Disabled, filepath.Base(link), "")
		}
		return nil
	}
	bus, err := Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	timers, err := bus.timersLike(ctx, Patterns())
	if err != nil {
		return err
	}
	for _, t := range timers {
		// What lies elsewhere is somebody else's, and what we did not write is kept.
		if text, err := r.read(t.FragmentPath); err != nil || filepath.Dir(t.FragmentPath) != unitDir || !isOurs(text) ||
			t.State == TimerOff {
			continue
		}
		if err := bus.DisableTimer(ctx, t.Name); err != nil {
			return err
		}
		report.add(Disabled, t.Name, "")
	}
	return nil
}

// leftBehind names what stays, so that nobody finds it years later.
func leftBehind(r root, report *Report) error {
	kept := []struct{ path, why string }{
		{configDir, "configuration and keys: without the key of its encryption no backup can be read"},
		{plainService + adoptedSuffix, "the unit that was there before"},
		{plainTimer + adoptedSuffix, "the timer that was there before"},
	}
	for _, k := range kept {
		_, err := os.Lstat(r.path(k.path))
		if err == nil {
			report.add(Kept, r.path(k.path), k.why)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("systemd: look at %s: %w", r.path(k.path), err)
		}
	}
	if err := clearState(r, report); err != nil {
		return err
	}
	report.add(Note,
		"Every backup is still in the bucket. The system users, the group pgbtui and the PostgreSQL role stay: sudo "+
			"userdel each of pgbtui, pgbtui-prover, pgbtui-keeper, pgbtui-copier, pgbtui-watch and pgbtui-drill; "+
			"DROP OWNED BY pgbtui; DROP ROLE pgbtui.",
		"")
	return nil
}
