package backup

import (
	"context"
	"log/slog"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// retention runs after a commit. Whatever goes wrong here is a warning: the backup stands, and
// running the dump again would mend nothing. A run confirms nothing.
func (r *run) retention(ctx context.Context) []Decision {
	if len(r.job.Keep.Rules()) == 0 || r.job.Keep.By == config.PruneByTimer {
		return nil
	}
	r.enter(ctx, StageRetention, 0)
	var done Pruned
	plan, err := planOf(ctx, r.job, r.env, r.catalogue, Reach{})
	if err == nil {
		done, err = Apply(ctx, r.env.Bucket, r.log, plan, Unconfirmed)
	}
	if err != nil {
		text := "retention: " + strings.TrimPrefix(err.Error(), "retention: ")
		r.warnings = append(r.warnings, text)
		r.log.WarnContext(ctx, text, event(EventRetentionFailed), slog.String("remedy", fault.Remedy(err)))
	}
	return done.Sets
}
