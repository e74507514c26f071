// Package backuptest makes sets as a listing shows them, for tests of what is decided about sets.
package backuptest

import (
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

var Epoch = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// Old is a good native set of so many days before epoch.
func Old(days float64, change ...func(*backup.Set)) backup.Set {
	at := Epoch.Add(-time.Duration(days * 24 * float64(time.Hour)))
	s := backup.Set{ID: at.Format(backup.IDTime) + "-000000", Kind: backup.KindNative, Instance: "i", Database: "d", FinishedAt: at, Manifest: &backup.Manifest{}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func Proven(l backup.Level, ok bool) func(*backup.Set) {
	return func(s *backup.Set) {
		s.Proofs = append(s.Proofs, backup.Proof{Level: l.String(), OK: ok, FinishedAt: s.FinishedAt, Error: "planted"})
	}
}

func Incomplete(s *backup.Set) {
	s.Kind, s.Manifest, s.Problem = backup.KindIncomplete, nil, "no manifest"
}

func Legacy(s *backup.Set) { s.Kind, s.Manifest, s.Instance = backup.KindLegacy, nil, "" }

func Broken(s *backup.Set) { s.Problem = "dump is missing" }

func Signed(s *backup.Set) { s.Signature = backup.SignatureGood }

func Unsigned(s *backup.Set) {
	s.Signature, s.Problem, s.ProblemCode = backup.SignatureMissing, "nobody signed it", fault.Refused
}

func Forged(s *backup.Set) {
	s.Signature, s.Problem, s.ProblemCode = backup.SignatureForged, "forged", fault.Integrity
}

func Held(s *backup.Set) { s.Hold = &backup.Hold{By: "ada", Host: "db1", At: Epoch, Reason: "audit"} }

// Locked is until so long after epoch.
func Locked(d time.Duration) func(*backup.Set) {
	return func(s *backup.Set) { s.LockedUntil = Epoch.Add(d) }
}

// By makes a set one of a job.
func By(job string) func(*backup.Set) { return func(s *backup.Set) { s.Job = job } }

// Ago is a time so many days before now.
func Ago(days float64) time.Time {
	return time.Now().Add(-time.Duration(days * 24 * float64(time.Hour)))
}

// Told keeps what a meter reports.
type Told struct {
	mu  sync.Mutex
	All []backup.Progress
}

func (l *Told) Add(p backup.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.All = append(l.All, p)
}

func (l *Told) Last() backup.Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.All[len(l.All)-1]
}
