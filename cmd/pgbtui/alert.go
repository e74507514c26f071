package main

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

type alertOptions struct {
	*streams
	env    *environment
	logs   *logs
	config func() (*config.Config, error)
	job    string // of a test
}

// newAlertCommand is what postgres-backup-alert@.service runs, and the test of its channels.
func newAlertCommand(p *program) *cobra.Command {
	o := &alertOptions{streams: p.streams, env: p.environment, logs: p.logs, config: p.config}
	cmd := &cobra.Command{
		Use:   "alert test",
		Short: "Send a test message to every channel that alerts go to",
		Args:  one("test, or the name of a failed unit"),
		Long: `alert test sends a message that says it is a test to every channel of the configuration, and says for
each whether it was accepted. Exit 69 when one was not, 78 when an address cannot be used or there is none.

postgres-backup-alert@.service runs alert UNIT, which tells why that unit failed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "test" {
				return runAlertTest(cmd.Context(), o)
			}
			if !unitName(args[0]) {
				return usageText("alert needs test, or the name of a failed unit, not " + strconv.Quote(args[0]) +
					didYouMean(args[0], []string{"test"}))
			}
			return runAlert(cmd.Context(), o, args[0])
		},
	}
	cmd.Flags().StringVar(&o.job, "job", "", "with test: only the channels of this `job`")
	return cmd
}

// unitName reports whether systemd could have a service of that name: a typing error must alert nobody.
func unitName(name string) bool {
	base, isService := strings.CutSuffix(name, ".service")
	return isService && base != "" && !strings.ContainsAny(name, "/ ")
}

// lockTime is how long an alert waits for a watch that is sending alerts.
const lockTime = 30 * time.Second

// runAlert tells that a unit failed: as news of its incident where the watch will see its end, each time
// where it was a person's and has none.
func runAlert(ctx context.Context, o *alertOptions, unit string) error {
	a := notify.FromMonitor(unit, o.env.getenv)
	if triedAgain(ctx, a) {
		o.logs.logger(slog.LevelInfo).InfoContext(ctx, a.Unit+" failed and will be tried again: an "+
			"alert is sent after the last try")
		return nil
	}
	a.Host = hostname()
	a.When = o.env.now()
	c, configErr := o.config()
	a.Job, _, _ = systemd.ScheduledJobOf(a.Unit)
	t := &teller{env: o.env, logs: o.logs, c: c, now: a.When}
	if configErr == nil {
		t.jobs = watchedJobs(c, a.Job)
		if job, err := c.Job(a.Job); err == nil {
			a.Database = job.Database
		}
	}
	explainFailure(ctx, &a)
	t.text = func(n watch.News) string {
		if n.Incident.Subject == a.Unit && n.Kind != watch.Cleared {
			return a.Text()
		}
		return ""
	}
	var store *watch.Store
	if systemd.Repeats(a.Unit) { // else no later run would ever end the incident
		store = incidents(ctx, t)
	}
	if store != nil {
		defer func() { _ = store.Close() }()
		if good := runHistory(ctx, a.Unit).LastGood; !good.IsZero() {
			store.Incidents = watch.Recovered(store.Incidents, a.Unit, good, a.When)
		}
	}
	all := func(watch.Incident) bool { return true }
	news, err := t.tell(ctx, store, []watch.Finding{failureOf(a)}, watch.Options{Now: a.When, Unjudged: all})
	if len(news) == 0 {
		t.warn(ctx, a.Subject()+" again, for the same reason: "+cmp.Or(a.Reason, a.Result))
	}
	if channels, _ := alertChannels(o.env, c, t.jobs...); err == nil && configErr != nil && len(channels) == 0 {
		return fault.New(fault.Config, "alert: logged in the journal only, because the configuration cannot be read", "",
			configErr)
	}
	return err
}

// triedAgain reports whether systemd tries the failed unit again. From 254 on it starts OnFailure= for each try
// that fails, before only for the last. Where nobody can be asked, the failure is told.
func triedAgain(ctx context.Context, a notify.Alert) bool {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = bus.Close() }()
	now, err := bus.Unit(ctx, a.Unit)
	return err == nil && now.TriedAgain(a.InvocationID)
}

// failureOf is the alert as a finding.
func failureOf(a notify.Alert) watch.Finding {
	f := watch.Finding{
		Subject: a.Unit, Kind: watch.KindRun, Severity: watch.Critical,
		What: cmp.Or(a.Reason, a.Subject()), Remedy: a.Advice(),
		Run: &watch.Run{Unit: a.Unit, Invocation: a.InvocationID, EndedAt: a.When.UTC()},
	}
	status := ""
	if a.ExitCode == "exited" {
		status = a.ExitStatus
	}
	f.Cause = watch.Cause(a.Result, status)
	if a.Cancelled() {
		f.Severity = watch.Warning
	}
	return f
}

// incidents opens the remembered incidents; nil, with a warning, when they cannot be read.
func incidents(ctx context.Context, t *teller) *watch.Store {
	dir := strings.Split(t.env.getenv("STATE_DIRECTORY"), ":")[0]
	if dir == "" {
		return nil // by hand
	}
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	store, err := watch.OpenStore(ctx, dir)
	if err != nil {
		t.warn(ctx, "the incidents of earlier alerts cannot be read: "+err.Error())
		return nil
	}
	return store
}

// watchedJobs are the jobs whose channels get alerts: all of the configuration; where it has none, that of the unit.
func watchedJobs(c *config.Config, name string) []config.Job {
	jobs := c.Jobs
	if job, err := c.Job(name); err == nil && name != "" && len(jobs) == 0 {
		jobs = append(jobs, job)
	}
	if len(jobs) == 0 {
		return c.All()
	}
	return jobs
}
