package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
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

const thawDays = 7

// Outlooks implements ui.Thawer.
func (t *thawer) Outlooks(set backup.Set) (all []ui.ThawOutlook) {
	dump := s3.Object{Key: set.Dir + set.DumpKey(), Size: set.StoredSize, StorageClass: set.Class, Archived: true}
	st := thaw.Standing{Objects: []s3.Object{dump}}
	prices, region := t.buckets.pricesOf(&set)
	for _, tier := range []s3.Tier{s3.TierBulk, s3.TierStandard, s3.TierExpedited} {
		if thaw.Fits(st, tier) != nil {
			continue
		}
		look := ui.ThawOutlook{Tier: string(tier), Days: thawDays, CLI: "--tier " + string(tier)}
		_, look.Takes = thaw.TakesAll(st, tier)
		look.USD, look.Known = thaw.Price(prices, region, st, tier, thawDays)
		all = append(all, look)
	}
	return all
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
func (t *thawer) Thaw(ctx context.Context, set backup.Set, tier string) error {
	asked, err := thaw.ParseTier(tier)
	if err != nil {
		return fault.New(fault.Usage, err.Error(), "Choose one of them.", nil)
	}
	_, bucket, err := t.buckets.open(ctx, t.buckets.job(&set))
	if err != nil {
		return err
	}
	if _, err := thaw.Begin(ctx, bucket, &set, asked, thawDays); err != nil {
		return err
	}
	journal.Audit(ctx, t.setup.Log, t.who, journal.Action{What: "thaw", Target: set.ID, Reason: tier})
	return nil
}
