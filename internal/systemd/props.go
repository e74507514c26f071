package systemd

import (
	"context"
	"encoding/hex"
	"math"
	"time"

	"github.com/godbus/dbus/v5"
)

// properties are a unit's D-Bus properties, of several interfaces together. A property that is
// missing or of another type (an older or newer systemd) reads as its zero value.
type properties map[string]dbus.Variant

// properties reads all properties of unit on each interface. Reading loads a unit from its file
// if it was not loaded, as `systemctl show` does.
func (b *Bus) properties(ctx context.Context, unit string, faces ...string) (properties, error) {
	conn, err := b.live(ctx)
	if err != nil {
		return nil, err
	}
	all := properties{}
	object := conn.Object(busName, unitObjectPath(unit))
	for _, face := range faces {
		var got map[string]dbus.Variant
		err := callOn(ctx, object, "read "+unit, "org.freedesktop.DBus.Properties.GetAll", []any{face}, &got)
		if err != nil {
			return nil, err
		}
		for name, value := range got {
			all[name] = value
		}
	}
	return all, nil
}

func read[T any](p properties, name string) T {
	v, _ := p[name].Value().(T)
	return v
}

func (p properties) text(name string) string    { return read[string](p, name) }
func (p properties) yes(name string) bool       { return read[bool](p, name) }
func (p properties) words(name string) []string { return read[[]string](p, name) }

// at is a time from microseconds since 1970; zero for 0 and for "never".
func (p properties) at(name string) time.Time {
	usec := read[uint64](p, name)
	if usec == 0 || usec > math.MaxInt64/1000 {
		return time.Time{}
	}
	return time.UnixMicro(int64(usec)).UTC()
}

// span is a duration from microseconds; -1 for "infinity".
func (p properties) span(name string) time.Duration {
	usec := read[uint64](p, name)
	if usec > math.MaxInt64/1000 {
		return -1
	}
	return time.Duration(usec) * time.Microsecond
}

// amount is a byte or nanosecond count; -1 when systemd does not know it or there is no limit.
func (p properties) amount(name string) int64 {
	v, ok := p[name].Value().(uint64)
	if !ok || v > math.MaxInt64 {
		return -1
	}
	return int64(v)
}

// id is a 128-bit id as 32 hexadecimal digits; "" when it is not set.
func (p properties) id(name string) string {
	raw := read[[]byte](p, name)
	for _, c := range raw {
		if c != 0 {
			return hex.EncodeToString(raw)
		}
	}
	return ""
}

// jobID is the number of the job queued for the unit, or 0.
func (p properties) jobID() uint32 {
	pair := read[[]any](p, "Job")
	if len(pair) == 0 {
		return 0
	}
	n, _ := pair[0].(uint32)
	return n
}
