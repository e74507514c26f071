package dump

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// retention runs after a commit. Whatever goes wrong here is a warning: the backup stands, and
// running the dump again would mend nothing. A run confirms nothing.
func (r *run) retention(ctx context.Context) []retention.Decision {
	if len(r.job.Keep.Rules()) == 0 || r.job.Keep.By == config.PruneByTimer {
		return nil
	}
	r.enter(ctx, backup.StageRetention, 0)
	rules, last := passRules(r.job), recallPass(r.env.StateDir, r.job)
	if !last.due(rules, r.env.Stamp()) {
		last.Runs++
		rememberPass(r.env.StateDir, r.job, last)
		r.log.InfoContext(ctx, fmt.Sprintf("retention: left to a later run, since it decided about %d sets at %s", last.Sets,
			last.At.Format(time.RFC3339)), event.Attr(event.RetentionKept))
		return nil
	}
	var done retention.Pruned
	plan, err := retention.PlanOf(ctx, r.job, r.env, r.catalogue, retention.Reach{})
	if err == nil {
		done, err = retention.Apply(ctx, r.env.Bucket, r.log, plan, retention.Unconfirmed)
	}
	if err == nil {
		rememberPass(r.env.StateDir, r.job, pass{Rules: rules, At: r.env.Stamp(), Sets: plan.Seen})
	} else {
		rememberPass(r.env.StateDir, r.job, pass{})
		text := "retention: " + strings.TrimPrefix(err.Error(), "retention: ")
		r.warnings = append(r.warnings, text)
		r.log.WarnContext(ctx, text, event.Attr(event.RetentionFailed), slog.String("remedy", fault.Remedy(err)))
	}
	return done.Sets
}
