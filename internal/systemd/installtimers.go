// Which timers an installation switches on, and which off: on the machine itself by systemd, in an
// image that is being built by the links that systemd would make.

package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// EnableCommand is the command that switches a job's timers on; "" is the plain ones.
func EnableCommand(job string) string {
	if job == "" {
		return "sudo pgbtui units install --enable-plain"
	}
	return "sudo pgbtui units install --enable " + printable.ShellWord(job)
}

// EnablePruneCommand is the same for its prune timer.
func EnablePruneCommand(job string) string {
	if job == "" {
		return "sudo systemctl enable --now " + BackupPruneTimer("")
	}
	return "sudo pgbtui units install --enable-prune " + printable.ShellWord(job)
}

// on are all timers to switch on, and the watch over them: one that had to be switched on apart
// would be off where it is needed.
func (o InstallOptions) on() (timers []string) {
	off := o.off()
	for _, job := range o.Enable {
		for _, timer := range JobTimers(job) {
			if !slices.Contains(off, timer) {
				timers = append(timers, timer)
			}
		}
	}
	for _, job := range o.Copied {
		timers = append(timers, BackupCopyTimer(job))
	}
	for _, job := range o.EnablePrune {
		timers = append(timers, BackupPruneTimer(job))
	}
	if o.Clusters {
		timers = append(timers, ClusterStatusTimer)
	}
	if len(timers) > 0 {
		timers = append(timers, WatchTimer)
	}
	return timers
}

// off are the timers that a job's configuration has no use for.
func (o InstallOptions) off() (timers []string) {
	for _, job := range o.DrillByHand {
		timers = append(timers, BackupDrillTimer(job))
	}
	return timers
}

// activate makes systemd read the units and switches the timers.
func activate(ctx context.Context, o InstallOptions, report *Report) error {
	bus, err := Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	if err := daemonReload(ctx, bus, report); err != nil {
		return err
	}
	timers, err := withWatch(ctx, bus, o.on())
	if err != nil {
		return err
	}
	for _, timer := range timers {
		if err := enable(ctx, bus, timer, report); err != nil {
			return err
		}
	}
	for _, timer := range o.off() {
		if err := disable(ctx, bus, timer, report); err != nil {
			return err
		}
	}
	return nil
}

func enable(ctx context.Context, bus *Bus, timer string, report *Report) error {
	before, err := bus.Timer(ctx, timer)
	if err != nil {
		return err
	}
	if before.State == TimerOn {
		report.add(Unchanged, timer, "on")
		return nil
	}
	if err := bus.EnableTimer(ctx, timer); err != nil {
		return err
	}
	report.add(Enabled, timer, "")
	return nil
}

func disable(ctx context.Context, bus *Bus, timer string, report *Report) error {
	before, err := bus.Timer(ctx, timer)
	if err != nil {
		return err
	}
	switch before.State {
	case TimerOff, TimerMasked, TimerMissing:
		report.add(Unchanged, timer, "off, "+byHand)
		return nil
	case TimerOn, TimerStopped, TimerUnsaved, TimerFailed, TimerBroken:
	}
	if err := bus.DisableTimer(ctx, timer); err != nil {
		return err
	}
	report.add(Disabled, timer, byHand)
	return nil
}

const byHand = "drill.by is hand"

// withWatch adds the watch where a backup was switched on earlier, before there was one.
func withWatch(ctx context.Context, bus *Bus, timers []string) ([]string, error) {
	if len(timers) > 0 {
		return timers, nil
	}
	backups, err := bus.Timers(ctx)
	if err == nil && slices.ContainsFunc(backups, func(t Timer) bool { return t.State == TimerOn }) {
		return []string{WatchTimer}, nil
	}
	return nil, err
}

const wantsDir = unitDir + "/timers.target.wants"

// linkTimers switches timers in an image, where no systemd runs.
func linkTimers(r root, o InstallOptions, report *Report) error {
	for _, timer := range o.on() {
		if err := linkTimer(r, timer, report); err != nil {
			return err
		}
	}
	for _, timer := range o.off() {
		link := r.path(wantsDir + "/" + timer)
		err := os.Remove(link)
		switch {
		case errors.Is(err, os.ErrNotExist):
			report.add(Unchanged, timer, "off, "+byHand)
		case err != nil:
			return fmt.Errorf("systemd: disable %s: %w", link, err)
		default:
			report.add(Disabled, timer, byHand)
		}
	}
	return nil
}

func linkTimer(r root, timer string, report *Report) error {
	template := timer
	if base, _, instance := strings.Cut(timer, "@"); instance {
		template = base + "@.timer"
	}
	link := r.path(wantsDir + "/" + timer)
	if err := makeDir(filepath.Dir(link)); err != nil {
		return fmt.Errorf("systemd: enable %s: %w", link, err)
	}
	err := os.Symlink(unitDir+"/"+template, link)
	switch {
	case errors.Is(err, os.ErrExist):
		report.add(Unchanged, timer, "on")
	case err != nil:
		return fmt.Errorf("systemd: enable %s: %w", link, err)
	default:
		report.add(Enabled, timer, "")
	}
	return nil
}
