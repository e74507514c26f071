package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/metrics"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// What runs and the watch tell monitoring systems. Rules: it never changes how a run ends; a system that takes nothing
// is a warning in the run's journal, and a problem that the watch tells of.

// metricsTime bounds the sending to all systems together, so that no backup waits for a monitoring system.
const metricsTime = 30 * time.Second

// monitor is one system that takes metrics.
type monitor interface {
	Name() string
	Send(ctx context.Context, groups []metrics.Group) error
}

// monitors are those of a configuration, with the key of a duty where they want one.
func monitors(env *environment, c *config.Config, as duty) []monitor {
	var all []monitor
	if c.Metrics.Textfile != "" {
		all = append(all, metrics.Textfile{Dir: c.Metrics.Textfile})
	}
	if c.Metrics.Pushgateway != "" {
		all = append(all, metrics.Pushgateway{URL: c.Metrics.Pushgateway, Host: hostname()})
	}
	if cw := c.Metrics.CloudWatch; cw.Namespace != "" {
		all = append(all, metrics.CloudWatch{
			Namespace: cw.Namespace, Dimensions: cw.Dimensions, Host: hostname(), Now: env.now,
			Access: s3.Access{
				Region: cw.Region, Profile: cw.Profile, CredentialsFile: cmp.Or(cw.CredentialsFile, env.storeKey(as)),
			},
		})
	}
	return all
}

// refused is a system that did not take what it was sent.
type refused struct {
	system string
	cause  error
}

// sendMetrics gives every system all groups.
func sendMetrics(ctx context.Context, to []monitor, groups []metrics.Group) (bad []refused) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsTime)
	defer cancel()
	for _, m := range to {
		if err := m.Send(ctx, groups); err != nil {
			bad = append(bad, refused{system: m.Name(), cause: err})
		}
	}
	return bad
}

func warnOfMetrics(ctx context.Context, to *logs, bad []refused) {
	for _, r := range bad {
		to.logger(slog.LevelInfo).WarnContext(ctx, "metrics were not accepted by "+r.system+": "+oneLine(r.cause),
			slog.String("event", event.Warning), slog.String("remedy", fault.Remedy(r.cause)))
	}
}

// measureRun sends what a backup's run knows: what the bucket holds now, where it made a set. How the run ended is told
// by ExecStopPost= of its unit, which also sees it killed; without a unit, here.
func measureRun(ctx context.Context, o *headlessOptions, c *config.Config, job config.Job, exit fault.Code) {
	to := monitors(o.env, c, writer)
	if len(to) == 0 {
		return
	}
	var groups []metrics.Group
	if !o.env.inUnit() {
		groups = append(groups, metrics.Run(metrics.WhoOf(job), o.env.now(), int(exit)))
	}
	if exit == fault.OK || exit == fault.Warnings {
		jobs := []config.Job{job}
		if job.Open() {
			jobs = o.run.present(ctx, c, job)
		}
		for _, one := range jobs {
			sets, err := o.run.setsOf(ctx, one)
			if err != nil {
				o.run.logs.logger(slog.LevelInfo).InfoContext(ctx, "metrics of this set are left to the watch: "+err.Error())
				continue
			}
			groups = append(groups, metrics.Sets(one, sets, ownPrices(c)))
		}
	}
	warnOfMetrics(ctx, o.run.logs, sendMetrics(ctx, to, groups))
}

// reportEnd tells others how a backup's unit ended. A configuration that cannot be read names no system: the run itself
// failed by it, and says so.
func reportEnd(ctx context.Context, p *program, e systemd.End) {
	name, _, backup := systemd.JobOf(e.Unit)
	if !backup {
		return
	}
	c, err := p.config()
	if err != nil {
		return
	}
	job, err := c.Job(name)
	if err != nil {
		return
	}
	heartbeatOf(ctx, p.environment, p.logs, job).endFor(ctx, e)
	to := monitors(p.environment, c, writer)
	if len(to) == 0 {
		return
	}
	group := metrics.Run(metrics.WhoOf(job), p.now(), e.Code())
	warnOfMetrics(ctx, p.logs, sendMetrics(ctx, to, []metrics.Group{group}))
}

// probeResult is one probe of the watch.
type probeResult struct {
	env    *environment
	config *config.Config
	jobs   []config.Job // in the order of seen.Jobs
	seen   watch.Snapshot
	found  []watch.Finding
	at     time.Time
}

