package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

type watchOptions struct {
	*streams
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	stores *stores
	tell   bool
}

func newWatchCommand(p *program) *cobra.Command {
	o := &watchOptions{streams: p.streams, env: p.environment, logs: p.logs, config: p.config, stores: p.stores}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Check every job's backups, timer and last run, and say what is wrong; exit 3 if anything is",
		Args:  noArgs,
		Long: `watch checks every job: the age of the newest good backup and proof in the bucket, whether its timer is
enabled and running, and how its last run really ended. Run by hand, it only prints what it finds.

postgres-backup-watch.timer starts it every hour with --tell. Then it sends an alert to the channels for each
new problem, reminders while the problem lasts, and one all-clear when it is over.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return asRun(watchRun, runWatch(cmd.Context(), o)) },
	}
	cmd.Flags().BoolVar(&o.tell, "tell", false, "send alerts of what is new to the channels: for the unit")
	return cmd
}

func runWatch(ctx context.Context, o *watchOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	bus, busErr := watchedUnits(ctx, c)
	if bus != nil {
		defer func() { _ = bus.Close() }()
	}
	jobs, err := jobsOnTimers(ctx, c, bus)
	if err != nil {
		busErr = err
	}
	as := client{stores: o.stores, access: access{waitedFor: !o.tell}}
	if len(c.Jobs) > 0 {
		jobs = as.expand(ctx, c).Jobs
	}
	snapshot := prober(o.env, as, bus, busErr).Probe(ctx, c, jobs)
	if o.tell {
		return notifyNew(ctx, o, c, jobs, snapshot)
	}
	found := snapshot.Findings(nil, o.env.now())
	if err := printWatch(o.streams, snapshot, found, o.env.now()); err != nil {
		return err
	}
	if len(problems(found)) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

// problems are the findings that are not only told.
func problems(found []watch.Finding) []watch.Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f watch.Finding) bool { return f.Notice })
}

// watchedUnits is systemd, unless this configuration only reads what another host writes.
func watchedUnits(ctx context.Context, c *config.Config) (*systemd.Bus, error) {
	if c.ReadOnly {
		return nil, nil
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return bus, nil
}

// jobsOnTimers are the configuration's jobs; where it lists none, those that timers exist for.
func jobsOnTimers(ctx context.Context, c *config.Config, bus *systemd.Bus) ([]config.Job, error) {
	if len(c.Jobs) > 0 || bus == nil {
		return c.Jobs, nil
	}
	timers, err := bus.Timers(ctx)
	if err != nil {
		return nil, err
	}
	var jobs []config.Job
	for _, t := range timers {
		if job, err := c.Job(t.Job); err == nil && !t.Plain {
			jobs = append(jobs, job)
		}
	}
	return jobs, nil
}

// notifyNew sends alerts of what is new. A channel that refuses one is an incident of its own and no failure of the
// watch: the other channels get an alert about it, and the next check tries again.
func notifyNew(
	ctx context.Context, o *watchOptions, c *config.Config, jobs []config.Job, snapshot watch.Snapshot,
) error {
	t := &teller{env: o.env, logs: o.logs, c: c, jobs: jobs, now: o.env.now()}
	if len(jobs) == 0 {
		t.jobs = c.All()
	}
	store := incidents(ctx, t)
	var known []watch.Incident
	if store != nil {
		defer func() { _ = store.Close() }()
		known = store.Incidents
	}
	found := snapshot.Findings(known, t.now)
	if _, bad := alertChannels(o.env, c, t.jobs...); len(bad) > 0 {
		found = append(found, watch.Finding{
			Subject: watch.UnusableChannel, Kind: watch.KindChannel, Severity: watch.Critical,
			What: bad[0].Error(), Remedy: fault.Remedy(bad[0]),
		})
	}
	found = append(found, measureProbe(ctx, probeResult{
		env: o.env, config: c, jobs: jobs, seen: snapshot, found: found, at: t.now,
	})...)
	options := watch.Options{Now: t.now, Unjudged: snapshot.Unjudged, Remind: func(subject string) time.Duration {
		if name, _, ok := systemd.ScheduledJobOf(subject); ok && name != "" {
			subject = name
		}
		for _, job := range jobs {
			if job.Name == subject || job.Title() == subject {
				return job.Alert.Remind
			}
		}
		return c.Defaults().Alert.Remind
	}}
	_, err := t.tell(ctx, store, found, options)
	if err != nil {
		t.warn(ctx, "not all alerts could be delivered: "+err.Error())
	}
	critical := slices.ContainsFunc(found, func(f watch.Finding) bool { return f.Severity == watch.Critical })
	o.logs.logger(slog.LevelInfo).InfoContext(ctx,
		fmt.Sprintf("watch: %d jobs, %d problems", len(snapshot.Jobs), len(problems(found))))
	if c.Watch.PingURL != "" && !critical && err == nil {
		if err := ping(ctx, c.Watch.PingURL); err != nil {
			t.warn(ctx, "watch: the ping address did not answer: "+err.Error())
		}
	}
	if len(problems(found)) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}
