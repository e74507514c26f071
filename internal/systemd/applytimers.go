package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Carrying a plan of timers out. Each step leaves a state that the next plan reads as one to go on from: files first,
// then what starts at boot, one daemon-reload, and last what runs now. So the next sync finishes one that was killed.

// Apply carries the plan out. It needs root. The report is right as far as it goes also beside an error.
func (p *TimerPlan) Apply(ctx context.Context, bus *Bus) (*Report, error) {
	report := &Report{}
	if !p.Changes() {
		return report, nil
	}
	if os.Geteuid() != 0 {
		return report, fault.New(fault.NotPermitted, "systemd: change timers",
			"Run it as root: `sudo pgbtui jobs sync`.", nil)
	}
	r := root("")
	if err := p.applyFiles(r, report); err != nil {
		return report, err
	}
	if err := p.applyLinks(ctx, bus, report); err != nil {
		return report, err
	}
	if err := daemonReload(ctx, bus, report); err != nil {
		return report, err
	}
	for _, c := range p.Timers {
		if !c.Enable {
			continue
		}
		if c.State == TimerFailed {
			_ = bus.resetFailed(ctx, c.Timer)
		}
		if err := bus.StartTimer(ctx, c.Timer); err != nil {
			return report, err
		}
		report.add(Enabled, c.Timer, "")
	}
	return report, p.check(ctx, bus)
}

func (p *TimerPlan) applyFiles(r root, report *Report) error {
	for _, c := range p.Timers {
		if c.Write != "" {
			action, err := r.write(File{Path: c.Write, Mode: 0o644, Text: c.text}, -1)
			if err != nil {
				return err
			}
			report.add(action, r.path(c.Write), "")
		}
		if c.Remove != "" {
			if err := removeSchedule(r, c.Remove); err != nil {
				return err
			}
			report.add(Removed, r.path(c.Remove), "")
		}
	}
	return nil
}

func (p *TimerPlan) applyLinks(ctx context.Context, bus *Bus, report *Report) error {
	for _, c := range p.Timers {
		switch {
		case c.Disable:
			if err := bus.disableFile(ctx, c.Timer); err != nil {
				return err
			}
			report.add(Disabled, c.Timer, c.Why)
		case c.Enable:
			if err := bus.enableFile(ctx, c.Timer); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeSchedule removes a drop-in that a sync has written, and its folder where nothing else is in it.
func removeSchedule(r root, path string) error {
	if !isSchedule(r, path) {
		return nil
	}
	if err := os.Remove(r.path(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("systemd: remove %s: %w", r.path(path), err)
	}
	dropUnfinished(r.path(filepath.Dir(path)))
	_ = os.Remove(r.path(filepath.Dir(path)))
	return nil
}

// check asks systemd what its timers do now: what it was told is not yet what it does.
func (p *TimerPlan) check(ctx context.Context, bus *Bus) error {
	for _, c := range p.Timers {
		if c.Trouble != "" || !c.Changes() {
			continue
		}
		t, err := bus.Timer(ctx, c.Timer)
		if err != nil {
			return err
		}
		same, err := SameCalendars(ctx, t.Calendar, c.After.Calendar)
		if err != nil {
			return err
		}
		wrong := ""
		switch {
		case c.On && t.State != TimerOn:
			wrong = "it is " + string(t.State) + ", not on"
		case !c.On && (t.State == TimerOn || t.State == TimerUnsaved || t.State == TimerStopped):
			wrong = "it is still " + string(t.State)
		case c.On && !same:
			wrong = "its calendar is " + strings.Join(t.Calendar, ", ")
		}
		if wrong != "" {
			return fault.New(fault.Failed, "systemd: change "+c.Timer+": "+wrong,
				"Read `systemctl status "+printable.ShellWord(c.Timer)+"`, and run `sudo pgbtui jobs sync` again.", nil)
		}
	}
	return nil
}

// SameCalendars compares what systemd has loaded with expressions as they were written.
func SameCalendars(ctx context.Context, loaded, written []string) (bool, error) {
	var normal []string
	for _, expression := range written {
		text, err := NormalCalendar(ctx, expression)
		if err != nil {
			return false, err
		}
		normal = append(normal, text)
	}
	loaded = slices.Clone(loaded)
	slices.Sort(loaded)
	slices.Sort(normal)
	return slices.Equal(slices.Compact(loaded), slices.Compact(normal)), nil
}
