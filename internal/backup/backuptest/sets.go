// Package backuptest makes sets as a listing shows them, for tests of what is decided about sets.
package backuptest

import (
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Epoch is the time that ages of these sets count from.
var Epoch = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// Old is a good native set of so many days before epoch.
func Old(days float64, change ...func(*backup.Set)) backup.Set {
	at := Epoch.Add(-time.Duration(days * 24 * float64(time.Hour)))
	s := backup.Set{
		ID: at.Format(backup.IDTime) + "-000000", Kind: backup.KindNative, Instance: "i", Database: "d", FinishedAt: at,
		Manifest: &backup.Manifest{},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

// Proven gives a set a proof of a level, or a failed one.
func Proven(l backup.Level, ok bool) func(*backup.Set) {
	return func(s *backup.Set) {
		s.Proofs = append(s.Proofs, backup.Proof{Level: l.String(), OK: ok, FinishedAt: s.FinishedAt, Error: "planted"})
	}
}

// Incomplete makes a set what a run left that never committed.
func Incomplete(s *backup.Set) {
	s.Kind, s.Problem = backup.KindIncomplete, "no manifest"
	s.Manifest = nil
}

// Legacy makes a set an object of the old script.
func Legacy(s *backup.Set) {
	s.Kind, s.Instance = backup.KindLegacy, ""
	s.Manifest = nil
}

// Broken makes a set one whose dump is gone.
func Broken(s *backup.Set) { s.Problem = "dump is missing" }

// Signed makes a set one that a trusted key signed.
func Signed(s *backup.Set) { s.Signature = backup.SignatureGood }

// Unsigned makes a set one without a signature, where signatures count.
func Unsigned(s *backup.Set) {
	s.Signature = backup.SignatureMissing
	s.Problem, s.ProblemCode = "nobody signed it", fault.Refused
}

// Forged makes a set one whose signature is of no trusted key.
func Forged(s *backup.Set) {
	s.Signature = backup.SignatureForged
	s.Problem, s.ProblemCode = "forged", fault.Integrity
}

// Held makes a set one that somebody keeps.
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

// Add is a function for Env.Progress.
func (l *Told) Add(p backup.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.All = append(l.All, p)
}

// Last is what was reported last.
func (l *Told) Last() backup.Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.All[len(l.All)-1]
}
