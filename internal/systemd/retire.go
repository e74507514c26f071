package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The end of an old unit's schedule, once its work is done by others. Rules: a backup that it is making goes on to its
// end; nothing that it stored or wrote is deleted; what is done already is not done again.

// Busy fails while the old service runs: two dumps at once would be in each other's way.
func (b *Bus) Busy(ctx context.Context, old OldUnit) error {
	unit, err := b.Unit(ctx, old.Service)
	if err != nil || !unit.Running() {
		return err
	}
	return fault.New(fault.Temporary, "systemd: "+old.Service+" is running",
		"Wait until it ends (`systemctl status "+old.Service+"`), and run this again.", nil)
}

// Retire switches the old timer off and takes the service out of the boot; where its files stand in the place of ours,
// they are kept under another name, and ours are installed.
func Retire(ctx context.Context, old OldUnit, o InstallOptions, report *Report) error {
	bus, err := Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	if old.Timer != "" {
		if err := retireTimer(ctx, bus, old.Timer, report); err != nil {
			return err
		}
	}
	if err := dropLinks(root(""), old.Service, report); err != nil {
		return err
	}
	if err := root("").setAside(old, report); err != nil {
		return err
	}
	after, err := Install(ctx, o)
	if after != nil {
		report.Steps = append(report.Steps, after.Steps...)
	}
	return err
}

func retireTimer(ctx context.Context, bus *Bus, timer string, report *Report) error {
	before, err := bus.Timer(ctx, timer)
	if err != nil {
		return err
	}
	if before.State == TimerOff || before.State == TimerMasked || before.State == TimerMissing {
		report.add(Unchanged, timer, "off")
		return nil
	}
	if err := bus.DisableTimer(ctx, timer); err != nil {
		return err
	}
	report.add(Disabled, timer, "")
	return nil
}

// dropLinks undoes an enabled service, which would make a backup at each boot.
func dropLinks(r root, service string, report *Report) error {
	for _, kind := range []string{"wants", "requires"} {
		links, err := filepath.Glob(r.path(unitDir + "/*." + kind + "/" + service))
		if err != nil {
			return fmt.Errorf("systemd: look for links to the old unit: %w", err)
		}
		for _, link := range links {
			if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("systemd: disable the old unit: %w", err)
			}
			report.add(Disabled, link, "it ran a backup at every boot")
		}
	}
	return nil
}
