package backup

import (
	"encoding/json"
	"fmt"
	"time"
)

// Every set names the one before it, with the SHA-256 of that one's manifest, and counts up. So a
// listing finds a manifest that was replaced, two sets that both follow the same one, and a young
// one that is gone; and a host that remembers its last set finds a newest one that is gone.
//
// The chain is the job's: each of several jobs of one database has its own. Sets of programs before that
// were chained by database, so that the set before may be another job's; it is looked for among all.
//
// Retention leaves gaps every day: an older set that is missing says nothing.

// Previous is the set before, as the run that followed it saw it.
type Previous struct {
	ID             string `json:"id"`
	ManifestSHA256 string `json:"manifestSha256"` // hex, of its exact bytes
}

// forkTold is how long two sets that follow the same one are told of: somebody has to look, but
// nobody can mend it.
const forkTold = 7 * 24 * time.Hour

// sequenceOf reads the one field that also a manifest of a newer schema keeps.
func sequenceOf(manifest []byte) int64 {
	var m struct {
		Sequence int64 `json:"sequence"`
	}
	_ = json.Unmarshal(manifest, &m)
	return max(0, m.Sequence)
}

// jobOf is the job that a manifest names, also one of a newer schema.
func jobOf(manifest []byte) string {
	var m struct {
		Job string `json:"job"`
	}
	_ = json.Unmarshal(manifest, &m)
	return m.Job
}

// Believed are the committed sets whose links count: with signing keys, the signed ones alone, and never
// one whose number is absurd.
func (s *Set) Believed() bool {
	return s.Kind == KindNative && s.ManifestSum != "" && s.Sequence != absurdSequence &&
		(s.Signature == "" || s.Signature == SignatureGood)
}

// Last is the set that a new one follows: the highest number, and among sets of no number the
// newest. sets are those of one job, newest first.
func Last(sets []Set) (newest *Set) {
	for i := range sets {
		if s := &sets[i]; s.Believed() && (newest == nil || s.Sequence > newest.Sequence) {
			newest = s
		}
	}
	return newest
}

// follows are the links of sets to the one before, for sets of one job.
func follows(sets []Set) (links []*Set) {
	for i := range sets {
		if s := &sets[i]; s.Believed() && s.Manifest != nil && s.Manifest.Previous != nil {
			links = append(links, s)
		}
	}
	return links
}

// BrokenChain tells what the links of one job's sets say against the bucket. all are the sets of its
// database.
//
// It only tells: whoever may write could accuse a good set, and a restore at night must not fail by
// that. What a replaced manifest is worth, its signature says.
func BrokenChain(sets, all []Set, now time.Time) (problems []string) {
	there, after := map[string]*Set{}, map[string]*Set{}
	for i := range all {
		if all[i].Kind == KindNative {
			there[all[i].ID] = &all[i]
		}
	}
	for _, s := range follows(sets) { // newest first
		p := s.Manifest.Previous
		before, later := there[p.ID], after[p.ID]
		after[p.ID] = s
		began, known := IDBegan(p.ID)
		switch {
		case later != nil && now.Sub(later.FinishedAt) < forkTold:
			problems = append(problems,
				fmt.Sprintf(
					"sets %s and %s both follow %s: between them an older state of the bucket was put back, find out who did it",
					s.ID, later.ID, p.ID))
		case before == nil && known && now.After(began) && now.Sub(began) < Youngest:
			problems = append(problems,
				fmt.Sprintf("set %s is gone, which %s followed: retention deletes none that young; find out who did", p.ID, s.ID))
		case before != nil && before.ManifestSum != "" && before.ManifestSum != p.ManifestSHA256:
			problems = append(problems,
				fmt.Sprintf(
					"the manifest of set %s was replaced: it is not the one that %s followed, find out who writes to the bucket",
					p.ID, s.ID))
		}
	}
	return problems
}

// IDBegan is the time in a set's ID.
func IDBegan(id string) (time.Time, bool) {
	if !SetID.MatchString(id) {
		return time.Time{}, false
	}
	at, err := time.Parse(IDTime, id[:len(IDTime)])
	return at, err == nil
}
