// The small interfaces behind which S3, systemd and the journal hide, and the plain values they
// hand over. Rules for every implementation: return when ctx ends; safe for concurrent calls;
// errors are whole sentences made by internal/fault, with a remedy where one is known (the
// console shows both); strings may hold anything, the console makes them printable; unknown
// numbers are negative where 0 would be a claim, unknown times are zero.

package ui

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
)

// Sources are the places that the console reads from. A nil field is a source that does not
// exist here: its panes say so. Why it is missing goes in the matching Missing entry.
type Sources struct {
	Catalogue  Catalogue
	Objectives Objectives // nil: those of Options.Jobs count
	Units      Units
	Timers     Timers
	Journal    Journal
	History    History
	Planner    Planner
	Retention  Retention
	Buckets    Buckets
	Told       Told
	Doctor     Doctor
	Coverage   Coverage // nil: nothing is known
	// Missing tells why a nil source is nil, by "catalogue", "units", "timers", "journal", "planner", "retention", "told".
	Missing map[string]error
}

// Catalogue reads the bucket.
type Catalogue interface {
	// Sets is everything below the prefix, every instance, newest first; native, legacy and
	// incomplete ones, with their proofs. Called at the start, every five minutes, after a run
	// ended, and on the r key. Manifests already read should be remembered between calls.
	Sets(ctx context.Context) ([]backup.Set, error)
	// Contents is what the dump of one set holds. For an encrypted set without an identity
	// here: an error with code fault.NotPermitted and a remedy.
	Contents(ctx context.Context, set backup.Set) (ContentsView, error)
	// Recipe is the commands that restore the set without pgbtui, one per line, quoted for a
	// shell. It does no I/O.
	Recipe(set backup.Set) []string
}

// Objectives finds out what the jobs promise, where the configuration leaves that to their timers. Until it has
// answered, nothing is judged good.
type Objectives interface {
	// Objectives are those of all jobs, by name. Called at the start, and on the r key. What cannot be asked has the
	// default, and says so.
	Objectives(ctx context.Context) map[string]Objective
}

// Objective is what one job promises.
type Objective struct {
	backup.Objectives        // an RPO of 0 is none: no set is ever late
	RPOFrom           string // where the RPO comes from, in words
}

// ContentsView is the browsable content of a dump.
type ContentsView struct {
	Tables     []TableView // with their rows, in archive order
	Others     []TableView // views, and partitioned tables, whose rows are their partitions'
	Extensions []string
	Roles      []string // that own objects or are granted to
}

// TableView is one table's share of a dump.
type TableView struct {
	Schema, Name string
	Ref          string // as `restore --table` takes it
	Kind         string // of Others: "view"
	Rows         int64  // -1: unknown
	Bytes        int64  // raw COPY text; -1: unknown
}

// Units watches our units over D-Bus.
type Units interface {
	// Watch sends the whole list at once, and again after each change, at most twice a second
	// (STATUS= texts of going runs count as changes, memory and CPU figures ride along and do
	// not). The channel is closed when ctx ends, or when the bus is lost: the console then says
	// so and calls Watch again after ten seconds.
	Watch(ctx context.Context) (<-chan []UnitRun, error)
}

// RunState is what a run is known to be.
type RunState string

// The states of a run. Lost: the unit is gone without a result (reboot, OOM kill), never shown
// as ok. Skipped: a condition kept the unit from running, which systemd calls success.
const (
	RunQueued    RunState = "queued"
	RunPreflight RunState = "preflight"
	RunRunning   RunState = "running"
	RunFinishing RunState = "finishing"
	RunOK        RunState = "ok"
	RunWarn      RunState = "warn"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
	RunLost      RunState = "lost"
	RunSkipped   RunState = "skipped"
	RunUnknown   RunState = "?"
)

// Live reports whether the run goes on.
func (s RunState) Live() bool {
	switch s {
	case RunQueued, RunPreflight, RunRunning, RunFinishing:
		return true
	case RunOK, RunWarn, RunFailed, RunCancelled, RunLost, RunSkipped, RunUnknown:
	}
	return false
}

