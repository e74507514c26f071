package backup

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Clocks are the two that retention knows; what is left of the times in the documents, a third
// clock wrote.
type Clocks struct{ Host, Store time.Time }

// Bounds of trust in a clock: between host and store, and of the newest set ahead of both.
const (
	ClockBound = 15 * time.Minute // beyond it S3 itself refuses requests (RequestTimeTooSkewed)
	ClockSlack = time.Hour
)

func ReadClocks(ctx context.Context, bucket *s3.Bucket, now func() time.Time) (Clocks, error) {
	store, err := bucket.Clock(ctx)
	return Clocks{Host: now(), Store: store}, err
}

// Earlier is the clock to count ages by: it lets go of less.
func (c Clocks) Earlier() time.Time {
	if c.Store.Before(c.Host) {
		return c.Store
	}
	return c.Host
}
