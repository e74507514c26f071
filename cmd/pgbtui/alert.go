package main

import (
	"context"
	"log/slog"
	"strings"

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
	a.Job, _, _ = systemd.JobOf(a.Unit)
	job, jobErr := config.Job{}, configErr
	if configErr == nil {
		job, jobErr = c.Job(a.Job)
	}
	a.Database = job.Database
	a.Reason = lastError(ctx, a.Unit, a.InvocationID)
	log := p.logger(slog.LevelInfo)
	log.LogAttrs(ctx, journal.LevelAlert, a.Text(), slog.String("event", journal.EventAlert), slog.String("failed_unit", a.Unit),
		slog.String("job", a.Job), slog.String("database", a.Database))
	webhook := firstOf(job.Alert.SlackWebhook, p.getenv("SLACK_WEBHOOK_URL"))
	if webhook == "" {
		if jobErr != nil && !strings.HasPrefix(a.Unit, "postgres-restore@") && !strings.HasPrefix(a.Unit, "postgres-verify@") {
			return fault.New(fault.Config, "alert: told in the journal only, the configuration is not readable", "", jobErr)
		}
		return nil
	}
	return notify.Slack(ctx, webhook, a.Text())
}

// lastError is the newest error that the failed run itself wrote, or "".
func lastError(ctx context.Context, unit, invocation string) string {
	reader, err := journal.Open(ctx, journal.Options{})
	if err != nil {
		return ""
	}
	defer func() { _ = reader.Close() }()
	page, err := reader.Page(ctx, journal.Query{Units: []string{unit}, InvocationID: invocation, MaxPriority: 3}, journal.Position{Direction: journal.Older, Limit: 1})
	if err != nil || len(page.Entries) == 0 {
		return ""
	}
	return page.Entries[len(page.Entries)-1].Message
}
