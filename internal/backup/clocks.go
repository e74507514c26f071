package backup

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Clocks are the two that retention knows; what is left of the times in the documents, a third
// clock wrote.
type Clocks struct{ Host, Store time.Time }

// ClockBound is how far the host's clock may be from the store's: beyond it S3 itself refuses requests
// (RequestTimeTooSkewed).
const ClockBound = 15 * time.Minute

// ClockSlack is how far in the future a recorded time may lie before a clock is called wrong. Two hosts may each be
// ClockBound off the store without anybody's fault; an hour is twice that, and less than a wrong time zone.
const ClockSlack = time.Hour

// ReadClocks asks the store for its time and the host for its own.
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
