package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

type pruneFlags struct {
	job            string
	dryRun, legacy bool
}

type jsonPrune struct {
	Schema    int            `json:"schema"`
	DryRun    bool           `json:"dryRun"`
	Decisions []jsonDecision `json:"decisions"`
	Error     *jsonFault     `json:"error,omitempty"` // what could not be deleted
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
		Long: "Decide for every set of one job, by its retention, and delete what every rule lets go. The newest good\nset, the newest proven one, the configured minimum and whatever is younger than a day always stay; other\njobs' sets and foreign objects are never touched.",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.prune(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.job, "job", "", "the `job` whose sets are meant; without one, the only job")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the decisions and change nothing")
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
	deleted := map[string]bool{}
	var applyErr error
	if !f.dryRun {
		var gone []backup.Decision
		gone, applyErr = backup.Apply(ctx, env.Bucket, log.With(slog.String("job", job.Name), slog.String("database", job.Database)), plan)
		for _, d := range gone {
			deleted[d.Set.Dir] = true
		}
	}
	if p.json {
		return p.printPlanJSON(plan, deleted, f.dryRun, applyErr)
	}
	if err := p.printPlan(plan, deleted, f.dryRun); err != nil {
		return err
	}
	return applyErr
}

// printPlanJSON is one document also when something could not be deleted.
func (p *program) printPlanJSON(plan []backup.Decision, deleted map[string]bool, dryRun bool, failed error) error {
	out := jsonPrune{Schema: jsonSchema, DryRun: dryRun, Decisions: []jsonDecision{}}
	for _, d := range plan {
		out.Decisions = append(out.Decisions, jsonDecision{d.Set.ID, d.Delete, deleted[d.Set.Dir], d.Reason})
	}
	if failed == nil {
		return p.printJSON(out)
	}
	told := asFault(failed)
	out.Error = &told
	if err := p.printJSON(out); err != nil {
		return err
	}
	explain(p.err, failed)
	return &outcome{fault.CodeOf(failed)}
}

func (p *program) printPlan(plan []backup.Decision, deleted map[string]bool, dryRun bool) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, d := range plan {
		word := "keep"
		switch {
		case deleted[d.Set.Dir]:
			word = "deleted"
		case d.Delete && dryRun:
			word = "would delete"
		case d.Delete:
			word = "NOT deleted"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", word, d.Set.ID, d.Reason)
	}
	return w.Flush()
}
