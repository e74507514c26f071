package main

import (
	"context"
	"log/slog"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// alert writes one clear entry to the journal, and posts it where the configuration says. The
// entry comes first: it must not depend on a network.
func (p *program) alert(ctx context.Context, unit string) error {
	a := notify.FromMonitor(unit, p.getenv)
	a.Host, a.When = hostname(), p.now()
	c, configErr := p.config()
	var ofJob bool
	a.Job, _, ofJob = systemd.ScheduledJobOf(a.Unit)
	job, jobErr := config.Job{}, configErr
	if configErr == nil {
		if job, jobErr = c.Job(a.Job); jobErr != nil {
			job = c.Defaults() // of one set or restore: the webhook of all jobs
		}
	}
	a.Database = job.Database
	explainFailure(ctx, &a)
	log := p.logger(slog.LevelInfo)
	log.LogAttrs(ctx, journal.LevelAlert, a.Text(), slog.String("event", journal.EventAlert), slog.String("failed_unit", a.Unit),
		slog.String("job", a.Job), slog.String("database", a.Database))
	webhook := firstOf(job.Alert.SlackWebhook, p.getenv("SLACK_WEBHOOK_URL"))
	if webhook == "" {
		if jobErr != nil && ofJob {
			return fault.New(fault.Config, "alert: told in the journal only, the configuration is not readable", "", jobErr)
		}
		return nil
	}
	return notify.Slack(ctx, webhook, a.Text())
}
