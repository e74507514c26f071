package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

type pruneOptions struct {
	*streams
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	prices *price.Table // of the configuration's file
	run    *runner

	job     string
	only    string // this database of a job of several
	schema  string // this one of a job of tenants
	copies  bool   // at each copy, instead of the main place
	dryRun  bool
	wide    bool
	reach   retention.Reach
	confirm int // backup.Unconfirmed without the flag
}

func newPruneCommand(p *program) *cobra.Command {
	o := &pruneOptions{
		streams: p.streams, env: p.environment, logs: p.logs, config: p.config,
		run: p.runner(access{duty: dutyOf("prune")}),
	}
	cmd := &cobra.Command{
		Use: "prune", Short: "Delete the sets that retention lets go, with the reason of each", Args: noArgs,
		Long: `Decide for every set of one job, by its keep rules, and delete what no rule keeps. The newest good set, the
newest proven one, the configured minimum, whatever is held, locked or younger than a day always stay; other jobs'
sets and foreign objects are never touched. Where sets are signed, those from before the key stay too: --unsigned lets
them go by the same rules, after the signed ones; with --legacy, those of the old script go when a signed one is
newer. A forged set, or one whose signature is gone, is evidence: a person decides.

What runs left that never committed (open uploads, objects without a manifest) is listed with its size and cost, and
removed when it is older than a day, even without any rule.

A plan that looks wrong is refused (exit 4): a clock that is off, or more than three sets and more than a fifth of
them at once. Look at it with --dry-run; --confirm N, with the number of sets that it deletes, carries it out.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !o.copies {
				return asRun(retentionRun, runPrune(cmd.Context(), o))
			}
			return asRun(retentionRun, eachCopy(cmd.Context(), o.streams, p.settings, o.job,
				func(config.Copy) bool { return true }, func(string) error { return o.atCopy(cmd.Context()) }))
		},
	}
	cmd.Flags().StringVar(&o.job, "job", "", "the `job` whose sets are meant; without one, the only job")
	cmd.Flags().StringVar(&o.schema, "tenant", "", "of a job of schemas, the sets of this tenant's `schema` alone")
	cmd.Flags().StringVar(&o.only, "database", "", "of a job of several databases, the sets of this `database` alone")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show the decisions and change nothing")
	fromFlag(cmd, p.settings)
	cmd.Flags().BoolVar(&o.copies, "copies", false, "at each copy, by its own rules, instead of the main bucket")
	wideFlag(cmd, &o.wide)
	cmd.Flags().IntVar(&o.confirm, "confirm", retention.Unconfirmed,
		"carry out a plan that looks wrong: it deletes `N` sets, as --dry-run says")
	cmd.Flags().BoolVar(&o.reach.Legacy, "legacy", false, "let the sets of the old shell script go by the same rules")
	cmd.Flags().BoolVar(&o.reach.Unsigned, "unsigned", false, "let the sets from before signing go by the same rules")
	return cmd
}

func runPrune(ctx context.Context, o *pruneOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	o.prices = ownPrices(c)
	job, err := jobOf(c, o.job, o.only, o.schema)
	if err != nil {
		return err
	}
	if job.Open() {
		return runPruneSeveral(ctx, o, c, job)
	}
	done, err := o.one(ctx, job)
	if err != nil {
		return err
	}
	if o.json {
		return printPrunedJSON(o.streams, done)
	}
	if err := printPruned(o.streams, done); err != nil {
		return err
	}
	return done.failed
}

// atCopy prunes one copy: of one job, or of each that has it.
func (o *pruneOptions) atCopy(ctx context.Context) error {
	if o.job != "" {
		return runPrune(ctx, o)
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	defer func() { o.job = "" }()
	worst := fault.OK
	for _, job := range c.All() {
		o.job = job.Name
		if err := runPrune(ctx, o); err != nil {
			worst = worstOfRun(worst, exitCode(err))
			if !isOutcome(err) {
				explain(o.err, err)
			}
		}
	}
	return exitWith(worst)
}

// one decides for the sets of one database, and deletes; what could not be deleted is in the result.
func (o *pruneOptions) one(ctx context.Context, job config.Job) (done pruned, err error) {
	log := o.logs.logger(slog.LevelWarn)
	env, err := o.run.world(ctx, job, log)
	if err != nil {
		return done, err
	}
	plan, err := retention.Plan(ctx, job, env, o.reach)
	if err != nil {
		return done, err
	}
	done = pruned{plan: plan, dryRun: o.dryRun, wide: o.wide, place: storedAt(env.Bucket, o.prices), now: o.env.now()}
	if !o.dryRun {
		of := log.With(slog.String("job", job.Name), slog.String("database", job.Database))
		done.gone, done.failed = retention.Apply(ctx, env.Bucket, of, plan, o.confirm)
	}
	folder := backup.FolderOf(job)
	done.hidden, done.uncounted = backup.Noncurrent(ctx, env.Bucket, folder)
	return done, nil
}
