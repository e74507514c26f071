package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Unconfirmed is the confirmation of whom nobody asked.
const Unconfirmed = -1

// Pruned is what is gone.
type Pruned struct {
	Sets      []Decision
	Leftovers []Leftover
}

// Apply carries out a plan, one set or leftover after the other: what fails is left out, and the
// first failure told. A plan with doubts needs confirmed to be the number of sets that it removes; a
// number that somebody gives has to fit in any case, since it was read off a plan that may have changed.
func Apply(ctx context.Context, bucket *s3.Bucket, log *slog.Logger, plan *Pruning, confirmed int) (Pruned, error) {
	if err := plan.refuse(confirmed); err != nil {
		return Pruned{}, err
	}
	var done Pruned
	var failed []error
	try := func(what string, do func() error) bool {
		err := context.Cause(ctx)
		if err == nil {
			err = do()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("delete %s: %w", what, err))
		}
		return err == nil
	}
	for _, d := range plan.Decisions {
		if !d.Delete || !try(d.Set.ID, func() error { return deleteSet(ctx, bucket, &d.Set) }) {
			continue
		}
		log.InfoContext(ctx, fmt.Sprintf("deleted %s: %s", d.Set.ID, d.Reason), event.Attr(event.RetentionDeleted),
			slog.String("set", d.Set.ID), slog.String("reason", d.Reason))
		done.Sets = append(done.Sets, d)
	}
	for _, l := range slices.Backward(plan.Leftovers) { // an upload before the objects that it spared
		if !l.Remove || !try("what run "+l.Run+" left", func() error { return removeLeftover(ctx, bucket, &l) }) {
			continue
		}
		log.InfoContext(ctx, fmt.Sprintf("removed what run %s left, %s: %s", l.Run, l.Kind, l.Reason),
			event.Attr(event.LeftoverRemoved), slog.String("key", l.Key))
		done.Leftovers = append(done.Leftovers, l)
	}
	log.InfoContext(ctx,
		fmt.Sprintf("retention: %d kept, %d deleted", len(plan.Decisions)-len(done.Sets), len(done.Sets)),
		event.Attr(event.RetentionKept))
	return done, backup.First(failed)
}

// refuse is why the plan may not be carried out, or nil.
func (p *Pruning) refuse(confirmed int) error {
	prune := "`sudo pgbtui prune --job " + backup.ShellQuote(p.job) + p.reach.flags()
	if p.at != "" {
		prune += " --from " + p.at
	}
	switch {
	case confirmed == Unconfirmed && len(p.Doubts) > 0:
		return fault.New(fault.Refused, "retention: nothing was deleted: "+strings.Join(p.Doubts, "; "),
			fmt.Sprintf("Check the plan with %s --dry-run`. If all of it is right, confirm it with %s --confirm %d`.", prune,
				prune, p.Removes()), nil)
	case confirmed != Unconfirmed && confirmed != p.Removes():
		return fault.New(fault.Refused,
			fmt.Sprintf("retention: nothing was deleted: %d sets would be deleted, but %d were confirmed", p.Removes(),
				confirmed),
			"Check the plan again with "+prune+" --dry-run`.", nil)
	}
	return nil
}

// deleteSet removes a set's manifest, then the rest of its folder: from then on it is litter that a
// later prune clears, never a set that promises bytes which are gone. An archived or replaced object is
// no obstacle: nothing is read. What became of the set since it was planned is: a commit, a hold, another
// manifest in the place of the one that was read. The list shows that; for what happens after the list, the store does,
// where it has conditions on deletions.
func deleteSet(ctx context.Context, bucket *s3.Bucket, s *backup.Set) error {
	if s.Kind == backup.KindLegacy {
		return replaced(bucket.DeleteIf(ctx, s.Dir, s.ETag))
	}
	var rest []string
	holds, more := 0, false
	for o, err := range bucket.List(ctx, s.Dir) {
		if err != nil {
			return err
		}
		switch name := strings.TrimPrefix(o.Key, s.Dir); {
		case name == backup.ManifestName && s.ETag != "" && o.ETag != s.ETag:
			return errReplaced(nil)
		case name != backup.ManifestName && len(rest) < maxKeysHeld:
			rest = append(rest, o.Key)
		case name != backup.ManifestName:
			more = true
		case s.Kind == backup.KindIncomplete:
			return fault.New(fault.Refused, "its run has since committed it", "", nil)
		}
		if strings.HasPrefix(o.Key, s.Dir+backup.HoldsFolder) {
			holds++
		}
	}
	if holds != s.Holds.Count {
		return fault.New(fault.Refused, "somebody has since held or released it", "Check the plan again.", nil)
	}
	mark := s.Dir + backup.RetiredName
	marked := slices.Contains(rest, mark)
	if s.Kind == backup.KindNative {
		if err := retire(ctx, bucket, mark); err != nil {
			return err
		}
		if err := replaced(bucket.DeleteIf(ctx, s.Dir+backup.ManifestName, s.ETag)); err != nil {
			if errors.Is(err, s3.ErrChanged) && !marked {
				err = errors.Join(err, remove(ctx, bucket, []string{mark})) // it is a set, and nobody deletes it
			}
			return err
		}
		marked = true
	}
	rest = slices.DeleteFunc(rest, func(key string) bool { return key == mark })
	err := remove(ctx, bucket, rest)
	if err == nil && more {
		err = removeAll(ctx, bucket, s.Dir, mark)
	}
	if err != nil || !marked {
		return err
	}
	return remove(ctx, bucket, []string{mark})
}

// errReplaced is for a set that is not the one any more that was decided about.
func errReplaced(cause error) error {
	return fault.New(fault.Refused, "somebody has replaced it since the plan was made, and it was not deleted",
		"Find out who writes to that folder, and check the plan again.", cause)
}

// replaced tells a deletion whose condition did not hold from one that failed.
func replaced(err error) error {
	if errors.Is(err, s3.ErrChanged) {
		return errReplaced(err)
	}
	return err
}

// retire marks a set as one that retention deletes, so that a deletion which breaks off in the middle is
// told from a manifest that somebody took away. Who may delete and not write goes on without.
func retire(ctx context.Context, bucket *s3.Bucket, mark string) error {
	_, err := bucket.Put(ctx, mark, []byte("{}\n"), s3.PutOptions{ContentType: "application/json"})
	if fault.CodeOf(err) == fault.NotPermitted {
		return nil
	}
	return err
}

// maxKeysHeld is how many keys of a folder are held in memory. A set has half a dozen, and its proofs.
const maxKeysHeld = 10_000

// removeAll empties a folder that somebody filled but for one key, a batch at a time.
func removeAll(ctx context.Context, bucket *s3.Bucket, dir, but string) error {
	var batch []string
	for o, err := range bucket.List(ctx, dir) {
		if err != nil {
			return err
		}
		if o.Key != but {
			batch = append(batch, o.Key)
		}
		if len(batch) < maxKeysHeld {
			continue
		}
		if err := remove(ctx, bucket, batch); err != nil {
			return err
		}
		batch = nil
	}
	return remove(ctx, bucket, batch)
}

// remove tells of many refused keys by the first.
func remove(ctx context.Context, bucket *s3.Bucket, keys []string) error {
	gone, err := bucket.Delete(ctx, keys)
	var many interface{ Unwrap() []error }
	if left := len(keys) - len(gone); left > 1 && errors.As(err, &many) && len(many.Unwrap()) > 1 {
		return fmt.Errorf("%d objects stay, the first: %w", left, many.Unwrap()[0])
	}
	return err
}
