package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/copying"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// `copy`: bring the copies of a job up to date. A copy, or a database, that fails does not stop the others; the exit
// code is the worst.

type jsonCopy struct {
	Schema  int             `json:"schema"`
	OK      bool            `json:"ok"`
	Results []jsonCopyPlace `json:"results"`
}

// jsonCopyPlace is one database at one copy.
type jsonCopyPlace struct {
	Copy     string            `json:"copy"`
	Job      string            `json:"job"`
	Database string            `json:"database"`
	Tenant   string            `json:"tenant,omitempty"` // the schema
	DryRun   bool              `json:"dryRun,omitempty"` // missing says what would be copied
	Missing  []string          `json:"missing"`          // before this run
	Copied   []jsonCopied      `json:"copied"`
	LeftOut  []jsonCopyLeftOut `json:"leftOut"`
	Failed   []jsonCopyFailed  `json:"failed"`
	Error    *jsonFault        `json:"error,omitempty"` // nothing could be looked at or written
}

type jsonCopied struct {
	ID       string   `json:"id"`
	Bytes    int64    `json:"bytes"`
	ByStore  bool     `json:"byStore"` // no byte of it passed through this host
	Warnings []string `json:"warnings,omitempty"`
}

type jsonCopyLeftOut struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

type jsonCopyFailed struct {
	ID    string    `json:"id"`
	Error jsonFault `json:"error"`
}

type copyOptions struct {
	*streams
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	find   *finder
	run    *runner
	of     selection
	to     string
	dryRun bool
}