// UnitRun is the live or the last run of one unit. A unit that never ran is not in the list.
type UnitRun struct {
	Unit       string // "postgres-backup@main.service"; the run's key
	Action     string // "backup", "verify", "drill", "prune", "watch", "restore"
	Job        string // of the configuration; "" when unknown
	Database   string // of the source; "" when unknown
	Target     string // restore: the database that is made, filled or replaced; verify: the set
	Replaces   bool   // restore: the target is a live database; without Database, a kept one takes its place
	State      RunState
	Status     string    // STATUS= of a live run, as backup.Progress.Status writes it
	StartedAt  time.Time // zero: unknown
	EndedAt    time.Time // zero while live, or unknown
	Invocation string    // systemd's, 32 hex digits; leads to the journal lines
	Trigger    string    // "timer", "operator", "cli"; "" unknown
	Detail     string    // why: exit code in words, "killed by signal 9 (OOM)", the condition that failed
	Remedy     string    // one imperative sentence, or ""
	Attempt    int       // of a retrying unit, 1 = first; 0 unknown
	Attempts   int       // that systemd makes in all; 0 unknown
	Set        string    // ID of the set that it made or read; "" unknown, or several
	Bytes      int64     // stored by a backup, read by a verification; 0: unknown
	Again      bool      // it can be started once more as it is: a job's unit, or one that proves a set
	Memory     int64     // bytes now; -1 unknown
	MemoryHigh int64     // the unit's limit; -1 none or unknown
	CPU        time.Duration
}

// Timers reads our timers.
type Timers interface {
	// Timers is every timer of ours, the backups' first, each group sorted by name: also those
	// that only the configuration knows. Called at the start, when a run
	// starts or ends, each minute while somebody looks at it, and on the r key.
	Timers(ctx context.Context) ([]Timer, error)
}

// TimerState is whether a timer does its work.
type TimerState string

// The states of a timer. Only one that is on will fire, now and after a reboot.
const (
	TimerOn      TimerState = "on"
	TimerOff     TimerState = "off"     // neither enabled nor running
	TimerMissed  TimerState = "missed"  // on, should have fired, and did not
	TimerStopped TimerState = "stopped" // enabled, but not running: nothing until the next boot
	TimerUnsaved TimerState = "unsaved" // running, but gone after a reboot
	TimerMasked  TimerState = "masked"
	TimerFailed  TimerState = "failed"
	TimerMissing TimerState = "missing" // no such unit file
	TimerBroken  TimerState = "broken"  // the unit file cannot be loaded
)

// Timer is one timer as systemd sees it.
type Timer struct {
	Unit       string // "postgres-backup@main.timer"
	Service    string // that it starts
	Action     string // of the service, as in UnitRun
	Job        string
	Database   string
	Enabled    string // UnitFileState: "enabled", "disabled", "masked", ...
	Active     bool
	Calendar   []string    // OnCalendar= texts
	Next       time.Time   // with the random delay; zero: none
	Last       time.Time   // zero: never
	Upcoming   []time.Time // the next five, without delay; may be empty
	Jitter     time.Duration
	Accuracy   time.Duration
	Persistent bool     // catches up
	Overridden []string // drop-in files
	State      TimerState
	Problem    string // why it will not fire, or did not: in words; "" when fine
	Remedy     string // of the problem
	Wanted     bool   // it is off, and the configuration counts on it
}

// Journal reads entries of our units. Only entries that systemd itself vouches for belong here.
type Journal interface {
	// Page is the newest q.Limit entries before q.Before (a cursor, "" = the end), oldest
	// first. No right to read is an error with a remedy, never an empty page.
	Page(ctx context.Context, q JournalQuery) (JournalPage, error)
	// Follow sends entries after q.After (a cursor, "" = from now on) in batches, at most five
	// batches a second, until ctx ends; then it closes the channel.
	Follow(ctx context.Context, q JournalQuery) (<-chan []Entry, error)
}

