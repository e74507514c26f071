package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// `jobs`: every job with each of its databases: when it runs, how the last run ended, what there is, how well that is
// proven; and which databases of the servers no job covers.
//
// Rule: what cannot be asked is a note, never a sign that all is well.

type jobsOptions struct {
	*streams
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	run    *runner
	job    string
	wide   bool
}

func newJobsCommand(p *program) *cobra.Command {
	o := &jobsOptions{
		streams: p.streams, env: p.environment, logs: p.logs, config: p.config,
		run: p.runner(access{waitedFor: true}),
	}
	cmd := &cobra.Command{
		Use: "jobs", Short: "List the jobs, when they run, what they have, and which databases no job covers", Args: noArgs,
		Long: `List every job with each of its databases: its calendar and next run, how the last run ended, the newest good
set and how well it is proven. Each server that a job backs up is asked for its databases: one that no job covers is
listed, and the exit code is 3 until there is a job for it or its name is in exclude, at the top of the
configuration.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runJobs(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "only this `job`")
	cmd.Flags().BoolVar(&o.wide, "wide", false, "every column whole, also on a narrow terminal")
	cmd.AddCommand(newJobsSyncCommand(p))
	return cmd
}

func runJobs(ctx context.Context, o *jobsOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := o.run.expand(ctx, c).Backed(o.job)
	if err != nil {
		return err
	}
	bus := ownUnits(ctx, c)
	if bus != nil {
		defer func() { _ = bus.Close() }()
	}
	out := jsonJobs{Schema: jsonSchema, Jobs: []jsonJobRow{}, Uncovered: []jsonUncovered{}, Notes: []string{}}
	snapshot := prober(o.env, o.run.client, bus, nil).Probe(ctx, c, jobs)
	for i, job := range jobs {
		seen := snapshot.Jobs[i]
		if seen.SetsErr != nil {
			return seen.SetsErr
		}
		out.Jobs = append(out.Jobs, jobRow(job, seen, o.env.now()))
	}
	if bus == nil {
		out.Notes = append(out.Notes,
			"timers are not known: no units of pgbtui are installed here, or systemd does not answer")
	}
	o.addUncovered(ctx, c, &out)
	if err := printJobs(o.streams, out, o.wide, o.env.now()); err != nil {
		return err
	}
	if len(out.Uncovered) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

func jobRow(job config.Job, seen watch.Job, now time.Time) jsonJobRow {
	row := jsonJobRow{Job: job.Name, Database: job.Database, Tenant: job.Schema, Calendar: []string{}, Proof: "none"}
	h := seen.Health(now)
	if h.Newest != nil {
		at := h.Newest.FinishedAt.UTC()
		level, _ := h.Newest.Proven()
		row.NewestAt, row.Proof = &at, level.String()
		if p := h.Newest.Partial(); p != nil {
			row.Partial = p.String()
		}
	}
	row.Problems = len(h.Problems)
	if !seen.Found.GoneSince.IsZero() {
		row.Gone = true
	}
	if seen.Host == nil {
		return row
	}
	row.Timer = string(seen.Host.Timer.State)
	row.Calendar = append(row.Calendar, seen.Host.Timer.Calendar...)
	if next := seen.Host.Timer.Next; !next.IsZero() {
		next = next.UTC()
		row.NextAt = &next
	}
	row.Last, row.LastAt = lastRun(seen.Host)
	return row
}

// lastRun is how the unit's last run ended, and when. systemd forgets a run that succeeded; the journal does not.
func lastRun(u *watch.JobUnits) (how string, at *time.Time) {
	s := u.Service.Service
	ended := s.ExitedAt
	switch {
	case u.Service.Running():
		return "running", nil
	case u.Service.Waiting():
		return "failed, and will be tried again", nil
	case s.Result != "" && s.Result != "success" && s.Result != "exit-code":
		how = systemd.ResultMeaning(s.Result, unix.SignalName(unix.Signal(s.ExitStatus)))
	case s.Result == "exit-code":
		how = fault.Code(s.ExitStatus).Meaning()
	case !ended.IsZero() || !u.History.LastGood.IsZero():
		how = "ok"
		if u.History.LastGood.After(ended) {
			ended = u.History.LastGood
		}
	}
	if ended.IsZero() {
		return how, nil
	}
	ended = ended.UTC()
	return how, &ended
}

// addUncovered asks each server for its databases.
func (o *jobsOptions) addUncovered(ctx context.Context, c *config.Config, out *jsonJobs) {
	quiet := o.run.withoutStore(o.logs.logger(slog.LevelError))
	// Also the server of the only job, which the environment alone names.
	covered := watch.Coverages(c, func(of config.Postgres) *dump.Server {
		seen, err := dump.LookAtServer(ctx, config.Job{Postgres: of}, quiet, o.env.now())
		if err == nil {
			return seen
		}
		// Root for one has no role there. What the newest backup saw is as good, with its time.
		if seen = o.env.rememberedServer(of); seen != nil {
			out.Notes = append(out.Notes, fmt.Sprintf("the server's databases are those that the backup %s ago saw: %s",
				readable.Age(o.env.now().Sub(seen.At)), oneLine(err)))
			return seen
		}
		out.Notes = append(out.Notes, "it is not known which databases no job covers: "+oneLine(err))
		return nil
	})
	out.Uncovered = append(out.Uncovered, uncoveredJSON(covered)...)
	out.Notes = append(out.Notes, inPartNotes(covered)...)
}

// inPartNotes are a sentence for each database that no job backs up as a whole.
func inPartNotes(all []watch.Coverage) (notes []string) {
	for _, server := range all {
		for _, name := range server.InPart {
			notes = append(notes,
				fmt.Sprintf("database %q is backed up in part only: each of its jobs leaves tables out", name))
		}
	}
	return notes
}

// uncoveredJSON is a row for each database that no job backs up.
func uncoveredJSON(all []watch.Coverage) []jsonUncovered {
	rows := []jsonUncovered{}
	for _, c := range all {
		for _, name := range c.Uncovered {
			rows = append(rows, jsonUncovered{Database: name, Host: c.Host, Port: c.Port})
		}
	}
	return rows
}
