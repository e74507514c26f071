package ui

import (
	"context"
	"time"
)

// Runs and timers, as systemd has them.

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
	Action     string // "backup", "verify", "drill", "prune", "watch", "restore", "cluster status", "cluster restore"
	Job        string // of the configuration; "" when unknown
	Database   string // of the source; "" when unknown
	Target     string // restore: the database it fills or replaces; verify: the set; cluster: its name, or the copy's
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
