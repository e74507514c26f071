package ui

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// What the console may have done: it starts units, and never does the work itself.

// Write holds what changes things.
type Write struct {
	Actions Actions
	Cancel  Canceller
	Holder  Holder
	Thawer  Thawer
	Denied  string // why Actions is nil, in words: "read-only by configuration"
}

// Actions start units. Each resets the unit's failed state first, does not wait for the end,
// writes one audit line to the journal, and answers which unit runs now. A denied start is an
// error with code fault.NotPermitted whose remedy names the group or polkit rule.
type Actions interface {
	Start(ctx context.Context, s Service) (Started, error)
	Prove(ctx context.Context, how Proving, set backup.Set) (Started, error)
	Restore(ctx context.Context, r RestoreRequest) (Started, error)
}

// Service is an installed unit to start, and what the audit line says of it: "back up" and a
// database's name.
type Service struct{ Unit, What, Target string }

// Proving is a way to prove a set; its word is the verb of the command line and the proof's kind.
type Proving string

// The ways to prove a set.
const (
	ProveReadable Proving = "verify"
	ProveRestored Proving = "drill"
)

// Holder keeps a set from retention, or lets it go again. Both write an audit line; the reason
// may be empty.
type Holder interface {
	Hold(ctx context.Context, set backup.Set, reason string) error
	Release(ctx context.Context, set backup.Set, reason string) error
	// Acknowledge says that somebody knows what is lost of a set, and why: it is told no more.
	Acknowledge(ctx context.Context, set backup.Set, reason string) error
}

// Thawer brings sets back that lie in an archive class.
type Thawer interface {
	// Outlooks are about what that costs and how long it takes, by each tier that the set's class has, the cheapest
	// first. It does no I/O.
	Outlooks(set backup.Set) []ThawOutlook
	// Thaw asks the store for every archived object of the set by a tier, and writes an audit line.
	Thaw(ctx context.Context, set backup.Set, tier string) error
}

// ThawOutlook is what a person should know before a thaw.
type ThawOutlook struct {
	Tier  string  // bulk, standard or expedited
	USD   float64 // retrieval, and the copy for its days
	Known bool    // the price
	Takes string  // by AWS, in words
	Days  int     // for which the copy can be read
	CLI   string  // the options of pgbtui thaw that do the same
}

// Canceller stops a run's unit. The reason, possibly empty, goes to the journal.
type Canceller interface {
	Cancel(ctx context.Context, unit, reason string) error
}

// Started is the answer of an action.
type Started struct {
	Unit           string
	AlreadyRunning bool // it ran before; the start was merged into that run
}
