package console

import (
	"context"
	"log/slog"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// pruning is ui.Retention: the function that `pgbtui prune --dry-run` shows.
type pruning struct {
	setup   Setup
	buckets *buckets
}

// pruneBy says who deletes.
var pruneBy = map[config.Prune]string{
	config.PruneByBackup: "each backup deletes by them",
	config.PruneByTimer:  "the prune timer deletes by them",
}

// Plan implements ui.Retention.
func (r *pruning) Plan(ctx context.Context, of ui.Job) (ui.PrunePlan, error) {
	job, err := r.setup.Config.Job(of.Name)
	if err != nil {
		return ui.PrunePlan{}, err
	}
	job, _ = job.Of(of.Database, of.Schema)
	_, bucket, err := r.buckets.open(ctx, job)
	if err != nil {
		return ui.PrunePlan{}, err
	}
	env := r.setup.Env
	env.Bucket, env.Log = bucket, slog.New(slog.DiscardHandler)
	pruning, err := retention.Plan(ctx, job, env, retention.Reach{})
	if err != nil {
		return ui.PrunePlan{}, err
	}
	cost := func(l *retention.Leftover) (float64, bool) {
		return l.MonthlyUSD(r.setup.storedAt(bucket))
	}
	plan := ui.PrunePlan{Pruning: pruning, By: pruneBy[job.Keep.By], MonthlyUSD: cost}
	if len(job.Keep.Rules()) > 0 {
		plan.Rules = job.Keep.String()
	}
	// Most buckets have no versions, and some roles may not look: then it is left open.
	folder := backup.FolderOf(job)
	if hidden, err := backup.Noncurrent(ctx, bucket, folder); err == nil {
		plan.Hidden = &hidden
	}
	return plan, nil
}
