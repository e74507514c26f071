package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

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
	sets, err := NewCatalogue(env.Bucket, job.S3.Prefix).Sets(ctx, Scope{job.Instance, job.Database})
	if err != nil {
		return nil, err
	}
	return Retain(sets, Policy{Retention: job.Retention, Legacy: legacy}, env.Now())
}

// Apply deletes what the plan lets go, one set after the other, and returns what was deleted. A
// set's manifest goes first: from then on it is litter that a later prune clears, never a set
// that promises bytes which are gone.
func Apply(ctx context.Context, bucket *s3.Bucket, log *slog.Logger, plan []Decision) ([]Decision, error) {
	var deleted []Decision
	var errs []error
	for _, d := range plan {
		if !d.Delete {
			continue
		}
		if err := deleteSet(ctx, bucket, &d.Set); err != nil {
			errs = append(errs, fmt.Errorf("delete %s: %w", d.Set.ID, err))
			continue
		}
		log.InfoContext(ctx, fmt.Sprintf("deleted %s: %s", d.Set.ID, d.Reason), event(EventRetentionDeleted),
			slog.String("set", d.Set.ID), slog.String("reason", d.Reason))
		deleted = append(deleted, d)
	}
	log.InfoContext(ctx, fmt.Sprintf("retention: %d kept, %d deleted", len(plan)-len(deleted), len(deleted)), event(EventRetentionKept))
	return deleted, errors.Join(errs...)
}

func deleteSet(ctx context.Context, bucket *s3.Bucket, s *Set) error {
	if s.Kind == KindLegacy {
		_, err := bucket.Delete(ctx, []string{s.Dir})
		return err
	}
	if _, err := bucket.Delete(ctx, []string{s.Dir + manifestName}); err != nil {
		return err
	}
	var rest []string
	for o, err := range bucket.List(ctx, s.Dir) {
		if err != nil {
			return err
		}
		rest = append(rest, o.Key)
	}
	_, err := bucket.Delete(ctx, rest)
	return err
}

// errSweepDenied: some writers may not list or abort uploads; a lifecycle rule does it for them.
var errSweepDenied = errors.New("unfinished uploads of earlier runs can't be listed or aborted with these credentials: allow s3:ListBucketMultipartUploads and s3:AbortMultipartUpload")

// SweepUploads aborts every multipart upload below folder. Only the holder of the database's
// lock may call it. It returns the keys.
func SweepUploads(ctx context.Context, bucket *s3.Bucket, folder string) (removed []string, err error) {
	uploads, err := bucket.Uploads(ctx, folder)
	for _, u := range uploads {
		if err = bucket.AbortUpload(ctx, u); err != nil {
			break
		}
		removed = append(removed, u.Key)
	}
	if fault.CodeOf(err) == fault.NotPermitted {
		err = errSweepDenied
	}
	return removed, err
}
