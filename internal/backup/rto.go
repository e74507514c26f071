package backup

import (
	"math"
	"slices"
	"time"
)

// How long a restore will take, from restores that were made: never a guess from sizes alone. The
// newest evidence counts, the set's own before that of others of its job, and these before those of other
// jobs of its database.

// Estimate is how long a restore will take, and how that is known.
type Estimate struct {
	Duration time.Duration
	From     *Proof // the restore or drill that was timed
	Scaled   bool   // another set was timed, and the time scaled by the two dumps' raw sizes
}

// restoreStages are those that a restore needs; a drill's own server is none of them.
var restoreStages = []Stage{
	StagePreflight, StageRead, StageGlobals, StageCreate, StageRestore, StageFinish, StageCompare,
}

// RestoreTime foretells a restore of set from the newest successful proof of level restored: its
// own, else that of a set of the same job, else of the same instance and database. ok is false when none
// was ever restored.
func RestoreTime(sets []Set, set *Set) (e Estimate, ok bool) {
	if set == nil {
		return Estimate{}, false
	}
	if proof, took := lastTimed(set); proof != nil {
		return Estimate{Duration: took, From: proof}, true
	}
	var from *Set
	for i := range sets {
		other := &sets[i]
		if other.Scope() != set.Scope() {
			continue
		}
		proof, took := lastTimed(other)
		if proof == nil || from != nil && from.Job == set.Job && other.Job != set.Job {
			continue
		}
		if from == nil || other.Job == set.Job && from.Job != set.Job || proof.FinishedAt.After(e.From.FinishedAt) {
			e, from = Estimate{Duration: took, From: proof}, other
		}
	}
	if from == nil {
		return Estimate{}, false
	}
	e.Duration, e.Scaled = scaled(e.Duration, rawBytesOf(set), rawBytesOf(from))
	return e, true
}

// lastTimed is a set's newest proof that tells how long a restore took, or nil.
func lastTimed(set *Set) (proof *Proof, took time.Duration) {
	for i := range set.Proofs {
		p := &set.Proofs[i]
		if !p.OK || ParseLevel(p.Level) != LevelRestored || (proof != nil && !p.FinishedAt.After(proof.FinishedAt)) {
			continue
		}
		if t, ok := restoreTook(p); ok {
			proof, took = p, t
		}
	}
	return proof, took
}

// restoreTook is the time of a proof's restore: that of its stages, else from start to end. It is
// a second at least, the finest that old documents know. ok is false when a clock was set back.
func restoreTook(p *Proof) (took time.Duration, ok bool) {
	var seconds float64
	for _, s := range p.Stages {
		if slices.Contains(restoreStages, s.Stage) && s.Seconds > 0 {
			seconds += s.Seconds
		}
	}
	took = p.FinishedAt.Sub(p.StartedAt)
	if seconds > 0 {
		took = capped(seconds * float64(time.Second))
	}
	return max(time.Second, took), took >= 0
}

// scaled multiplies by the ratio of two sizes where both are known.
func scaled(took time.Duration, want, had int64) (time.Duration, bool) {
	if want <= 0 || had <= 0 {
		return took, false
	}
	return max(time.Second, capped(float64(took)*(float64(want)/float64(had)))), true
}

// capped is a duration that a float64 of nanoseconds cannot overflow.
func capped(nanoseconds float64) time.Duration {
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanoseconds)
}

func rawBytesOf(s *Set) int64 {
	if s.Manifest == nil {
		return 0
	}
	return s.Manifest.RawBytes()
}
