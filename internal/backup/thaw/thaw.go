// Package thaw brings sets back that lie in an archive class: which of their objects cannot be read, what it takes to
// read them, and the wait until they can be.
//
// Rules: what can be read at once is never thawed; nobody thaws but who was told to, since it costs money; how a set
// stands is asked of the store each time, so that nothing has to be remembered.
package thaw

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// mostAsked is of how many sets a listing asks.
const mostAsked = 500

// atOnce is how many objects are asked for at the same time.
const atOnce = 16

// mayBeArchived reports whether objects of a storage class may be out of reach.
func mayBeArchived(class string) bool {
	switch class {
	case "GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING":
		return true
	}
	return false
}

// May reports whether a set may have to be thawed: by the class of its dump, or because something of it cannot be read.
func May(set *backup.Set) bool { return mayBeArchived(set.Class) || !set.Good() }

// Standing is how a set stands: its worst object counts.
type Standing struct {
	backup.Archive
	Objects []s3.Object // those that are archived or were thawed, as the store says
	Bytes   int64       // of those that cannot be read, under way or not
}

// Waiting are the objects that nobody has asked for yet.
func (s Standing) Waiting() []s3.Object {
	var out []s3.Object
	for _, o := range s.Objects {
		if o.Archived && !o.Restoring {
			out = append(out, o)
		}
	}
	return out
}

// Of asks how all objects of a set stand: also those of a set whose manifest is archived. It asks for those that a set
// consists of, and for nothing else that somebody may have put into its folder: thawing costs money.
func Of(ctx context.Context, b *s3.Bucket, set *backup.Set) (Standing, error) {
	var st Standing
	for _, key := range keysOf(set) {
		o, err := b.Head(ctx, key)
		switch {
		case errors.Is(err, s3.ErrNotFound): // a set has some of them
		case err != nil:
			return st, err
		default:
			st.add(o)
		}
	}
	return st, nil
}

// keysOf are the objects that a set may consist of.
func keysOf(set *backup.Set) []string {
	if !strings.HasSuffix(set.Dir, "/") {
		return []string{set.Dir} // of the old script
	}
	keys := []string{set.Dir + backup.ManifestName, set.Dir + backup.SignatureName}
	names := append([]string{backup.ContentsName, backup.GlobalsName}, backup.DumpNames()...)
	if m := set.Manifest; m != nil { // it says which streams there are
		names = names[:2+len(m.Archives())]
	}
	for _, name := range names {
		keys = append(keys, set.Dir+name, set.Dir+name+".age")
	}
	return keys
}

func (s *Standing) add(o s3.Object) {
	if !o.Archived && o.RestoredUntil.IsZero() {
		return
	}
	s.Objects = append(s.Objects, o)
	if o.Archived {
		s.Bytes += o.Size
	}
	s.Archive = worse(s.Archive, archiveOf(o))
}

// archiveOf is how one object stands.
func archiveOf(o s3.Object) backup.Archive {
	switch {
	case o.Archived && o.Restoring:
		return backup.Archive{State: backup.Thawing}
	case o.Archived:
		return backup.Archive{State: backup.Archived}
	case !o.RestoredUntil.IsZero():
		return backup.Archive{State: backup.Thawed, Until: o.RestoredUntil}
	}
	return backup.Archive{}
}

// worse is the state of two: what nobody asked for is worse than what is under way, and the earlier end counts.
func worse(a, b backup.Archive) backup.Archive {
	rank := map[backup.ArchiveState]int{backup.Thawed: 1, backup.Thawing: 2, backup.Archived: 3}
	switch {
	case rank[a.State] != rank[b.State]:
		if rank[a.State] > rank[b.State] {
			return a
		}
		return b
	case a.Until.IsZero() || !b.Until.IsZero() && b.Until.Before(a.Until):
		return b
	}
	return a
}

// Look asks for each set of an archive class whether its dump can be read, and notes it in the set. What cannot be
// asked stays unknown: a listing does not fail for it, and does not wait for thousands of answers either.
func Look(ctx context.Context, b *s3.Bucket, sets []backup.Set) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	asked := 0
	for i := range sets { // newest first
		set := &sets[i]
		if !mayBeArchived(set.Class) || set.Kind == backup.KindIncomplete {
			continue
		}
		if asked++; asked > mostAsked {
			set.Archive = backup.Archive{State: backup.ArchiveUnknown}
			continue
		}
		g.Go(func() error {
			key := set.Dir
			if set.Kind == backup.KindNative {
				key += set.DumpKey()
			}
			if o, err := b.Head(ctx, key); err == nil {
				set.Archive = archiveOf(o)
			} else {
				set.Archive = backup.Archive{State: backup.ArchiveUnknown}
			}
			return nil
		})
	}
	_ = g.Wait() // nothing in it fails
}

// Begin asks for every object of a set that nobody has asked for yet, and returns how the set stands then.
func Begin(ctx context.Context, b *s3.Bucket, set *backup.Set, tier s3.Tier, days int) (Standing, error) {
	st, err := Of(ctx, b, set)
	if err != nil {
		return st, err
	}
	for _, o := range st.Objects {
		if o.Archived && o.Restoring {
			continue
		}
		if err := b.Thaw(ctx, o, tier, days); err != nil {
			return st, withRight(err)
		}
	}
	if len(st.Objects) == 0 {
		return st, nil
	}
	return Of(ctx, b, set)
}

// withRight names the right that thawing needs.
func withRight(err error) error {
	if fault.CodeOf(err) != fault.NotPermitted {
		return err
	}
	return fault.New(fault.NotPermitted, "", "Give the key s3:RestoreObject (docs/iam.md#thaw), or use one that has it.",
		err)
}

// ParseTier reads a tier as people write it.
func ParseTier(text string) (s3.Tier, error) {
	switch tier := s3.Tier(text); tier {
	case s3.TierBulk, s3.TierStandard, s3.TierExpedited:
		return tier, nil
	}
	return "", fmt.Errorf("%q is no tier: there are bulk, standard and expedited", text)
}

// Fits refuses a tier that a class does not have, before the store does.
func Fits(st Standing, tier s3.Tier) error {
	if tier != s3.TierExpedited {
		return nil
	}
	for _, o := range st.Objects {
		if o.Archived && o.StorageClass == "DEEP_ARCHIVE" {
			return fault.New(fault.Refused, "DEEP_ARCHIVE has no expedited retrieval", "Take --tier standard or bulk.", nil)
		}
	}
	return nil
}

// ErrNotThere is in the chain when the wait for a set has ended without it.
var ErrNotThere = errors.New("the set is not thawed yet")
