package main

import (
	"context"
	"log/slog"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/console"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// console runs the operator's screens until they are left.
func (p *program) console(ctx context.Context, f rootFlags) error {
	p.watched = true
	c, err := p.readConfig() // what a shell overrides stands in the first line
	if err != nil {
		return err
	}
	audit := journal.NewHandler(journal.HandlerOptions{})
	defer func() { _ = audit.Close() }()
	options, done := console.Build(console.Setup{
		Config: c, Host: hostname(), Version: version(), ReadOnly: f.readOnly || c.ReadOnly,
		NoColor: p.noColor || p.getenv("NO_COLOR") != "",
		Open:    p.bucket, Identities: func(job config.Job) ([]age.Identity, error) { return p.identities(job, "") }, Log: slog.New(audit),
		Env: backup.Env{Now: p.now, Host: hostname(), Tool: "pgbtui " + version(), Trigger: "operator", CacheDir: p.cacheDir()},
	})
	defer done()
	if f.accessible {
		return ui.RunAccessible(ctx, options, p.in, p.out)
	}
	return ui.Run(ctx, options)
}