// measureProbe sends what the watch saw, and says which systems did not take it, as problems. A job whose bucket could
// not be read keeps the samples that it has: their times say by themselves how old they are.
func measureProbe(ctx context.Context, l probeResult) []watch.Finding {
	to := monitors(l.env, l.config, "")
	if len(to) == 0 {
		return nil
	}
	host := metrics.Group{Part: metrics.PartHost, Samples: []metrics.Sample{metrics.Watched(l.at)}}
	groups := []metrics.Group{}
	var names []string
	var expected []metrics.Who
	for i, job := range l.jobs {
		saw := l.seen.Jobs[i]
		names = append(names, job.Name)
		expected = append(expected, metrics.Who{Job: job.Name})
		if !saw.Found.GoneSince.IsZero() {
			continue // nothing is expected of a database that was dropped
		}
		names = append(names, job.Title())
		expected = append(expected, metrics.WhoOf(job))
		host.Samples = append(host.Samples, metrics.Expected(metrics.WhoOf(job), metrics.Objective{
			RPO: saw.Objective.RPO, ProofWithin: saw.Objective.ProofWithin, ProofLevel: saw.Objective.ProofLevel.String(),
			RTO: saw.Objective.RTO,
		})...)
		host.Samples = append(host.Samples, metrics.Copies(metrics.WhoOf(job), saw.Whose, saw.Copies)...)
		if saw.SetsErr == nil {
			groups = append(groups, metrics.Sets(job, saw.Sets, ownPrices(l.config)))
		}
	}
	for _, f := range problems(l.found) {
		host.Samples = append(host.Samples, metrics.Problem(subjectOf(f, l.jobs), string(f.Kind), f.Severity.String()))
	}
	for _, c := range l.seen.Clusters.All {
		host.Samples = append(host.Samples, metrics.Cluster(c.Instance, c.Name, c.Seen, l.at)...)
	}
	if n, known := uncoveredOf(l.seen.Coverage); known {
		host.Samples = append(host.Samples, metrics.Uncovered(n))
	}
	bad := sendMetrics(ctx, to, append(groups, host))
	if t := (metrics.Textfile{Dir: l.config.Metrics.Textfile}); t.Dir != "" && len(names) > 0 && l.seen.HostErr == nil {
		if err := t.Sweep(names, l.at); err != nil && len(bad) == 0 {
			bad = append(bad, refused{system: t.Name(), cause: err})
		}
	}
	if p := (metrics.Pushgateway{URL: l.config.Metrics.Pushgateway, Host: hostname()}); p.URL != "" && l.sweeps() {
		if err := p.Sweep(context.WithoutCancel(ctx), expected); err != nil && len(bad) == 0 {
			bad = append(bad, refused{system: p.Name(), cause: err})
		}
	}
	return metricsTrouble(bad)
}

// sweeps reports whether everything that is expected is known: a database of a job of several may be known by the
// bucket alone.
func (l probeResult) sweeps() bool {
	if len(l.jobs) == 0 || l.seen.HostErr != nil {
		return false
	}
	return !slices.ContainsFunc(l.seen.Jobs, func(j watch.Job) bool { return j.SetsErr != nil })
}

// uncoveredOf is how many databases no job backs up; not known where a server was never asked.
func uncoveredOf(all []watch.Coverage) (n int, known bool) {
	for _, c := range all {
		if c.At.IsZero() {
			return 0, false
		}
		n += len(c.Uncovered)
	}
	return n, len(all) > 0
}

func metricsTrouble(bad []refused) (found []watch.Finding) {
	for _, r := range bad {
		found = append(found, watch.Finding{
			Subject: r.system, Kind: watch.KindMetrics, Severity: watch.Warning,
			What: "metrics are refused: " + oneLine(r.cause), Remedy: fault.Remedy(firstOf(r.cause)),
		})
	}
	return found
}

// firstOf is the first of errors that were joined.
func firstOf(err error) error {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) && len(several.Unwrap()) > 0 {
		return several.Unwrap()[0]
	}
	return err
}

// subjectOf is the job that a finding is about; the zero value where it is about the host.
func subjectOf(f watch.Finding, jobs []config.Job) metrics.Who {
	name := f.Subject
	if scheduled, plain, ok := systemd.ScheduledJobOf(f.Subject); ok && !plain {
		name = scheduled
	} else if ok && len(jobs) == 1 {
		name = jobs[0].Name
	}
	for _, job := range jobs {
		if job.Name == name || job.Title() == name {
			return metrics.WhoOf(job)
		}
	}
	return metrics.Who{}
}
