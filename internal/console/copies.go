package console

import (
	"context"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// copies reads what the copies of jobs have, beside the listing of the main places. Rules: without copies nothing is
// asked; one that could not be read is left alone for a while, so that it does not slow every refresh down.
type copies struct {
	mu         sync.Mutex
	catalogues map[config.S3]*backup.Catalogue
	failed     map[config.S3]failedCopy
}

// failedCopy is why a copy could not be read, and when.
type failedCopy struct {
	at  time.Time
	err error
}

// askAgain is how long a copy that could not be read is left alone.
const askAgain = 2 * time.Minute

// begin reads the copies of jobs; the answer is there when wait returns.
func (b *buckets) beginCopies(ctx context.Context) (wait func() []*backup.AtCopy) {
	places := backup.CopiesOf(b.setup.Config.All())
	if len(places) == 0 {
		return func() []*backup.AtCopy { return nil }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.copies.readAll(ctx, places, b.openCopy)
	}()
	return func() []*backup.AtCopy { <-done; return places }
}

// openCopy takes turns with whoever opens other places.
func (b *buckets) openCopy(ctx context.Context, at config.Job) (*backup.Catalogue, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, err := b.setup.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	return backup.NewCatalogue(bucket, at).KeepIn(b.setup.Env.CacheDir), nil
}

func (c *copies) readAll(
	ctx context.Context, places []*backup.AtCopy, open func(context.Context, config.Job) (*backup.Catalogue, error),
) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogues == nil {
		c.catalogues = map[config.S3]*backup.Catalogue{}
		c.failed = map[config.S3]failedCopy{}
	}
	for _, p := range places {
		if before, ok := c.failed[p.Job.S3]; ok && time.Since(before.at) < askAgain {
			p.Err = before.err
			continue
		}
		if c.catalogues[p.Job.S3] != nil {
			continue
		}
		catalogue, err := open(ctx, p.Job)
		if err != nil {
			p.Err = err
			continue
		}
		c.catalogues[p.Job.S3] = catalogue
	}
	known := c.catalogues
	backup.ReadCopies(ctx, places, func(ctx context.Context, at config.Job) ([]backup.Set, error) {
		return known[at.S3].Sets(ctx, backup.Scope{})
	})
	for _, p := range places {
		_, before := c.failed[p.Job.S3]
		switch {
		case p.Err == nil:
			delete(c.failed, p.Job.S3)
		case !before || time.Since(c.failed[p.Job.S3].at) >= askAgain:
			c.failed[p.Job.S3] = failedCopy{at: time.Now(), err: p.Err}
		}
	}
}
