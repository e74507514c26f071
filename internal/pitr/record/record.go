// Package record is what is known of each cluster, as the host's look wrote it down. Only the owner of a server's files
// may look at a cluster, so a unit of that user looks, and everybody who watches, measures or shows reads this. Rules:
//
//   - the file is replaced as a whole, and holds no secret
//   - each look has its time: what is older than Stale is told as old, and is never good news
//   - a reader is another user than the writer, so what is read is bounded, checked, and made safe for a screen
package record

import (
	"time"
)

// Cluster is what one look at a cluster found.
type Cluster struct {
	Cluster       string    `json:"cluster"`
	Engine        string    `json:"engine"`
	EngineVersion string    `json:"engineVersion,omitempty"`
	Stanza        string    `json:"stanza"`
	At            time.Time `json:"at"` // of the look
	OK            bool      `json:"ok"`
	Summary       string    `json:"summary,omitempty"`     // what can be recovered, in one line
	LossSummary   string    `json:"lossSummary,omitempty"` // what would be lost with this host, as a sentence

	Windows    []Window     `json:"windows"`
	Gaps       []Gap        `json:"gaps"`
	Backups    []BaseBackup `json:"backups"`
	Elsewhere  []int        `json:"otherTimelines"` // whose WAL recovery to the newest one does not go through
	Loss       *int64       `json:"lossSeconds"`    // null: not known
	Commits    int          `json:"lossCommits"`
	Ready      int          `json:"readySegments"`
	RPOSeconds int64        `json:"rpoSeconds"`
	Proof      *Proof       `json:"proof,omitempty"` // of the newest drill that was one
	Problems   []Problem    `json:"problems"`
	Error      *Error       `json:"error,omitempty"` // why nothing is known
}

// Proof is what a drill has shown of a cluster.
type Proof struct {
	Cluster      string            `json:"cluster"`
	OK           bool              `json:"ok"`
	Failure      string            `json:"failure,omitempty"`
	FinishedAt   time.Time         `json:"finishedAt"`
	Target       time.Time         `json:"target"`
	Set          string            `json:"set"`
	Timeline     int64             `json:"timeline"`
	Commit       *time.Time        `json:"lastCommitAt"`
	Next         *time.Time        `json:"nextCommitAt"`
	RTOSeconds   float64           `json:"rtoSeconds"`
	FilesSeconds float64           `json:"filesSeconds"`
	ClusterBytes int64             `json:"clusterBytes"`
	WALBytes     int64             `json:"walBytes"`
	Databases    []DrilledDatabase `json:"databases,omitempty"`
	NotProven    []string          `json:"notProven,omitempty"`
}

// DrilledDatabase is one that a drill has connected to, with what it counted.
type DrilledDatabase struct {
	Name      string `json:"name"`
	Relations int64  `json:"relations"`
	Tables    int64  `json:"tables"`
	Rows      int64  `json:"rows"`
	Bytes     int64  `json:"sizeBytes"`
	Amcheck   string `json:"amcheck,omitempty"`
}

// BaseBackup is one of the engine's, as it lists it.
type BaseBackup struct {
	Label       string    `json:"label"`
	Kind        string    `json:"kind"` // full, diff, incr
	StartedAt   time.Time `json:"startedAt"`
	StoppedAt   time.Time `json:"stoppedAt"`
	Bytes       int64     `json:"clusterBytes"`
	StoredBytes int64     `json:"storedBytes"`
	BadPages    bool      `json:"badPages"`
	Usable      bool      `json:"usable"`
}

// Window is a time in which any second can be recovered.
type Window struct {
	After    time.Time `json:"after"` // a target has to be later
	Until    time.Time `json:"until"`
	Timeline int       `json:"timeline"`
	Backups  []string  `json:"backups"`
	First    string    `json:"firstSegment"`
	Last     string    `json:"lastSegment"`
}

// Gap is a time between windows, or behind the last one.
type Gap struct {
	From     time.Time  `json:"from"`
	To       *time.Time `json:"to"` // null: there is no backup behind it yet
	Missing  int        `json:"missingSegments"`
	Segments []string   `json:"segments"`
}

// Problem is something that is wrong with a cluster, with what to do about it. Its kinds are those of package pitr.
type Problem struct {
	Kind   string `json:"kind"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// Error is why a look failed.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// Stale is the age from which on a look says nothing of how things stand now: the unit looks four times an hour.
const Stale = time.Hour

// Old reports whether a look says nothing of how things stand now. One from the future is of a clock that was wrong.
func (c Cluster) Old(now time.Time) bool {
	age := now.Sub(c.At)
	return age > Stale || age < -5*time.Minute
}

// Newest is the window that reaches furthest.
func (c Cluster) Newest() (Window, bool) {
	if len(c.Windows) == 0 {
		return Window{}, false
	}
	return c.Windows[len(c.Windows)-1], true
}
