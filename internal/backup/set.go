// Package backup is what a backup is and what a bucket knows of it: sets and their documents (manifest, contents,
// evidence, holds), the catalogue that lists them, whose they are and how well each is proven. The packages below make,
// read, restore, verify and delete them.
package backup

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Kind tells the sorts of things that a prefix can hold.
type Kind string

// The kinds of sets.
const (
	KindNative     Kind = "native"     // with a manifest of ours
	KindLegacy     Kind = "legacy"     // an object of the old shell script; never pruned unless asked
	KindIncomplete Kind = "incomplete" // objects of a run that never committed
)

// Set is one entry of the catalogue.
type Set struct {
	ID         string
	Kind       Kind
	Instance   string // "" for legacy sets
	Database   string
	Schema     string    // of a tenant's set; "": it is one of the database
	Job        string    // as its manifest names it, also one that cannot be used; "" when it names none
	FinishedAt time.Time // UTC
	StoredAt   time.Time // when its manifest (else its newest object) was stored, by the store's clock; zero: not known
	StoredSize int64     // bytes: what its manifest vouches for; without a manifest that can be used, all of its folder
	Dir        string    // key prefix ending in "/" (native), or the object's key (legacy)
	Manifest   *Manifest // nil unless native and readable
	Problem    string    // why a manifest could not be used; "" when good
	Around     string    // what the listing leaves out of its database, told at the newest set; "": nothing

	// what Problem means for an exit code: Integrity, Config for a newer schema, Refused for an unsigned set; 0 when good
	ProblemCode fault.Code
	Signature   Signature // who wrote it, when signing keys are configured
	Proofs      []Proof   // newest first
	Class       string    // storage class of the dump
	At          string    // the copy that it was listed at, where the main place could not be; "": the main place
	Copies      []SetCopy // how it stands at the copies of its job, where MarkCopies was asked
	Archive     Archive   // whether it can be read, where thaw.Look has asked
	SignatureAt string    // key of what is stored in its signature's place; "" when nothing is
	ManifestSum string    // SHA-256 of the manifest's bytes, hex; "" when it could not be read
	ETag        string    // of its manifest as it was listed, of a legacy set of its object; "": there is none
	Sequence    int64     // of the manifest, also of one of a newer schema
	Hold        *Hold     // who keeps it from deletion; nil: nobody
	LockedUntil time.Time // the store refuses its deletion until then, also in the past; zero: never locked
	Holds       holds

	Lost         []string         // what is gone of a set that was committed: names within its folder
	Acknowledged *Acknowledgement // who knows of all that; nil: nobody
}

// Good reports whether the set can be offered for a restore.
func (s *Set) Good() bool {
	return s.Problem == "" && (s.Kind == KindLegacy || s.Kind == KindNative && s.Manifest != nil)
}

// Encrypted reports whether an age identity is needed to read it.
func (s *Set) Encrypted() bool {
	return s.Manifest != nil && len(s.Manifest.Encryption.Recipients) > 0
}

// Proven is the highest level shown by a successful proof, and when. A committed native set is
// at least LevelStored, since its commit required the read back.
func (s *Set) Proven() (Level, time.Time) {
	level, at := LevelNone, time.Time{}
	if s.Good() && s.Kind == KindNative {
		level, at = LevelStored, s.FinishedAt
	}
	for _, p := range s.Proofs {
		l := ParseLevel(p.Level)
		if p.OK && l >= LevelReadable && (l > level || (l == level && p.FinishedAt.After(at))) {
			level, at = l, p.FinishedAt
		}
	}
	return level, at
}

// legacyPrefix starts the names that the article's script gave its objects.
const legacyPrefix = "postgresql_"

// DumpKey is the name of the dump within the set's folder.
func (s *Set) DumpKey() string {
	if s.Manifest == nil {
		return DumpName
	}
	return s.Manifest.Dump.Key
}

// Youngest is the age below which nothing is ever deleted, whatever the policy says.
const Youngest = 24 * time.Hour

// Unusable is what the listing already found. Only damage is evidence: a set of a newer schema is
// for a newer pgbtui.
func Unusable(set *Set) error {
	if set.Good() {
		return nil
	}
	code, remedy := set.ProblemCode, "Restore another set."
	if code == fault.OK {
		code = fault.Integrity
	}
	switch code { //nolint:exhaustive // the others are damage
	case fault.Config:
		remedy = "Use the newer pgbtui that wrote the set."
	case fault.Refused:
		remedy = "If you know where it comes from, add --accept-unsigned."
	}
	return fault.New(code, fmt.Sprintf("backup: set %s: %s", set.ID, set.Problem), remedy, nil)
}