// History reads the runs that the journal remembers.
type History interface {
	// Ended is a page of runs that are over, or were lost, newest first: those before a position that the page before
	// it gave ("" = the newest). Live ones may be among them.
	Ended(ctx context.Context, before string) (HistoryPage, error)
}

// HistoryPage is one page of runs.
type HistoryPage struct {
	Runs   []UnitRun
	Before string // where the next page begins; "": the journal remembers no more
}

// JournalQuery selects entries.
type JournalQuery struct {
	Unit        string // "" = all of ours
	Invocation  string // "" = all
	MaxPriority int    // syslog: 7 = all, 4 = warnings and worse
	Since       time.Time
	Before      string
	After       string
	Limit       int
}

// JournalPage is one page of entries.
type JournalPage struct {
	Entries []Entry
	More    bool // older ones exist
}

// Entry is one journal entry.
type Entry struct {
	Cursor   string
	Time     time.Time
	Unit     string
	Priority int // syslog, 0..7
	Message  string
	Fields   map[string]string // all others, trusted ones included
}

// Retention tells what a prune would do.
type Retention interface {
	// Plan decides for the sets of one job as `pgbtui prune --dry-run` does, and changes nothing.
	Plan(ctx context.Context, job Job) (PrunePlan, error)
}

// PrunePlan is what retention would do with the sets of one job.
type PrunePlan struct {
	*retention.Pruning
	Rules  string         // "days 30, weekly 8"; "" when there is none, and no set is ever deleted
	By     string         // who deletes by these rules, in words
	Hidden *backup.Hidden // what versions hide; nil: could not be counted
	// MonthlyUSD is about what a leftover costs until it is removed.
	MonthlyUSD func(*retention.Leftover) (usd float64, known bool)
}

// Buckets reads how the buckets are set up, and what lies there and costs.
type Buckets interface {
	// Buckets is each bucket of the configuration once. What one of them does not tell is an error in its place, and
	// the rest is shown. Called when the screen is entered, and on the r key there.
	Buckets(ctx context.Context) ([]BucketView, error)
	// Projections are what each job will cost, as it goes on and with changes as `pgbtui cost --if` takes them.
	Projections(ctx context.Context, changes []string) ([]Projection, error)
}

// BucketView is one bucket.
type BucketView struct {
	Place  string // "s3://backups/"
	Region string

	Settings   [][2]string // what it is set to: name and value
	Differs    []string    // what `pgbtui aws bucket plan` would change
	Harms      []string    // what rules of others do to sets
	PostureErr error       // why its settings are not known

	Prices string // what list, of when
	Costs  []CostView

	Left    []LeftView // what runs left that never committed
	LeftErr error      // why its open uploads are not known
}

// CostView is what the sets of one database, job and storage class cost a month.
type CostView struct {
	Job, Database, Class string
	Sets                 int
	Bytes                int64
	USD                  float64
	Known                bool // the price
}

// LeftView is one leftover.
type LeftView struct {
	What  string
	At    time.Time
	Bytes int64 // -1: unknown
	USD   float64
	Known bool
}

// Projection is what one job will cost a month, in the months of ProjectedMonths.
type Projection struct {
	Job, Database string
	GoesOn        []float64 // nil: not known
	IfSo          []float64 // with the changes; nil: none were asked for, or not known
	Note          string    // why something is not known
}

// ProjectedMonths are those that a projection tells of.
var ProjectedMonths = []int{1, 3, 12}

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
	// Outlook is about what that costs and how long it takes. It does no I/O.
	Outlook(set backup.Set) ThawOutlook
	// Thaw asks the store for every archived object of the set, and writes an audit line.
	Thaw(ctx context.Context, set backup.Set) error
}

// ThawOutlook is what a person should know before a thaw.
type ThawOutlook struct {
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
