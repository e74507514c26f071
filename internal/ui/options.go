// Package ui is the console: a small shell, one file per screen, one theme, one key table per
// screen.
//
// Rules: it never owns work (runs are units; it starts, watches, cancels them); Update and View
// do no I/O (commands are made from the small interfaces of sources.go); what comes from outside
// passes printable before it is drawn, and the frame filter behind every View lets nothing but
// our own colours through; every Charm import stays below this folder.
package ui

import (
	"os"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	_ "codeberg.org/pgbtui/pgbtui/internal/ui/noquery" // before Bubble Tea, see there
)

// Options is everything that the console needs from outside.
type Options struct {
	Identity Identity
	Jobs     []Job // configured, sorted by name; may be empty
	// JobsIn are the jobs once the sets are known, where databases are found; nil: as Jobs.
	JobsIn  func([]backup.Set) []Job
	Sources Sources
	// Write holds what changes things. The zero value makes the console read-only: the
	// screens are never given the methods, and their keys are greyed with Write.Denied.
	Write Write
	Look  Look

	RestoreCommand string // begins the command lines of restores, see backup.RestoreCommand; default "pgbtui"

	Now    func() time.Time // default time.Now
	Zone   *time.Location   // of times on screen; default time.Local
	Input  *os.File         // default os.Stdin
	Output *os.File         // default os.Stdout
	Env    func(string) string
}

// Identity is what line 1 shows. Empty fields are left out.
type Identity struct {
	Host     string // short host name
	Cluster  string // PostgreSQL cluster, "15/main"
	Instance string // first folder below the prefix: which sets are ours
	Label    string // environment; "production" is drawn in reverse red
	Version  string // of pgbtui
	Place    string // where sets go, "s3://bucket/postgresql"

	Overridden []string // variables of this shell that take the place of what the units use
}

// Job is one configured backup job.
type Job struct {
	Name     string
	Instance string // "": that of Identity
	Database string
	Schema   string       // of a tenant; "": the whole database
	Whose    backup.Whose // which sets are its own
	Unit     string       // that b starts, "postgres-backup@main.service"
	Prune    string       // that carries out retention, "postgres-backup-prune@main.service"
	CLI      string       // the line that does the same, "systemctl start postgres-backup@main.service"

	Objective // unless Sources.Objectives tells it

	Several   bool      // its unit works for other databases too, each of which has a Job of its own here
	Subject   string    // how incidents name it; "": by Name
	GoneSince time.Time // the database was dropped then
}

// Look is how frames are drawn.
type Look struct {
	NoColor bool // removes colour and nothing else
	ASCII   bool // the locale is not UTF-8
}

// withDefaults fills what the caller left out.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.RestoreCommand == "" {
		o.RestoreCommand = "pgbtui"
	}
	if o.Input == nil {
		o.Input = os.Stdin
	}
	if o.Output == nil {
		o.Output = os.Stdout
	}
	if o.Env == nil {
		o.Env = os.Getenv
	}
	return o
}
