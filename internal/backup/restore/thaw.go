package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A restore of an archived set: it is thawed, waited for, and restored, in one run. Rules: everything else is checked
// before somebody pays and waits for hours; nothing is locked or connected meanwhile; whoever asks again after an end
// in the middle waits for the same thaw and does not pay twice.

// thawDays is for how long the copy is kept: long enough for a second try.
const thawDays = 7

// await returns when the set can be read, and nothing remembers the wait any more.
func (r *restoring) await(ctx context.Context) error {
	if err := r.awaitThaw(ctx); err != nil || r.env.ThawWait == nil {
		return err
	}
	return r.env.ThawWait.Over()
}

func (r *restoring) awaitThaw(ctx context.Context) error {
	tier := s3.Tier(r.req.Thaw)
	st, err := thaw.Of(ctx, r.env.Bucket, r.source.set)
	if err != nil {
		return err
	}
	if st.State != backup.Archived && st.State != backup.Thawing {
		return nil
	}
	if err := thaw.Fits(st, tier); err != nil {
		return err
	}
	checks, _, err := Preflight(ctx, r.job, r.env, r.source.set, r.req, r.source.identities)
	if err != nil && !errors.Is(err, s3.ErrArchived) { // contents that are archived too are checked afterwards
		return err
	}
	if err := refusal("restore", checks); err != nil {
		return err
	}
	most := thaw.MostOf(st, tier)
	if w := r.env.ThawWait; w != nil { // before anybody pays: a host that goes down in between goes on
		now := r.env.Now()
		until, err := w.Begin(now, most)
		if err != nil {
			return err
		}
		most = until.Sub(now)
	}
	if st, err = thaw.Begin(ctx, r.env.Bucket, r.source.set, tier, thawDays); err != nil {
		return err
	}
	_, takes := thaw.TakesAll(st, tier)
	r.log.InfoContext(ctx, fmt.Sprintf("waiting until %s is thawed: %s (%s), by AWS %s", r.source.set.ID,
		readable.Size(st.Bytes), tier, takes))
	r.meter.Enter(backup.StageThaw, 0)
	stop := r.meter.KeepAlive()
	defer stop()
	wait := thaw.Wait{Every: r.env.ThawEvery, Most: most}
	return wait.For(ctx, r.env.Bucket, r.source.set)
}

// archivedCheck is what the preflight says of an object that cannot be read.
func (r *restoring) archivedCheck(o s3.Object) Check {
	what := o.Key + " is archived in " + o.StorageClass
	tier := s3.Tier(r.req.Thaw)
	_, takes := thaw.Takes(o.StorageClass, tier)
	switch {
	case r.req.Thaw != "" && o.Restoring:
		return warns("source", what+" and being thawed: the restore waits for it", "")
	case r.req.Thaw != "":
		detail := fmt.Sprintf("%s: it is thawed first (%s, by AWS %s), and the restore waits", what, tier, takes)
		return warns("source", detail, "")
	case o.Restoring:
		c := fails("source", what+" and being thawed",
			"Wait until the thaw has ended, or restore with --thaw standard, which waits.")
		c.code = fault.Temporary
		return c
	}
	return fails("source", what, "Thaw it first with `pgbtui thaw "+r.source.set.Address().String()+
		"`, which says price and time, or restore with --thaw standard, which waits for it.")
}

// knownTier reports whether a tier is one, or none.
func knownTier(tier string) bool {
	return slices.Contains([]string{"", string(s3.TierBulk), string(s3.TierStandard), string(s3.TierExpedited)}, tier)
}
