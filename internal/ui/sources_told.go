package ui

import (
	"context"
	"time"
)

// What the watch has told, and what no job covers.

// Told is what the hourly watch has told somebody and is not over.
type Told interface {
	// Open is every incident that is open, oldest first. Called like Timers.
	Open(ctx context.Context) ([]Incident, error)
}

// Coverage is what this host's runs saw of their servers.
type Coverage interface {
	// Uncovered are the databases that no job backs up, sorted. Of servers that no run has asked there are none. Called
	// like Told.
	Uncovered(ctx context.Context) []Uncovered
}

// Uncovered is a database that no job backs up.
type Uncovered struct {
	Database string
	Server   string // for people, as incidents name it
}

// Incident is one that is open.
type Incident struct {
	Subject  string // a job, a unit, a timer, a place in a bucket, a channel; "" is this host
	Kind     string // as package watch calls it
	Critical bool
	What     string
	Remedy   string
	OpenedAt time.Time
	// Undelivered is set when no channel took the alert.
	Undelivered bool

	Invocation string // systemd's, of the run that failed; "" where it is about no run
}
