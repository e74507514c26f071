package systemd

import (
	"context"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const (
	busName     = "org.freedesktop.systemd1"
	managerPath = "/org/freedesktop/systemd1"
	unitPaths   = managerPath + "/unit"
	manager     = busName + ".Manager"
	unitFace    = busName + ".Unit"
	callTimeout = 15 * time.Second // of one method call; systemd answers in milliseconds
)

// Bus is systemd on the system bus, as seen by any user. It dials again by itself when the bus
// was restarted. Safe for concurrent use. Close it when done.
//
// It speaks D-Bus directly: go-systemd's connection reads properties inside its signal loop,
// logs by itself, and does not tell when the bus is gone.
type Bus struct {
	mu     sync.Mutex
	conn   *dbus.Conn
	closed bool
}

// OnDemand is the system bus, dialled when it is first used; what keeps it from being reached is each call's error.
func OnDemand() *Bus { return &Bus{} }

// Connect dials the system bus; ctx bounds the dialling only.
func Connect(ctx context.Context) (*Bus, error) {
	b := &Bus{}
	if _, err := b.live(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Close ends the connection and with it the references that Start took.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.conn == nil {
		return nil
	}
	return b.conn.Close()
}

// live is the connection, dialled again when the last one broke.
func (b *Bus) live(ctx context.Context) (*dbus.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fault.New(fault.Unavailable, "systemd: connect to the system bus: closed", "", nil)
	}
	if b.conn != nil && b.conn.Connected() {
		return b.conn, nil
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	b.conn = conn
	return conn, nil
}

// dial opens, authenticates and greets. The connection outlives ctx; only the dialling obeys it.
func dial(ctx context.Context) (*dbus.Conn, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stop := context.AfterFunc(bounded, end)
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(life),
		dbus.WithAuth(dbus.AuthExternal(strconv.Itoa(os.Geteuid()))))
	if err == nil && stop() {
		return conn, nil // end is called by conn.Close through its own child context
	}
	end()
	if err == nil {
		_ = conn.Close()
		err = context.Cause(bounded)
	}
	return nil, fault.New(fault.Unavailable, "systemd: connect to the system bus",
		"Check that D-Bus runs: `systemctl status dbus.service`.", err)
}

// call calls a Manager method and stores its answer in results.
func (b *Bus) call(ctx context.Context, what, method string, args []any, results ...any) error {
	conn, err := b.live(ctx)
	if err != nil {
		return err
	}
	return callOn(ctx, conn.Object(busName, managerPath), what, manager+"."+method, args, results...)
}

func callOn(ctx context.Context, object dbus.BusObject, what, method string, args []any, results ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := object.CallWithContext(ctx, method, 0, args...).Store(results...)
	return classify(what, err)
}

// unitObjectPath is where systemd keeps a unit: its name with every byte but letters and
// digits, and a leading digit, as _xx.
func unitObjectPath(unit string) dbus.ObjectPath {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.WriteString(unitPaths + "/")
	for i := 0; i < len(unit); i++ {
		c := unit[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		digit := '0' <= c && c <= '9'
		if letter || (digit && i > 0) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('_')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return dbus.ObjectPath(b.String())
}

// unitOfPath is the inverse of unitObjectPath; "" for other paths.
func unitOfPath(path dbus.ObjectPath) string {
	s, ok := strings.CutPrefix(string(path), unitPaths+"/")
	if !ok {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '_' && i+2 < len(s) {
			if raw, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(raw)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
