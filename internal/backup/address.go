package backup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Which one set is meant. An ID alone does not say: whoever may write to a folder of their own below the
// prefix can store a set under any ID.
//
// Rules: a choice is made among the sets of a scope that somebody or something decided; where more than
// one set fits, none is taken.

// Address is where a set lies below a prefix. No two sets share one.
type Address struct{ Instance, Database, Schema, ID string }

// Address is the set's own.
func (s *Set) Address() Address {
	return Address{Instance: s.Instance, Database: s.Database, Schema: s.Schema, ID: s.ID}
}

// Scope is where the sets beside it are.
func (a Address) Scope() Scope {
	return Scope{Instance: a.Instance, Database: a.Database, Schema: a.Schema}
}

// String is the address as the verbs take it: `instance/database/ID`, of a tenant's set `instance/database/schema/ID`,
// names written as in keys. Sets of the old script belong to no instance; they have their ID only.
func (a Address) String() string {
	if a.Instance == "" {
		return a.ID
	}
	folder := EncodeName(a.Instance) + "/" + EncodeName(a.Database) + "/"
	if a.Schema != "" {
		folder += EncodeName(a.Schema) + "/"
	}
	return folder + a.ID
}

// ParseAddress takes a whole address apart. ok is false for anything else, as for an ID alone.
func ParseAddress(text string) (a Address, ok bool) {
	parts := strings.Split(text, "/")
	ok = true
	switch {
	case len(parts) == 4:
		a.Schema, ok = DecodeName(parts[2])
	case len(parts) != 3:
		return Address{}, false
	}
	var ok1, ok2 bool
	a.Instance, ok1 = DecodeName(parts[0])
	a.Database, ok2 = DecodeName(parts[1])
	a.ID = parts[len(parts)-1]
	if !ok || !ok1 || !ok2 || a.ID == "" {
		return Address{}, false
	}
	return a, true
}

// IsID reports whether text is a whole ID of a set, or of an object of the old script.
func IsID(text string) bool { return SetID.MatchString(text) || IsLegacyID(text) }

// IsLegacyID recognises the IDs of the old script's objects.
func IsLegacyID(text string) bool { return strings.HasPrefix(text, legacyIDPrefix) }

// ManifestSHA256 is the digest of the manifest's bytes, in hex; "" for sets of the old script, which have
// none, and where it could not be read.
func (s *Set) ManifestSHA256() string { return s.ManifestSum }

// Latest is the ID that means the newest good set.
const Latest = "latest"

// Wanted is what somebody said of the one set that is meant.
type Wanted struct {
	ID string    // a whole one, the beginning of one, or Latest
	At time.Time // with Latest: the newest that had ended then; zero: of all

	// Doubted: with Latest, a set whose last verification failed counts too. It is for verifying and drilling,
	// which answer such a failure.
	Doubted bool
}

// Candidates are the sets that fit what is wanted, newest first as sets are. A whole ID goes before the
// beginning of another; of Latest there is one for each database of each instance.
func Candidates(sets []Set, want Wanted) (found []*Set) {
	var begins []*Set
	yields := yieldsToWhole(sets, want)
	for i := range sets {
		switch s := &sets[i]; {
		case want.ID == Latest && !yields(s) && s.isLatest(found, want), s.ID == want.ID:
			found = append(found, s)
		case want.ID != "" && strings.HasPrefix(s.ID, want.ID):
			begins = append(begins, s)
		}
	}
	if len(found) > 0 || want.ID == Latest {
		return found
	}
	return begins
}

// isLatest reports whether s has no flaw, is not too new, and of a folder of which nothing newer was found.
func (s *Set) isLatest(found []*Set, want Wanted) bool {
	if !s.usableFor(want) {
		return false
	}
	return !slices.ContainsFunc(found, func(f *Set) bool { return f.Scope() == s.Scope() })
}

// usableFor reports whether s has no flaw that counts, and is not too new.
func (s *Set) usableFor(want Wanted) bool {
	usable := s.Flaw() == "" || (want.Doubted && s.Good())
	return s.Kind == KindNative && usable && (want.At.IsZero() || !s.FinishedAt.After(want.At))
}

// One is the only candidate, nil when there is none; more than one is refused with their addresses.
func One(found []*Set, want Wanted) (*Set, error) {
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fault.New(fault.Refused,
		fmt.Sprintf("backup: %q means several sets: %s", want.ID,
			InLine(found, ", ", func(s *Set) string { return s.Address().String() })),
		"Give one of these whole addresses instead of the ID.", nil)
}

// Elsewhere tells of the sets that there are when none fitted: those of the wanted ID, else the newest good
// one of each database of each instance, those of the database that was looked for first. It is "" when there are none.
func Elsewhere(sets []Set, want Wanted, database string) (what, example string) {
	found := Candidates(sets, Wanted{ID: want.ID, Doubted: want.Doubted})
	if want.ID == Latest || len(found) == 0 {
		found = Candidates(sets, Wanted{ID: Latest})
		what = "the newest good ones are "
	} else {
		what = "there is "
	}
	if len(found) == 0 {
		return "", ""
	}
	same := slices.DeleteFunc(slices.Clone(found), func(s *Set) bool { return s.Database != database })
	found = append(same, slices.DeleteFunc(found, func(s *Set) bool { return s.Database == database })...)
	return what + InLine(found, ", ", func(s *Set) string {
		return fmt.Sprintf("%s of %s", s.Address(), s.FinishedAt.UTC().Format(time.RFC3339))
	}), found[0].Address().String()
}
