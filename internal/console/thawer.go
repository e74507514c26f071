package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// thawer is ui.Thawer. Asking the store is no work for a unit: the store does it.
type thawer struct {
	buckets *buckets
	setup   Setup
	who     journal.Operator
}

var _ ui.Thawer = (*thawer)(nil)

const (
	thawTier = s3.TierStandard
	thawDays = 7
)

// Outlook implements ui.Thawer.
func (t *thawer) Outlook(set backup.Set) ui.ThawOutlook {
	dump := s3.Object{Key: set.Dir + set.DumpKey(), Size: set.StoredSize, StorageClass: set.Class, Archived: true}
	st := thaw.Standing{Objects: []s3.Object{dump}}
	look := ui.ThawOutlook{Days: thawDays, CLI: "--tier " + string(thawTier)}
	_, look.Takes = thaw.TakesAll(st, thawTier)
	prices, region := t.buckets.pricesOf(&set)
	look.USD, look.Known = thaw.Price(prices, region, st, thawTier, thawDays)
	return look
}

// pricesOf is the list that holds where a set lies. Of a bucket that was never opened no price is known.
func (b *buckets) pricesOf(set *backup.Set) (price.Table, string) {
	job := b.job(set)
	b.mu.Lock()
	defer b.mu.Unlock()
	at, opened := b.at[job.S3]
	if !opened {
		return price.Table{}, ""
	}
	return at.Table(), at.Region
}

// Thaw implements ui.Thawer.
func (t *thawer) Thaw(ctx context.Context, set backup.Set) error {
	_, bucket, err := t.buckets.open(ctx, t.buckets.job(&set))
	if err != nil {
		return err
	}
	if _, err := thaw.Begin(ctx, bucket, &set, thawTier, thawDays); err != nil {
		return err
	}
	journal.Audit(ctx, t.setup.Log, t.who, journal.Action{What: "thaw", Target: set.ID})
	return nil
}
