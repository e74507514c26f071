package main

import (
	"context"
	"log/slog"
	"slices"
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
		if job, jobErr = c.Job(a.Job); jobErr != nil {
			job = c.Defaults() // a restore or verification: the webhook of all jobs
		}
	}
	a.Database = job.Database
	a.Reason, a.Remedy = lastError(ctx, a.Unit, a.InvocationID)
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

// lastError is how the failed run itself told its end, with its advice, or "". systemd's own
// "Failed to start …" stands in the same run, after it, and says nothing that the alert does not.
func lastError(ctx context.Context, unit, invocation string) (message, remedy string) {
	reader, err := journal.Open(ctx, journal.Options{})
	if err != nil {
		return "", ""
	}
	defer func() { _ = reader.Close() }()
	page, err := reader.Page(ctx, journal.Query{Units: []string{unit}, InvocationID: invocation, MaxPriority: 4}, journal.Position{Direction: journal.Older, Limit: 50})
	if err != nil {
		return "", ""
	}
	for _, e := range slices.Backward(page.Entries) {
		// An end that is no error, such as a lock that is held, is told as a warning with an exit code.
		if e.PID != 1 && (e.Priority <= 3 || e.Fields["PGBTUI_EXIT"] != "") {
			return e.Message, e.Fields["PGBTUI_REMEDY"]
		}
	}
	return "", ""
}
