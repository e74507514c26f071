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

type consoleOptions struct {
	*streams
	env        *environment
	settings   *settings
	stores     client
	readOnly   bool
	accessible bool
}

// runConsole runs the operator's screens until they are left.
func runConsole(ctx context.Context, o *consoleOptions) error {
	c, err := o.settings.readConfig() // what a shell overrides stands in the first line
	if err != nil {
		return err
	}
	audit := journal.NewHandler(journal.HandlerOptions{})
	defer func() { _ = audit.Close() }()
	examiner := &screenDoctor{env: o.env, config: c}
	options, done := console.Build(console.Setup{
		Examine: examiner.examine, WriteReport: examiner.write,
		Config: c, Host: hostname(), Version: version(), ReadOnly: o.readOnly || c.ReadOnly,
		NoColor:    o.noColor || o.env.getenv("NO_COLOR") != "",
		Open:       o.stores.bucket,
		Identities: func(job config.Job) ([]age.Identity, error) { return o.env.identities(job, "") },
		Log:        slog.New(audit),
		Env: backup.Env{
			Now: o.env.now, Host: hostname(), Tool: "pgbtui " + version(), Trigger: "operator", CacheDir: o.env.cacheDir(),
		},
	})
	defer done()
	if o.accessible {
		return ui.RunAccessible(ctx, options, o.in, o.out)
	}
	return ui.Run(ctx, options)
}
