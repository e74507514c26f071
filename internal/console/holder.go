package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// holder is ui.Holder. It writes to the bucket itself: a small object is no work for a unit.
type holder struct {
	buckets *buckets
	setup   Setup
	who     journal.Operator
}

var _ ui.Holder = (*holder)(nil)

// Hold implements ui.Holder.
func (h *holder) Hold(ctx context.Context, set backup.Set, reason string) error {
	return h.put(ctx, backup.HoldSet, "hold", set, reason)
}

// Release implements ui.Holder.
func (h *holder) Release(ctx context.Context, set backup.Set, reason string) error {
	return h.put(ctx, backup.ReleaseSet, "unhold", set, reason)
}

// Acknowledge implements ui.Holder.
func (h *holder) Acknowledge(ctx context.Context, set backup.Set, reason string) error {
	put := func(ctx context.Context, bucket *s3.Bucket, set *backup.Set, mine backup.Hold) error {
		a := backup.Acknowledgement{By: mine.By, Host: mine.Host, At: mine.At, Reason: mine.Reason}
		return backup.Acknowledge(ctx, bucket, set, a)
	}
	return h.put(ctx, put, "acknowledge", set, reason)
}

type putHold func(context.Context, *s3.Bucket, *backup.Set, backup.Hold) error

func (h *holder) put(ctx context.Context, put putHold, what string, set backup.Set, reason string) error {
	_, bucket, err := h.buckets.open(ctx, h.buckets.job(&set))
	if err != nil {
		return err
	}
	mine := backup.Hold{By: h.who.Name(), Host: h.setup.Host, At: h.setup.Env.Now(), Reason: reason}
	if err := put(ctx, bucket, &set, mine); err != nil {
		return err
	}
	journal.Audit(ctx, h.setup.Log, h.who, journal.Action{What: what, Target: set.ID, Reason: reason})
	return nil
}
