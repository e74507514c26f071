package thaw

import (
	"context"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Takes is how long AWS says that a tier takes at most ("Archive retrieval options"), and in words.
func Takes(class string, tier s3.Tier) (most time.Duration, text string) {
	deep := class == "DEEP_ARCHIVE"
	switch {
	case deep && tier == s3.TierBulk:
		return 48 * time.Hour, "within 48 hours"
	case deep:
		return 12 * time.Hour, "within 12 hours"
	case tier == s3.TierBulk:
		return 12 * time.Hour, "in 5 to 12 hours"
	case tier == s3.TierExpedited:
		return 5 * time.Minute, "in 1 to 5 minutes"
	}
	return 5 * time.Hour, "in 3 to 5 hours"
}

// TakesAll is Takes for a set: its slowest object counts. Of Intelligent-Tiering nobody tells the tier in time, so that
// the slower one is meant.
func TakesAll(st Standing, tier s3.Tier) (most time.Duration, text string) {
	for _, o := range st.Objects {
		if !o.Archived {
			continue
		}
		class := o.StorageClass
		if class == "INTELLIGENT_TIERING" {
			class = "DEEP_ARCHIVE"
		}
		if d, t := Takes(class, tier); d > most {
			most, text = d, t
		}
	}
	return most, text
}

// Wait is how a run waits for a set.
type Wait struct {
	Every time.Duration // between two looks; 0 is a minute
	Most  time.Duration // from its start; then it gives up
	Tell  func(Standing)
}

// patience is what AWS is allowed beyond what it says.
const patience = 2

// MostOf is for how long it is sensible to wait.
func MostOf(st Standing, tier s3.Tier) time.Duration {
	most, _ := TakesAll(st, tier)
	return max(patience*most, time.Hour)
}

// For returns when every object of the set can be read. A store that does not answer for a while is asked again.
func (w Wait) For(ctx context.Context, b *s3.Bucket, set *backup.Set) error {
	every := w.Every
	if every == 0 {
		every = time.Minute
	}
	end := time.Now().Add(w.Most)
	for {
		st, err := Of(ctx, b, set)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !fault.CodeOf(err).Retryable():
			return err
		case err == nil && st.State == backup.Archived:
			return fault.New(fault.Refused, fmt.Sprintf("set %s is archived, and nobody thaws it any more", set.ID),
				"Thaw it again with `pgbtui thaw "+set.ID+"`.", ErrNotThere)
		case err == nil && st.State != backup.Thawing:
			return nil
		case err == nil && w.Tell != nil:
			w.Tell(st)
		}
		if time.Now().Add(every).After(end) {
			return fault.New(fault.Temporary, fmt.Sprintf("set %s was not thawed within %s", set.ID, readable.Took(w.Most)),
				"Ask for the restore again: what is under way goes on, and is not paid for twice.", ErrNotThere)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
}
