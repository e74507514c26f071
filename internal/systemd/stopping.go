package systemd

import (
	"context"

	"github.com/godbus/dbus/v5"
)

// Stopping reports whether the host is going down or restarting (SystemState, org.freedesktop.systemd1(5)).
func (b *Bus) Stopping(ctx context.Context) (bool, error) {
	conn, err := b.live(ctx)
	if err != nil {
		return false, err
	}
	var state dbus.Variant
	err = callOn(ctx, conn.Object(busName, managerPath), "ask whether the host goes down",
		"org.freedesktop.DBus.Properties.Get", []any{manager, "SystemState"}, &state)
	if err != nil {
		return false, err
	}
	text, _ := state.Value().(string)
	return text == "stopping", nil
}
