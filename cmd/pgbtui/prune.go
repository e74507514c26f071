package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

type pruneFlags struct {
	job     string
	dryRun  bool
	reach   backup.Reach
	confirm int // backup.Unconfirmed without the flag
}

func (p *program) pruneCommand() *cobra.Command {
	var f pruneFlags
	cmd := &cobra.Command{
		Use: "prune", Short: "Delete the sets that retention lets go, with the reason of each", Args: noArgs,
		Long: `Decide for every set of one job, by its keep rules, and delete what no rule keeps. The newest good set, the newest
proven one, the configured minimum, whatever is held, locked or younger than a day always stay; other jobs' sets and
foreign objects are never touched. Where sets are signed, those from before the key stay too: --unsigned lets them go by
the same rules, after the signed ones; with --legacy, those of the old script go when a signed one is newer. A forged
set, or one whose signature is gone, is evidence: a person decides.

What runs left that never committed (open uploads, objects without a manifest) is listed with its size and cost, and
removed when it is older than a day, also without any rule.

A plan that looks wrong is refused (exit 4): a clock that is off, or more than three sets and more than a fifth of
them at once. Look at it with --dry-run; --confirm N, with the number of sets that it deletes, carries it out.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asRun(retentionRun, p.prune(cmd.Context(), f))
		},
	}
	cmd.Flags().StringVar(&f.job, "job", "", "the `job` whose sets are meant; without one, the only job")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the decisions and change nothing")
	cmd.Flags().IntVar(&f.confirm, "confirm", backup.Unconfirmed, "carry out a plan that looks wrong: it deletes `N` sets, as --dry-run says")
	cmd.Flags().BoolVar(&f.reach.Legacy, "legacy", false, "let the sets of the old shell script go by the same rules")
	cmd.Flags().BoolVar(&f.reach.Unsigned, "unsigned", false, "let the sets from before signing go by the same rules")
	return cmd
}

func (p *program) prune(ctx context.Context, f pruneFlags) error {
	job, err := p.job(f.job)
	if err != nil {
		return err
	}
	log := p.logger(slog.LevelWarn)
	env, err := p.runner(p.access()).world(ctx, job, log)
	if err != nil {
		return err
	}
	plan, err := backup.Plan(ctx, job, env, f.reach)
	if err != nil {
		return err
	}
	done := pruned{plan: plan, dryRun: f.dryRun, endpoint: env.Bucket.Endpoint()}
	if !f.dryRun {
		done.gone, done.failed = backup.Apply(ctx, env.Bucket, log.With(slog.String("job", job.Name), slog.String("database", job.Database)), plan, f.confirm)
	}
	done.hidden, done.uncounted = backup.Noncurrent(ctx, env.Bucket, backup.Folder(job.S3.Prefix, job.Instance, job.Database))
	if p.json {
		return p.printPrunedJSON(done)
	}
	if err := p.printPruned(done); err != nil {
		return err
	}
	return done.failed
}
