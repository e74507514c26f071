package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// retention runs after a commit. Whatever goes wrong here is a warning: the backup stands, and
// running the dump again would mend nothing.
func (r *run) retention(ctx context.Context) []Decision {
	if r.job.Retention.Days == 0 {
		return nil
	}
	r.enter(ctx, StageRetention, 0)
	decisions, err := Plan(ctx, r.job, r.env, false)
	if err == nil {
		decisions, err = Apply(ctx, r.env.Bucket, r.log, decisions)
	}
	if err != nil {
		text := "retention: " + err.Error()
		r.warnings = append(r.warnings, text)
		r.log.WarnContext(ctx, text, event(EventRetentionFailed), slog.String("remedy", fault.Remedy(err)))
	}
	return decisions
}

// Plan decides for the sets of a job, and changes nothing.
func Plan(ctx context.Context, job config.Job, env Env, legacy bool) ([]Decision, error) {
	if job.Instance == "" || job.Database == "" {
		return nil, fault.New(fault.Config, "retention: no instance or database", "name the job's database", nil)
	}
	sets, err := NewCatalogue(env.Bucket, job.S3.Prefix).Sets(ctx, Scope{job.Instance, job.Database})
	if err != nil {
		return nil, err
	}
	decisions, err := Retain(sets, Policy{Retention: job.Retention, Legacy: legacy}, env.Now())
	if err != nil {
		return nil, err
	}
	if err := spareRunning(ctx, job, env, decisions); err != nil {
		return nil, err
	}
	return decisions, nil
}

// spareRunning keeps what belongs to a run that goes on: a dump of more than a day has stored its
// globals for as long, and has no manifest yet. Such a run has the lease, where the store has
// leases, and its upload is open.
func spareRunning(ctx context.Context, job config.Job, env Env, decisions []Decision) error {
	if !slices.ContainsFunc(decisions, func(d Decision) bool { return d.Delete && d.Set.Kind == KindIncomplete }) {
		return nil
	}
	holder, _, err := readLease(ctx, env.Bucket, leaseKey(job), leaseTerm)
	if err != nil && !errors.Is(err, s3.ErrNotFound) {
		return fmt.Errorf("retention: look for a running backup: %w", err)
	}
	uploads, err := env.Bucket.Uploads(ctx, Folder(job.S3.Prefix, job.Instance, job.Database))
	if ctx.Err() != nil {
		return err
	}
	// Some stores can't list uploads, and some credentials may not: then the lease has to do.
	for i, d := range decisions {
		open := slices.ContainsFunc(uploads, func(u s3.OpenUpload) bool { return strings.HasPrefix(u.Key, d.Set.Dir) })
		switch {
		case d.Set.Kind != KindIncomplete:
		case d.Set.ID == holder.Run && holder.live(time.Now()): // the lease's time is the store's, not env's
			decisions[i].Delete, decisions[i].Reason = false, "its run goes on, on host "+holder.Host
		case open:
			decisions[i].Delete, decisions[i].Reason = false, "its upload is open: its run goes on, or the next run clears it"
		}
	}
	return nil
}

// Apply deletes what the plan lets go, one set after the other, and returns what was deleted. A
// set's manifest goes first: from then on it is litter that a later prune clears, never a set
// that promises bytes which are gone.
func Apply(ctx context.Context, bucket *s3.Bucket, log *slog.Logger, plan []Decision) ([]Decision, error) {
	var deleted []Decision
	var failed []error
	for _, d := range plan {
		if !d.Delete {
			continue
		}
		if ctx.Err() != nil {
			failed = append(failed, context.Cause(ctx))
			break
		}
		if err := deleteSet(ctx, bucket, &d.Set); err != nil {
			failed = append(failed, fmt.Errorf("delete %s: %w", d.Set.ID, err))
			continue
		}
		log.InfoContext(ctx, fmt.Sprintf("deleted %s: %s", d.Set.ID, d.Reason), event(EventRetentionDeleted),
			slog.String("set", d.Set.ID), slog.String("reason", d.Reason))
		deleted = append(deleted, d)
	}
	log.InfoContext(ctx, fmt.Sprintf("retention: %d kept, %d deleted", len(plan)-len(deleted), len(deleted)), event(EventRetentionKept))
	switch len(failed) {
	case 0:
		return deleted, nil
	case 1:
		return deleted, failed[0]
	}
	return deleted, fmt.Errorf("%d sets could not be deleted, the first: %w", len(failed), failed[0])
}

// deleteSet removes a set's manifest, then everything in its folder. An archived or replaced
// object is no obstacle: nothing is read.
func deleteSet(ctx context.Context, bucket *s3.Bucket, s *Set) error {
	if s.Kind == KindLegacy {
		return remove(ctx, bucket, []string{s.Dir})
	}
	if s.Kind == KindNative {
		if err := remove(ctx, bucket, []string{s.Dir + manifestName}); err != nil {
			return err
		}
	}
	var rest []string
	for o, err := range bucket.List(ctx, s.Dir) {
		if err != nil {
			return err
		}
		if s.Kind == KindIncomplete && o.Key == s.Dir+manifestName {
			return fault.New(fault.Refused, "its run has committed it meanwhile", "", nil)
		}
		rest = append(rest, o.Key)
	}
	return remove(ctx, bucket, rest)
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

// errSweepDenied: some writers may not list or abort uploads; a lifecycle rule does it for them.
var errSweepDenied = errors.New("unfinished uploads of earlier runs can't be listed or aborted with these credentials: allow s3:ListBucketMultipartUploads and s3:AbortMultipartUpload")

// SweepUploads aborts the multipart uploads below folder that were begun before a time; the zero
// time is all of them, for which the caller must hold the database's lease. It returns the keys.
func SweepUploads(ctx context.Context, bucket *s3.Bucket, folder string, before time.Time) (removed []string, err error) {
	uploads, err := bucket.Uploads(ctx, folder)
	for _, u := range uploads {
		if !before.IsZero() && u.Initiated.After(before) {
			continue
		}
		abortErr := bucket.AbortUpload(ctx, u)
		if abortErr == nil {
			removed = append(removed, u.Key)
			continue
		}
		if err == nil {
			err = abortErr
		}
		if ctx.Err() != nil {
			break
		}
	}
	if fault.CodeOf(err) == fault.NotPermitted {
		err = errSweepDenied
	}
	return removed, err
}
