package backup

import (
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

var epoch = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// old is a good native set of so many days before epoch.
func old(days float64, change ...func(*Set)) Set {
	at := epoch.Add(-time.Duration(days * 24 * float64(time.Hour)))
	s := Set{ID: at.Format(idTime) + "-000000", Kind: KindNative, Instance: "i", Database: "d", FinishedAt: at, Manifest: &Manifest{}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func proven(l Level, ok bool) func(*Set) {
	return func(s *Set) {
		s.Proofs = append(s.Proofs, Proof{Level: l.String(), OK: ok, FinishedAt: s.FinishedAt, Error: "planted"})
	}
}

func incomplete(s *Set) { s.Kind, s.Manifest, s.Problem = KindIncomplete, nil, "no manifest" }

func legacy(s *Set) { s.Kind, s.Manifest, s.Instance = KindLegacy, nil, "" }

func broken(s *Set) { s.Problem = "dump is missing" }

func signed(s *Set) { s.Signature = SignatureGood }

func unsigned(s *Set) {
	s.Signature, s.Problem, s.ProblemCode = SignatureMissing, "nobody signed it", fault.Refused
}

func forged(s *Set) {
	s.Signature, s.Problem, s.ProblemCode = SignatureForged, "forged", fault.Integrity
}

func held(s *Set) { s.Hold = &Hold{By: "ada", Host: "db1", At: epoch, Reason: "audit"} }

// locked is until so long after epoch.
func locked(d time.Duration) func(*Set) { return func(s *Set) { s.LockedUntil = epoch.Add(d) } }

// by makes a set one of a job.
func by(job string) func(*Set) { return func(s *Set) { s.Job = job } }

// ago is a time so many days before now.
func ago(days float64) time.Time {
	return time.Now().Add(-time.Duration(days * 24 * float64(time.Hour)))
}

// told keeps what a meter reports.
type told struct {
	mu  sync.Mutex
	all []Progress
}

func (l *told) add(p Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p)
}

func (l *told) last() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[len(l.all)-1]
}
