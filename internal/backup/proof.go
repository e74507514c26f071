package backup

import (
	"fmt"
	"time"
)

// Level is how much is known about a set. Higher levels include the lower ones.
type Level int

// The levels of proof.
const (
	LevelNone     Level = iota // nothing known (foreign and legacy sets)
	LevelStored                // size and checksum confirmed by the store
	LevelReadable              // read back, decrypted, decompressed, decoded by pg_restore
	LevelRestored              // restored into a scratch database, rows compared
)

// ParseLevel is LevelNone for words that this program does not know.
func ParseLevel(word string) Level {
	for l := LevelRestored; l > LevelNone; l-- {
		if l.String() == word {
			return l
		}
	}
	return LevelNone
}

// String is the level's word on screen and in JSON.
func (l Level) String() string {
	return [...]string{"none", "stored", "readable", "restored"}[l]
}

// Proof is one piece of evidence, stored beside the set, append-only; failed ones too.
type Proof struct {
	Schema       int         `json:"schema"`
	Set          string      `json:"set"`
	Kind         string      `json:"kind"` // "verify", "restore", "drill"
	Level        string      `json:"level"`
	OK           bool        `json:"ok"`
	StartedAt    time.Time   `json:"startedAt"`
	FinishedAt   time.Time   `json:"finishedAt"`
	Host         string      `json:"host"`
	InvocationID string      `json:"invocationId,omitempty"`
	Bytes        int64       `json:"bytes"` // read from the store
	Tables       int         `json:"tables"`
	Rows         int64       `json:"rows"`
	Sample       *Sample     `json:"sample,omitempty"`    // nil: everything was read
	NotProven    []string    `json:"notProven,omitempty"` // what this evidence does not show
	Error        string      `json:"error,omitempty"`
	Fault        FaultKind   `json:"fault,omitempty"`    // of one that failed; "" in those from before it was told
	Objects      []string    `json:"objects,omitempty"`  // that could not be restored, as pg_restore names them
	Warnings     []string    `json:"warnings,omitempty"` // what a person should know although it is proven
	Drill        *DrillFacts `json:"drill,omitempty"`
	Stages       []StageTime `json:"stages,omitempty"`
}

// Sample is what part of a dump was read.
type Sample struct {
	Frames   int   `json:"frames"`   // of 1 MiB of the dump, chosen at random
	OfFrames int   `json:"ofFrames"` // that the dump has
	RawBytes int64 `json:"rawBytes"` // in the frames read
}

// Shown is what a successful proof shows, in words.
func (p *Proof) Shown() string {
	switch {
	case p.Sample != nil:
		return fmt.Sprintf("%d of %d parts of the dump read back", p.Sample.Frames, p.Sample.OfFrames)
	case ParseLevel(p.Level) < LevelReadable:
		return "stored bytes as recorded"
	}
	return fmt.Sprintf("%d tables, %d rows", p.Tables, p.Rows)
}
