package systemd

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// Change says that units may look different now; read them again.
type Change struct {
	Units []string // sorted; empty: anything may have changed (reload, or the bus came back)
	Err   error    // the bus is gone; a Change without Err follows when it is back
}

const (
	coalesce  = 200 * time.Millisecond // the least time between two Changes
	redialMax = 30 * time.Second
)

// Watch tells of changes to the units that match the globs (Patterns() when none are given), by
// D-Bus signals alone. Changes that are not taken in time are merged, never lost. It goes on over
// restarts of the bus; the channel is closed when ctx ends.
//
// UnitNew and UnitRemoved are left out on purpose: reading a unit that is not loaded causes
// both, so a watcher that reads on them would never rest. A start shows as JobNew.
func (b *Bus) Watch(ctx context.Context, patterns ...string) (<-chan Change, error) {
	if len(patterns) == 0 {
		patterns = Patterns()
	}
	w := &watcher{patterns: patterns, out: make(chan Change)}
	conn, signals, err := subscribe(ctx)
	if err != nil {
		return nil, err
	}
	go w.run(ctx, conn, signals)
	return w.out, nil
}

// subscribe opens a connection of its own: its signals end when it ends, and nothing else does.
func subscribe(ctx context.Context) (*dbus.Conn, chan *dbus.Signal, error) {
	conn, err := dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	matches := [][]dbus.MatchOption{
		{
			dbus.WithMatchInterface("org.freedesktop.DBus.Properties"), dbus.WithMatchMember("PropertiesChanged"),
			dbus.WithMatchPathNamespace(unitPaths),
		},
		{dbus.WithMatchInterface(manager), dbus.WithMatchMember("JobNew")},
		{dbus.WithMatchInterface(manager), dbus.WithMatchMember("JobRemoved")},
		{dbus.WithMatchInterface(manager), dbus.WithMatchMember("Reloading")},
		{dbus.WithMatchInterface(manager), dbus.WithMatchMember("UnitFilesChanged")},
	}
	signals := make(chan *dbus.Signal, 256)
	conn.Signal(signals)
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for _, match := range matches {
		if err = conn.AddMatchSignalContext(bounded, append(match, dbus.WithMatchSender(busName))...); err != nil {
			break
		}
	}
	if err == nil { // without a subscriber systemd sends nothing
		err = conn.Object(busName, managerPath).CallWithContext(bounded, manager+".Subscribe", 0).Err
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, classify("watch units", err)
	}
	return conn, signals, nil
}

type watcher struct {
	patterns []string
	out      chan Change
}

// run owns the connection and the channel. It ends with ctx.
func (w *watcher) run(ctx context.Context, conn *dbus.Conn, signals chan *dbus.Signal) {
	defer close(w.out)
	for {
		err := w.pump(ctx, signals)
		_ = conn.Close()
		if ctx.Err() != nil {
			return
		}
		if !w.send(ctx, Change{Err: err}) {
			return
		}
		if conn, signals = redial(ctx); conn == nil {
			return
		}
		if !w.send(ctx, Change{}) {
			_ = conn.Close()
			return
		}
	}
}

func (w *watcher) send(ctx context.Context, c Change) bool {
	select {
	case w.out <- c:
		return true
	case <-ctx.Done():
		return false
	}
}

// pump merges signals into pending and offers it, at most once per coalesce.
func (w *watcher) pump(ctx context.Context, signals <-chan *dbus.Signal) error {
	var pending pendingUnits
	tick := time.NewTimer(0)
	defer tick.Stop()
	ready := false
	for {
		var out chan Change
		if ready && pending.any() {
			out = w.out
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			ready = true
		case signal, ok := <-signals:
			if !ok {
				return classify("watch units", dbus.ErrClosed)
			}
			pending.add(w.affected(signal))
		case out <- Change{Units: pending.names()}:
			pending, ready = pendingUnits{}, false
			tick.Reset(coalesce)
		}
	}
}

// affected is the unit that a signal is about; all is true when it is about everything.
func (w *watcher) affected(signal *dbus.Signal) (unit string, all bool) {
	switch signal.Name {
	case manager + ".Reloading":
		starting := len(signal.Body) > 0 && signal.Body[0] == true
		return "", !starting
	case manager + ".UnitFilesChanged":
		return "", true
	case manager + ".JobNew", manager + ".JobRemoved":
		if len(signal.Body) > 2 {
			unit, _ = signal.Body[2].(string)
		}
	default:
		unit = unitOfPath(signal.Path)
	}
	for _, pattern := range w.patterns {
		if ok, _ := path.Match(pattern, unit); ok || pattern == unit {
			return unit, false
		}
	}
	return "", false
}

type pendingUnits struct {
	units []string
	all   bool
}

func (p *pendingUnits) add(unit string, all bool) {
	p.all = p.all || all
	if unit != "" && !slices.Contains(p.units, unit) {
		p.units = append(p.units, unit)
	}
}

func (p *pendingUnits) any() bool { return p.all || len(p.units) > 0 }

func (p *pendingUnits) names() []string {
	if p.all {
		return nil
	}
	names := slices.Clone(p.units)
	slices.Sort(names)
	return names
}

// redial tries until it succeeds or ctx ends (then nil).
func redial(ctx context.Context) (*dbus.Conn, chan *dbus.Signal) {
	for wait := time.Second; ; wait = min(2*wait, redialMax) {
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, nil
		case <-pause.C:
		}
		if conn, signals, err := subscribe(ctx); err == nil {
			return conn, signals
		}
	}
}
