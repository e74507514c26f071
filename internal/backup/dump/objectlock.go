package dump

import (
	"context"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Object lock: with s3.object_lock, the store itself keeps a set from everybody until its time is over.
// Rules:
//
//   - locked are globals, dump, contents, manifest and its signature, all until one moment, counted from
//     the run's start
//   - proofs, holds and the lease are not: the first two are not needed to restore, holds are meant to
//     be lifted, the lease is written again and again. A bucket's default retention takes them all
//   - what counts as locked is what the store confirms, so a bucket's default shows in a set too

// CheckObjectLock fails unless the bucket can lock what is put into it. A clock that is off is an error: a
// lock of a wrong end may be one that nobody can lift.
func CheckObjectLock(ctx context.Context, bucket *s3.Bucket, want config.ObjectLock, now func() time.Time) error {
	if want.Mode == "" {
		return nil
	}
	clocks, err := backup.ReadClocks(ctx, bucket, now)
	if err != nil {
		return fmt.Errorf("backup: object lock: %w", err)
	}
	if off := clocks.Host.Sub(clocks.Store); off.Abs() > backup.ClockBound {
		return fault.New(fault.Refused,
			fmt.Sprintf("backup: this host's clock is off by %s from the store's: nothing is locked by it",
				off.Round(time.Second)),
			"Set this host's clock (timedatectl status).", nil)
	}
	p, err := bucket.Protection(ctx)
	if err != nil {
		return fmt.Errorf("backup: object lock: %w", err)
	}
	if !p.ObjectLock {
		return fault.New(fault.Config, "backup: s3.object_lock is set for "+bucket.Location(),
			"Turn object lock on for the bucket (it needs versioning), or remove s3.object_lock.", s3.ErrNoObjectLock)
	}
	return nil
}

// prepareLock settles until when this run's objects are locked, before anything is dumped. A writer who
// may not ask for the bucket's settings learns from the first object whether it can be locked.
func (r *run) prepareLock(ctx context.Context) error {
	want := r.job.ObjectLock
	if want.Mode == "" {
		return nil
	}
	err := CheckObjectLock(ctx, r.env.Bucket, want, r.env.Now)
	if err != nil && fault.CodeOf(err) != fault.NotPermitted {
		return err
	}
	until := r.manifest.StartedAt.AddDate(0, 0, want.Days).Truncate(time.Second).Add(time.Second)
	r.retain = s3.Lock{Mode: s3.LockMode(want.Mode), Until: until}
	return nil
}

// confirmLock warns once per run when the store does not confirm the lock that was asked for.
func (r *run) confirmLock(ctx context.Context, seen s3.Object) {
	if r.retain.Mode == "" || r.unconfirmed || !seen.RetainUntil.Before(r.retain.Until) {
		return
	}
	r.unconfirmed = true
	r.warn(ctx, "the store does not confirm the object lock: grant s3:GetObjectRetention, or it ignores locks")
}
