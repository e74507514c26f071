package retention

import (
	"context"
	"errors"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// errSweepDenied: some writers may not list or abort uploads; a lifecycle rule does it for them.
var errSweepDenied = errors.New("unfinished uploads of earlier runs can't be listed or aborted with these " +
	"credentials: allow s3:ListBucketMultipartUploads and s3:AbortMultipartUpload")

// SweepUploads aborts the multipart uploads below folder that were begun before a time; the zero
// time is all of them, for which the caller must hold the database's lease. It returns the keys.
func SweepUploads(
	ctx context.Context, bucket *s3.Bucket, folder string, before time.Time,
) (removed []string, err error) {
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
