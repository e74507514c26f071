// Package watch finds what is wrong with each job, its timer and its units, and which of that is news. The hourly
// watch, the alert of a failed unit, `status` and the console agree, because they all decide it here.
//
// Rules: judging a snapshot (judge.go) and reconciling the findings with known incidents (incident.go) are pure
// functions. What could not be read is not judged: a backup is not missing because a bucket did not answer. Incidents
// are remembered in a small file (state.go); without it everything is news once more.
package watch

import "codeberg.org/pgbtui/pgbtui/internal/backup"

// Severity orders findings.
type Severity int

// The severities.
const (
	Warning  Severity = iota // wants attention
	Critical                 // an objective is breached, or will be unless somebody acts
)

// String is the word in documents and in the configuration.
func (s Severity) String() string {
	if s == Critical {
		return "critical"
	}
	return "warning"
}

// Kind is the sort of a problem. With its subject it says which incident a finding belongs to.
type Kind string

// The kinds. The first are those that the sets show.
const (
	KindBackup    = Kind(backup.ProblemBackup)
	KindIntegrity = Kind(backup.ProblemIntegrity)
	KindDrill     = Kind(backup.ProblemDrill)
	KindProof     = Kind(backup.ProblemProof)
	KindRTO       = Kind(backup.ProblemRTO)
	KindWarnings  = Kind(backup.ProblemWarnings)
	KindClock     = Kind(backup.ProblemClock)
	KindTrust     = Kind(backup.ProblemTrust)
	KindRollback  = Kind(backup.ProblemRollback)
	KindLoss      = Kind(backup.ProblemLoss)
	KindGone      = Kind(backup.ProblemGone)

	KindRun     Kind = "run"     // the last run of a unit failed, or systemd skipped it
	KindTimer   Kind = "timer"   // the timer will not fire
	KindMissed  Kind = "missed"  // the timer should have fired and did not
	KindUnit    Kind = "unit"    // the service is masked, missing, broken or not ours
	KindBucket  Kind = "bucket"  // the bucket cannot be read
	KindSystemd Kind = "systemd" // systemd does not answer
	KindCopy    Kind = "copy"    // a copy is late, damaged or out of reach
	KindNew     Kind = "new"     // a database that no run had found before
	KindChannel Kind = "channel" // a channel refuses alerts
	KindMetrics Kind = "metrics" // a monitoring system does not take metrics

	KindSchedule  Kind = "schedule"  // a timer does not fire when the configuration says
	KindUncovered Kind = "uncovered" // databases of a server that no job backs up
)

// UnusableChannel is the subject of an address that no channel can be made of.
const UnusableChannel = "a channel that cannot be used"

// Finding is one thing that is wrong now.
type Finding struct {
	// A job, a cluster, of KindRun the unit, a place in a bucket, a channel; "" is this host.
	Subject  string   `json:"subject"`
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Remedy   string   `json:"remedy,omitempty"`
	// Notice is for what is told once: nothing is wrong, nobody is reminded, and there is no all-clear.
	Notice bool `json:"notice,omitempty"`

	// Cause is how a run ended. If it changes, people are notified again. Most kinds have none.
	Cause string `json:"cause,omitempty"`
	// Run is which run failed, for KindRun.
	Run *Run `json:"run,omitempty"`
}

// key says which incident a finding belongs to.
type key struct {
	subject string
	kind    Kind
}

// Text is the finding with its remedy.
func (f Finding) Text() string { return backup.Problem{What: f.What, Remedy: f.Remedy}.Text() }

func (f Finding) key() key { return key{f.Subject, f.Kind} }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. An unknown word is critical: better one alert too many than one
// too few.
func (s *Severity) UnmarshalText(word []byte) error {
	*s = Critical
	if string(word) == Warning.String() {
		*s = Warning
	}
	return nil
}
