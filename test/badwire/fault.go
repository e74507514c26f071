// Package badwire is a TCP proxy for tests that breaks connections on order, at the byte that is wanted.
//
// What it breaks is below HTTP and TLS: a request that ends in its middle, an answer of which half arrives, a
// peer that falls silent, a wire that carries a byte at a time. test/s3server misbehaves in what it says;
// here it is the way there.
package badwire

import "sync"

// Kind is a way to break.
type Kind string

// The kinds.
const (
	// Reset ends the connection with a TCP reset, on both sides.
	Reset Kind = "reset"
	// Close ends it in order, as a proxy does that is told to stop.
	Close Kind = "close"
	// HalfClose ends it in order in the fault's direction only; the other one goes on.
	HalfClose Kind = "half-close"
	// Stall carries nothing more in the fault's direction; the connection stays until a side leaves.
	Stall Kind = "stall"
	// Trickle carries the next Bytes one by one, Pause apart, then goes on as before.
	Trickle Kind = "trickle"
)

// Way is a direction.
type Way int

// The directions, as the client sees them.
const (
	Up   Way = iota // what it sends
	Down            // what it gets
)

// Fault breaks connections when After bytes have passed one of them in its direction, and another one is
// about to.
type Fault struct {
	Kind  Kind
	Way   Way
	After int64
	Times int // that many connections; 0 is for ever
	Bytes int // Trickle
}

// orders is the fault in force.
type orders struct {
	mu     sync.Mutex
	fault  *Fault
	struck int
}

func (o *orders) set(f *Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault, o.struck = f, 0
}

// after is how many bytes may pass in a direction before it is the fault's turn; false: all.
func (o *orders) after(way Way) (int64, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.stands(way) {
		return 0, false
	}
	return o.fault.After, true
}

// strike is the fault, if it is still somebody's turn.
func (o *orders) strike(way Way) (Fault, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.stands(way) {
		return Fault{}, false
	}
	o.struck++
	return *o.fault, true
}

func (o *orders) stands(way Way) bool {
	return o.fault != nil && o.fault.Way == way && (o.fault.Times == 0 || o.struck < o.fault.Times)
}