func newCopyCommand(p *program) *cobra.Command {
	as := access{duty: dutyOf("copy")}
	o := &copyOptions{
		streams: p.streams, env: p.environment, logs: p.logs, config: p.config, find: p.finder(as), run: p.runner(as),
	}
	cmd := &cobra.Command{
		Use: "copy [ID|latest]", Short: "Copy sets to the further places that are configured",
		Long: `Copy every good set that a copy of the job lacks and that the copy's own rules would keep, newest first; with
an ID, that set alone. The store copies by itself where both places are in one store and its key may do that; otherwise
the bytes pass through this host, and nothing is kept on its disk. A copy is the same set: the same ID, manifest and
signature. It exists when its manifest exists, which is written last.

Sets that are not good, not signed where keys are configured, or archived are not copied, and named. What a killed
run left is used or removed by the next one.

The unit is postgres-backup-copy@JOB.timer. docs/copies.md says how to set copies up.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return o.of.args(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asRun(copyRun, runCopy(cmd.Context(), o))
		},
	}
	cmd.Flags().StringVar(&o.of.job, "job", "", "only the sets of this `job`")
	cmd.Flags().StringVar(&o.to, "to", "", "only to the copy of this `name`")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be copied, and change nothing")
	return cmd
}

// fromFlag lets a verb work at a copy.
func fromFlag(cmd *cobra.Command, s *settings) {
	cmd.Flags().StringVar(&s.from, "from", "", "at the copy of this `name`, instead of the main bucket")
	// It fails for a flag that is not there alone.
	_ = cmd.RegisterFlagCompletionFunc("from", s.completeCopies)
}

func (s *settings) completeCopies(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := s.readConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.CopyNames(), cobra.ShellCompDirectiveNoFileComp
}

func runCopy(ctx context.Context, o *copyOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, one, err := o.chosen(ctx, c)
	if err != nil {
		return err
	}
	out := jsonCopy{Schema: jsonSchema, Results: []jsonCopyPlace{}}
	worst := fault.OK
	for _, job := range jobs {
		for _, copied := range job.Copies {
			if o.to != "" && copied.Name != o.to {
				continue
			}
			at, _ := job.AtCopy(copied.Name)
			result, code := o.toOne(ctx, job, at, one)
			out.Results = append(out.Results, result)
			worst = worstOfRun(worst, code)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
	if len(out.Results) == 0 {
		return noCopies(c, o.to)
	}
	out.OK = worst == fault.OK
	if o.json {
		if err := o.printJSON(out); err != nil {
			return err
		}
	}
	return exitWith(worst)
}

func noCopies(c *config.Config, named string) error {
	remedy := "Name a place for them under `copies:`, see docs/copies.md."
	if names := c.CopyNames(); len(names) > 0 {
		remedy = "There are these: " + strings.Join(names, ", ") + "."
	}
	what := "no copies are configured for this job"
	if named != "" {
		what = fmt.Sprintf("no copy %q is configured for this job", named)
	}
	return fault.New(fault.Config, what, remedy, nil)
}

// chosen are the jobs, each with one database, and the one set that was named, or "".
func (o *copyOptions) chosen(ctx context.Context, c *config.Config) (jobs []config.Job, one string, err error) {
	if o.of.id == "" {
		jobs, err = o.find.expand(ctx, c).Backed(o.of.job)
		return slices.DeleteFunc(slices.Clone(jobs), func(j config.Job) bool { return j.Open() }), "", err
	}
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return nil, "", err
	}
	return []config.Job{at.job}, at.set.ID, nil
}

// toOne brings one database of one copy up to date. What fails is logged, and in the result.
func (o *copyOptions) toOne(ctx context.Context, job, at config.Job, one string) (jsonCopyPlace, fault.Code) {
	result := jsonCopyPlace{
		Copy: at.Copy, Job: job.Name, Database: job.Database, Tenant: job.Schema, DryRun: o.dryRun,
		Missing: []string{}, Copied: []jsonCopied{}, LeftOut: []jsonCopyLeftOut{}, Failed: []jsonCopyFailed{},
	}
	worst := fault.OK
	err := o.bring(ctx, job, at, one, &result, &worst)
	if err == nil {
		return result, worst
	}
	told := asFault(err)
	result.Error = &told
	o.logs.logger(slog.LevelInfo).ErrorContext(context.WithoutCancel(ctx),
		fmt.Sprintf("%s: nothing was copied to %s: %s", job.Title(), at.Copy, err), event.Attr(event.CopyFailed),
		slog.String("job", job.Name), slog.String("copy", at.Copy), slog.Int("exit", int(fault.CodeOf(err))),
		slog.String("remedy", fault.Remedy(err)))
	return result, worstOfRun(worst, fault.CodeOf(err))
}

func (o *copyOptions) bring(
	ctx context.Context, job, at config.Job, one string, result *jsonCopyPlace, worst *fault.Code,
) error {
	env, stop, err := o.run.watched(ctx, job)
	if err != nil {
		return err
	}
	defer stop()
	to, err := o.run.bucket(ctx, at)
	if err != nil {
		return err
	}
	copier := copying.Copier{Env: env, To: to, Job: job, At: at}
	choice, err := copier.Look(ctx)
	if err != nil {
		return err
	}
	o.note(job, at, &choice, one, result)
	if o.dryRun {
		return nil
	}
	if err := copier.HoldAlong(ctx, choice); err != nil {
		return err
	}
	return copier.Run(ctx, choice.Sets, func(done *copying.Done, set *backup.Set, err error) {
		if err != nil {
			result.Failed = append(result.Failed, jsonCopyFailed{ID: set.ID, Error: asFault(err)})
			*worst = worstOfRun(*worst, fault.CodeOf(err))
			return
		}
		result.Copied = append(result.Copied, jsonCopied{
			ID: set.ID, Bytes: done.Bytes, ByStore: done.ByStore, Warnings: done.Warnings,
		})
		if len(done.Warnings) > 0 {
			*worst = worstOfRun(*worst, fault.Warnings)
		}
		o.sayCopied(at, done)
	})
}

// note keeps what is missing, of the one set alone where one was named, and says what is left out.
func (o *copyOptions) note(job, at config.Job, choice *copying.Choice, one string, result *jsonCopyPlace) {
	if one != "" {
		choice.Sets = slices.DeleteFunc(choice.Sets, func(s *backup.Set) bool { return s.ID != one })
		choice.LeftOut = slices.DeleteFunc(choice.LeftOut, func(l copying.LeftOut) bool { return l.Set.ID != one })
	}
	for _, set := range choice.Sets {
		result.Missing = append(result.Missing, set.ID)
	}
	for _, left := range choice.LeftOut {
		result.LeftOut = append(result.LeftOut, jsonCopyLeftOut{ID: left.Set.ID, Why: left.Why})
	}
	if o.json {
		return
	}
	for _, left := range choice.LeftOut {
		o.printf("%s is not copied to %s: %s\n", left.Set.ID, at.Copy, printable.Text(left.Why))
	}
	if o.dryRun {
		for _, set := range choice.Sets {
			o.printf("%s would be copied to %s: %s\n", set.ID, at.Copy, readable.Size(set.StoredSize))
		}
	}
	if len(choice.Sets) == 0 {
		o.printf("%s: copy %s lacks nothing\n", printable.Text(job.Title()), at.Copy)
	}
}

func (o *copyOptions) sayCopied(at config.Job, done *copying.Done) {
	if o.json {
		return
	}
	way := "through this host"
	if done.ByStore {
		way = "by the store itself"
	}
	o.printf("%s copied to %s: %s, %s\n", done.Set.ID, at.Copy, readable.Size(done.Bytes), way)
	for _, warning := range done.Warnings {
		o.printf("  warning: %s\n", printable.Text(warning))
	}
}
