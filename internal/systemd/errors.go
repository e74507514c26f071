package systemd

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"

	"github.com/godbus/dbus/v5"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// OperatorGroup is the group that the polkit rule lets start and stop our units.
const OperatorGroup = "pgbtui"

// BackupUser is the system user of the backups; the other duties have users of their own.
const BackupUser = "pgbtui"

// ErrAlreadyRunning is wrapped by Start's error when the unit is running: systemd would merge
// the second start into the first and report it as done.
var ErrAlreadyRunning = errors.New("already running")

// classify turns a D-Bus error into a fault with its exit code and remedy. what is "verb unit".
func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	what = "systemd: " + what
	var e dbus.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case !errors.As(err, &e):
		return fault.New(fault.Unavailable, what, "Check the system bus: `systemctl status dbus.service`.", err)
	}
	switch e.Name {
	case "org.freedesktop.DBus.Error.AccessDenied",
		"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
		"org.freedesktop.DBus.Error.AuthFailed":
		return fault.New(fault.NotPermitted, what, permissionRemedy(), err)
	case "org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.systemd1.LoadFailed":
		return fault.New(fault.NotFound, what, "Install the units with `sudo pgbtui units install`.", err)
	case "org.freedesktop.systemd1.UnitMasked":
		return fault.New(fault.Refused, what, "Run `sudo systemctl unmask UNIT`.", err)
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NoReply",
		"org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.Disconnected",
		"org.freedesktop.DBus.Error.NameHasNoOwner":
		return fault.New(fault.Unavailable, what, "Check that systemd answers: `systemctl is-system-running`.", err)
	}
	return fault.New(fault.Failed, what, "", err)
}

// permissionRemedy says which of the two reasons for polkit's denial it is: the user is not an
// operator, or is one and the rule is missing or cannot be read.
func permissionRemedy() string {
	me, err := user.Current()
	if err != nil {
		return "Only root and members of group " + OperatorGroup + " may do this."
	}
	group, err := user.LookupGroup(OperatorGroup)
	if err != nil {
		return "Create the group " + OperatorGroup + " with `sudo pgbtui units install`."
	}
	ids, _ := me.GroupIds()
	if !slices.Contains(ids, group.Gid) {
		return fmt.Sprintf("Only root and members of group %s may do this: `sudo usermod -aG %s %s`, then log in again.",
			OperatorGroup, OperatorGroup, printable.ShellWord(me.Username))
	}
	return fmt.Sprintf("Check that polkit is installed and %[2]s is in place: you are in group %[1]s, and polkit did "+
		"not allow it. `sudo pgbtui units install` repairs it.",
		OperatorGroup, polkitFile)
}
