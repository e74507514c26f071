package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type pruneFlags struct {
	job            string
	dryRun, legacy bool
	confirm        int // backup.Unconfirmed without the flag
}

type jsonPrune struct {
	Schema    int            `json:"schema"`
	DryRun    bool           `json:"dryRun"`
	Decisions []jsonDecision `json:"decisions"`
	Removes   int            `json:"removes"` // what --confirm wants
	Doubts    []string       `json:"doubts"`
	Hidden    *jsonHidden    `json:"hidden"`          // null: could not be counted
	Error     *jsonFault     `json:"error,omitempty"` // what could not be deleted
}

type jsonHidden struct {
	Versions int   `json:"versions"`
	Bytes    int64 `json:"bytes"`
	Markers  int   `json:"markers"`
}

type jsonDecision struct {
	ID      string `json:"id"`
	Delete  bool   `json:"delete"`
	Deleted bool   `json:"deleted"`
	Reason  string `json:"reason"`
}

func (p *program) pruneCommand() *cobra.Command {
	var f pruneFlags
	cmd := &cobra.Command{
		Use: "prune", Short: "Delete the sets that retention lets go, with the reason of each", Args: noArgs,
		Long: `Decide for every set of one job, by its keep rules, and delete what no rule keeps. The newest good set, the newest
proven one, the configured minimum, whatever is held, locked or younger than a day always stay; other jobs' sets and
foreign objects are never touched.

A plan that looks wrong is refused (exit 4): a clock that is off, or more than three sets and more than a fifth of
them at once. Look at it with --dry-run; --confirm N, with the number of sets that it deletes, carries it out.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.inJournal(cmd.Context(), pruneRun, p.prune(cmd.Context(), f))
		},
	}
	cmd.Flags().StringVar(&f.job, "job", "", "the `job` whose sets are meant; without one, the only job")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the decisions and change nothing")
	cmd.Flags().IntVar(&f.confirm, "confirm", backup.Unconfirmed, "carry out a plan that looks wrong: it deletes `N` sets, as --dry-run says")
	cmd.Flags().BoolVar(&f.legacy, "legacy", false, "let the sets of the old shell script go by the same rules")
	return cmd
}

func (p *program) prune(ctx context.Context, f pruneFlags) error {
	job, err := p.job(f.job)
	if err != nil {
		return err
	}
	log := p.logger(slog.LevelWarn)
	env, err := p.env(ctx, job, log)
	if err != nil {
		return err
	}
	plan, err := backup.Plan(ctx, job, env, f.legacy)
	if err != nil {
		return err
	}
	done := pruned{plan: plan, dryRun: f.dryRun, deleted: map[string]bool{}}
	if !f.dryRun {
		var gone []backup.Decision
		gone, done.failed = backup.Apply(ctx, env.Bucket, log.With(slog.String("job", job.Name), slog.String("database", job.Database)), plan, f.confirm)
		for _, d := range gone {
			done.deleted[d.Set.Dir] = true
		}
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

// pruned is a plan and what became of it.
type pruned struct {
	plan    *backup.Pruning
	dryRun  bool
	deleted map[string]bool // by folder
	failed  error

	hidden    backup.Hidden // what the job's folder holds and does not show
	uncounted error         // why that is not known
}

// printPrunedJSON is one document also when something could not be deleted.
func (p *program) printPrunedJSON(done pruned) error {
	out := jsonPrune{Schema: jsonSchema, DryRun: done.dryRun, Decisions: []jsonDecision{}, Removes: done.plan.Removes(), Doubts: append([]string{}, done.plan.Doubts...)}
	for _, d := range done.plan.Decisions {
		out.Decisions = append(out.Decisions, jsonDecision{d.Set.ID, d.Delete, done.deleted[d.Set.Dir], d.Reason})
	}
	if h := done.hidden; done.uncounted == nil {
		out.Hidden = &jsonHidden{h.Versions, h.Bytes, h.Markers}
	}
	if done.failed == nil {
		return p.printJSON(out)
	}
	told := asFault(done.failed)
	out.Error = &told
	if err := p.printJSON(out); err != nil {
		return err
	}
	explain(p.err, done.failed)
	return &outcome{fault.CodeOf(done.failed)}
}

func (p *program) printPruned(done pruned) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, d := range done.plan.Decisions {
		word := "keep"
		switch {
		case done.deleted[d.Set.Dir]:
			word = "deleted"
		case d.Delete && done.dryRun:
			word = "would delete"
		case d.Delete:
			word = "NOT deleted"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", word, d.Set.ID, printable.Text(d.Reason))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	p.printHidden(done)
	if !done.dryRun {
		return nil
	}
	for _, doubt := range done.plan.Doubts {
		p.printf("doubtful: %s\n", printable.Text(doubt))
	}
	if len(done.plan.Doubts) > 0 {
		p.printf("only --confirm %d carries this out\n", done.plan.Removes())
	}
	return nil
}

// printHidden tells what a bucket with versions still holds. Without the right to look it is left open:
// most buckets have no versions.
func (p *program) printHidden(done pruned) {
	if h := done.hidden; done.uncounted == nil && h != (backup.Hidden{}) {
		p.printf("hidden below this job's folder: %d old versions, %s, and %d delete markers; a lifecycle rule for noncurrent versions removes them\n",
			h.Versions, size(h.Bytes), h.Markers)
	}
}
