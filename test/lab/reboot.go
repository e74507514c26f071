package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Reboot powers the lab off in order and boots it again. What is on its disk stays; processes, /run and /tmp go. Nobody
// may use the lab meanwhile.
func (l *Lab) Reboot(ctx context.Context) error {
	l.powerOff()
	return l.bootAgain(ctx)
}

// CutPower ends everything in the lab at once, as when a host loses its power, and boots it again.
func (l *Lab) CutPower(ctx context.Context) error {
	killGroups(l.groups)
	<-l.exited
	return l.bootAgain(ctx)
}

func (l *Lab) bootAgain(ctx context.Context) error {
	err := errors.Join(removeNspawn(l.dir), l.emptyGroups())
	if err == nil {
		l.exited = make(chan struct{})
		err = l.spawn(l.options.System)
	}
	if err == nil {
		err = l.findLeader(ctx)
	}
	if err == nil {
		err = l.waitMultiUser(ctx)
	}
	if err == nil && !l.options.NoPostgreSQL {
		err = l.waitPostgreSQL(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("lab: boot %s again: %w", l.name, err), l.consoleTail())
	}
	return nil
}

// waitMultiUser waits until the lab is up. A service that runs for long from the boot on keeps systemd from calling the
// start finished, which is what waitSystem waits for.
func (l *Lab) waitMultiUser(ctx context.Context) error {
	return l.poll(ctx, "the system", func() error {
		_, err := l.Output(ctx, "root", "systemctl", "is-active", "multi-user.target")
		return err
	})
}

// emptyGroups makes the lab's cgroups anew: a systemd that was killed leaves those of its units.
func (l *Lab) emptyGroups() error {
	killGroups(l.groups)
	for _, group := range l.groups {
		if err := removeGroup(group); err != nil {
			return err
		}
		if err := os.Mkdir(group, 0o755); err != nil {
			return fmt.Errorf("lab: make cgroup: %w", err)
		}
	}
	return nil
}
