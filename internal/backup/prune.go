package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Pruning is what retention would do with the sets of one job, and why a person should look first.
type Pruning struct {
	Decisions []Decision // newest first
	Doubts    []string   // reasons not to carry it out unseen; none: nothing is odd

	job string
}

// Removes is how many sets the plan deletes: the number that confirms it. What runs left that never
// committed is not counted.
func (p *Pruning) Removes() int {
	n := 0
	for _, d := range p.Decisions {
		if d.Delete && d.Set.Kind != KindIncomplete {
			n++
		}
	}
	return n
}

// Plan decides for the sets of a job, and changes nothing.
func Plan(ctx context.Context, job config.Job, env Env, legacy bool) (*Pruning, error) {
	if job.Instance == "" || job.Database == "" {
		return nil, fault.New(fault.Config, "retention: no instance or database", "name the job's database", nil)
	}
	clocks, err := readClocks(ctx, env.Bucket, env.Now)
	if err != nil {
		return nil, fmt.Errorf("retention: compare the clocks: %w", err)
	}
	sets, err := NewCatalogue(env.Bucket, job).Sets(ctx, Scope{job.Instance, job.Database})
	if err != nil {
		return nil, err
	}
	policy := Policy{Keep: job.Keep, Legacy: legacy}
	decisions, err := Retain(sets, policy, clocks.earlier())
	if err != nil {
		return nil, err
	}
	if err := spareRunning(ctx, job, env, decisions); err != nil {
		return nil, err
	}
	return &Pruning{Decisions: decisions, Doubts: doubts(decisions, policy, clocks), job: job.Name}, nil
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
