package ui

import "context"

// Doctor looks at what backups and restores stand on.
type Doctor interface {
	// Examine looks at the check that only names, or at all ("") of every job; inUnit: also from the unit in which backups
	// run, whose word counts. It may take minutes, and writes and removes objects beside the sets.
	Examine(ctx context.Context, only string, inUnit bool) (Examination, error)
	// Report writes what was found so far into a file for a ticket, without secrets, and names it.
	Report(ctx context.Context) (file string, err error)
}

// Examination is what a look came to.
type Examination struct {
	Checks []Checkup // by job, each the worst first
	Notice string    // why nothing was looked at from the unit, or ""
}

// The results of a check.
const (
	CheckOK      = "OK"
	CheckWarn    = "WARN"
	CheckFail    = "FAIL"
	CheckUnknown = "?"
)

// Checkup is one check's result.
type Checkup struct {
	Job, Database string
	ID            string
	Result        string
	Tried         string
	Seen          string
	Why           string
	Remedy        string
	Statement     string // for the key's policy, as JSON; "" = none
	Docs          string
	From          string // where it was looked from
	Other         string // what the other place saw, where that differs
}
