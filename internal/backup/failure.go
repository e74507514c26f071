package backup

import "regexp"

// FaultKind tells the two kinds of failure apart that evidence can show. They ask for different things: bytes
// that are bad are never restored; a set that does not restore as a whole has all its rows, and so has
// every other set of that database the same trouble until the source is mended.
type FaultKind string

// The kinds of failure.
const (
	// FaultBytes: what is stored is not what was stored.
	FaultBytes FaultKind = "bytes"
	// FaultRestore: the bytes are right, but an object cannot be created, or the copy is not what the set says.
	FaultRestore FaultKind = "restore"
)

// oldNotWhole are failed drills from before proofs named the kind. What is not told apart is bytes, the worse.
var oldNotWhole = regexp.MustCompile(`^drill: (the dump does not restore|\d+ owners or grants differ|expectation )`)

// FaultKind is what a failed proof shows; "" of one that did not fail. A word that this program does not
// know counts as the worse kind.
func (p *Proof) FaultKind() FaultKind {
	switch {
	case p.OK:
		return ""
	case p.Fault == FaultRestore, p.Fault == "" && p.Kind == kindDrill && oldNotWhole.MatchString(p.Error):
		return FaultRestore
	}
	return FaultBytes
}

// LastFailure is the newest failed proof of either kind that no later success answers, or nil.
func (s *Set) LastFailure() *Proof {
	bytes, whole := s.BadBytes(), s.NotWhole()
	switch {
	case bytes == nil:
		return whole
	case whole != nil && whole.FinishedAt.After(bytes.FinishedAt):
		return whole
	}
	return bytes
}

// BadBytes is the newest evidence that the stored bytes are bad, or nil.
func (s *Set) BadBytes() *Proof { return s.unanswered(FaultBytes) }

// NotWhole is the newest evidence that the set does not restore as a whole, or nil.
func (s *Set) NotWhole() *Proof { return s.unanswered(FaultRestore) }

// unanswered is the newest failed proof of a kind that no later success of its level or above answers. A
// sample that went well answers nothing: it may have read other parts.
func (s *Set) unanswered(kind FaultKind) *Proof {
	answered := LevelNone
	for i := range s.Proofs { // newest first
		p := &s.Proofs[i]
		if p.OK {
			if p.Sample == nil {
				answered = max(answered, ParseLevel(p.Level))
			}
			continue
		}
		if level := p.answeredBy(); p.FaultKind() == kind && (level > answered || answered == LevelNone) {
			return p
		}
	}
	return nil
}

// answeredBy is the level of a success that answers a failure. Reading a set whole shows that its bytes are
// right, whoever found them wrong.
func (p *Proof) answeredBy() Level {
	level := ParseLevel(p.Level)
	if p.Fault == FaultBytes {
		level = min(level, LevelReadable)
	}
	return level
}

// FailedDrill is the newest drill of a job's sets, when it failed, with its set; nil when it passed or there
// was none. It is the job's until another drill passes: the next backup of the same database has the same
// trouble, and nobody has looked.
func FailedDrill(sets []Set) (*Set, *Proof) {
	var of *Set
	var newest *Proof
	for i := range sets {
		for j := range sets[i].Proofs {
			p := &sets[i].Proofs[j]
			if p.Kind == kindDrill && (newest == nil || p.FinishedAt.After(newest.FinishedAt) ||
				p.FinishedAt.Equal(newest.FinishedAt) && !p.OK) {
				of, newest = &sets[i], p
			}
		}
	}
	if newest == nil || newest.OK {
		return nil, nil
	}
	return of, newest
}

// kindDrill is the word for drills in proofs.
const kindDrill = "drill"

// FailureText is a failed proof in one sentence: which of the two kinds it is, and why.
func (p *Proof) FailureText() string {
	if p.FaultKind() == FaultRestore {
		return "it does not restore as a whole: " + p.Why()
	}
	return "its last verification failed: " + p.Why()
}

// saidBefore is what whoever tells a failure says in words of its own: that it is a drill's, that the dump does not
// restore, and how pg_restore names, in front of PostgreSQL's own words, the object that was named already.
var saidBefore = regexp.MustCompile(`^(drill|verify): (the dump does not restore( as a whole)?: )?|` +
	`postgres: read archive: (?:sealed: )?|postgres: pg_restore: exit status \d+: (` +
	`(pg_restore: from TOC entry .*?; )?pg_restore: error: )?`)

// Why is a failed proof's error for a line that says already what kind of failure it is.
func (p *Proof) Why() string { return saidBefore.ReplaceAllString(p.Error, "") }
