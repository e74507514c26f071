package main

import (
	"context"

	"github.com/spf13/cobra"
)

type rootFlags struct {
	headless    bool
	job         string
	database    string
	schema      string
	acceptEmpty bool
	streams     string
	readOnly    bool
	accessible  bool
}

func newRootCommand(p *program) *cobra.Command {
	var f rootFlags
	cmd := &cobra.Command{
		Use:   "pgbtui",
		Short: "PostgreSQL backups to S3 that are proved, and the console that restores them",
		Long: `pgbtui, alone on a terminal, is the operator's console.
pgbtui --headless is one backup run, for a systemd service that a timer starts.

Configuration is read from /etc/pgbtui/config.yaml and from the environment (DB_NAME, DB_USER,
BACKUP_DIR, S3_BUCKET, AWS_REGION, RETENTION_DAYS, libpq's PG*, the AWS SDK's AWS_*).

Exit codes: 0 ok, 1 failed, 3 done with warnings or an objective breached, 4 refused, 64 usage,
65 integrity, 66 not found, 69 PostgreSQL or S3 unreachable, 73 no space, 75 locked or temporary,
77 not permitted, 78 configuration, 130 and 143 stopped by a signal.`,
		SilenceErrors: true, SilenceUsage: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRoot(cmd.Context(), p, f) },
	}
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	cmd.SetFlagErrorFunc(unknownFlag)
	all := cmd.PersistentFlags()
	all.StringVar(&p.configFile, "config", "", "configuration `file` (default /etc/pgbtui/config.yaml)")
	all.BoolVar(&p.json, "json", false, "one JSON document on standard output (docs/json.md)")
	all.BoolVar(&p.noColor, "no-color", false, "no colours; so does NO_COLOR")
	own := cmd.Flags()
	own.BoolVar(&f.headless, "headless", false, "run one backup and exit: for ExecStart")
	own.StringVar(&f.job, "job", "", "the `job` of the configuration; without one, the only job")
	own.StringVar(&f.schema, "tenant", "", "with --headless: this tenant's `schema` alone, of a job of schemas")
	own.StringVar(&f.database, "database", "", "with --headless: this `database` alone, of a job of several")
	own.BoolVar(&f.acceptEmpty, "accept-empty", false,
		"with --headless: accept a dump without tables after one with tables")
	own.StringVar(&f.streams, "streams", "",
		"with --headless: dump in `N` streams at once, 1 to 8, or auto, whatever the job says")
	own.BoolVar(&f.readOnly, "read-only", false, "the console offers nothing that changes anything")
	own.BoolVar(&f.accessible, "accessible", false, "the console as numbered line menus, without repainting")
	cmd.AddCommand(
		newJobsCommand(p), newListCommand(p), newShowCommand(p), newKitCommand(p), newStatusCommand(p), newWatchCommand(p),
		newVerifyCommand(p), newDrillCommand(p), newDrillServerCommand(p), newRestoreCommand(p), newThawCommand(p),
		newPruneCommand(p), newCopyCommand(p), newHoldCommand(p), newUnholdCommand(p), newAcknowledgeCommand(p),
		newInitCommand(p), newConfigCommand(p), newDoctorCommand(p), newAWSCommand(p), newClusterCommand(p),
		newCostCommand(p), newUnitsCommand(p),
		newAlertCommand(p), newEndedCommand(p), newResumeCommand(p), newVersionCommand(p),
	)
	cmd.AddCommand(releaseVerbs()...)
	strictExtras(cmd)
	p.completeWords(cmd)
	return cmd
}

// runRoot is the program without a verb: a backup run, or the console. Without a terminal that can be drawn on the
// console is its one-page summary.
func runRoot(ctx context.Context, p *program, f rootFlags) error {
	switch {
	case f.headless:
		return asRun(backupRun, runHeadless(ctx, &headlessOptions{
			streams: p.streams, env: p.environment, config: p.config, run: p.runner(access{duty: writer}),
			job: f.job, database: f.database, schema: f.schema, acceptEmpty: f.acceptEmpty, inStreams: f.streams,
		}))
	case f.database != "":
		return usageText("--database goes with --headless")
	case f.schema != "":
		return usageText("--tenant goes with --headless")
	case f.acceptEmpty:
		return usageText("--accept-empty goes with --headless")
	case f.streams != "":
		return usageText("--streams goes with --headless")
	case p.json, !f.accessible && !p.canDraw(p.getenv):
		o := newStatusOptions(p)
		o.job = f.job
		return runStatus(ctx, o)
	}
	return runConsole(ctx, &consoleOptions{
		streams: p.streams, env: p.environment, settings: p.settings,
		stores:   client{stores: p.stores, access: access{waitedFor: true}},
		readOnly: f.readOnly, accessible: f.accessible,
	})
}
