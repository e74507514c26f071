package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// `jobs sync`: the timers of this host follow the configuration. Rules: the plan is shown before anything is changed;
// looking needs no rights; backups are never touched, and those of a job that is gone are counted.

type jobsSyncOptions struct {
	*streams
	env    *environment
	config func() (*config.Config, error)
	find   *finder
	check  bool
	yes    bool
}

func newJobsSyncCommand(p *program) *cobra.Command {
	o := &jobsSyncOptions{
		streams: p.streams, env: p.environment, config: p.config, find: p.finder(access{waitedFor: true}),
	}
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Make this host's timers follow the configuration: show the plan, ask, carry it out",
		Args:  noArgs,
		Long: `Compare the timers of this host with the configuration, show what would be written, removed, switched on and
switched off, and do it after a question or with --yes. For each timer that changes, the plan has the old and the new
calendar and the next times; and it says where a change of the clocks loses a run and which backups may overlap.

A job's schedule and jitter become a drop-in of its timer. A drop-in that a person wrote is never changed; where it sets
the times as well, it is named, and the exit code is 3. Timers of a job that is no longer in the configuration are
switched off; its backups stay. Running it again changes nothing, and finishes what was interrupted.

--check changes nothing and exits with 3 where timers and configuration differ.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runJobsSync(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.check, "check", false, "change nothing; exit 3 where timers and configuration differ")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func runJobsSync(ctx context.Context, o *jobsSyncOptions) error {
	if o.check && o.yes {
		return usageText("--check changes nothing: leave --yes out")
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	if err := syncable(ctx, c); err != nil {
		return err
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	plan, err := planTimers(ctx, c, bus, o.env.now())
	if err != nil {
		return err
	}
	out := syncDocument(plan)
	out.look(ctx, c, plan, o)
	if !o.json {
		printSyncPlan(o.streams, out)
	}
	if err := o.apply(ctx, bus, plan, &out); err != nil {
		return err
	}
	if o.json {
		if err := o.printJSON(out); err != nil {
			return err
		}
	}
	if len(plan.Troubles()) > 0 || o.check && plan.Changes() {
		return exitWith(fault.Warnings)
	}
	return nil
}

// syncable refuses a configuration whose timers are not this host's business, or whose times systemd does not
// understand.
func syncable(ctx context.Context, c *config.Config) error {
	switch {
	case c.ReadOnly:
		return fault.New(fault.Refused,
			"jobs sync: read_only is set in "+c.File+": this host only looks at what others back up",
			"Run it on the host whose jobs these are, or take read_only out.", nil)
	case len(c.Jobs) == 0 && len(c.Clusters) == 0:
		return fault.New(fault.Config, "jobs sync: the configuration has neither a job nor a cluster",
			"Add `jobs:` to "+config.DefaultFile+", or set DB_NAME.", nil)
	}
	for _, job := range c.Jobs {
		if err := checkCalendars(ctx, c, job); err != nil {
			return err
		}
	}
	return nil
}

// apply carries the plan out once somebody agreed.
func (o *jobsSyncOptions) apply(ctx context.Context, bus *systemd.Bus, plan *systemd.TimerPlan, out *jsonSync) error {
	if o.check || !plan.Changes() {
		return nil
	}
	if os.Geteuid() != 0 {
		return fault.New(fault.NotPermitted, "jobs sync: timers are changed by root alone",
			"Run `sudo pgbtui jobs sync`.", nil)
	}
	if err := o.agreed(ctx, out.consequence(), o.yes); err != nil {
		return err
	}
	report, err := plan.Apply(ctx, bus)
	out.Applied = err == nil
	out.Steps = append(out.Steps, report.Steps...)
	if !o.json {
		if _, writeErr := report.WriteTo(o.text()); writeErr != nil {
			return writeErr
		}
	}
	return err
}

type jsonSync struct {
	Schema   int               `json:"schema"`
	InStep   bool              `json:"inStep"` // before anything was changed
	Applied  bool              `json:"applied"`
	Timers   []jsonSyncTimer   `json:"timers"`
	Clocks   []jsonClockChange `json:"clockChanges"`
	Overlaps []jsonOverlap     `json:"overlaps"`
	Removed  []jsonRemovedJob  `json:"removedJobs"`
	Steps    []systemd.Step    `json:"steps"` // that were done
	Notes    []string          `json:"notes"`
}

type jsonSyncTimer struct {
	Timer   string      `json:"timer"`
	Job     string      `json:"job"`
	Wanted  bool        `json:"wanted"`
	State   string      `json:"state"`
	Before  jsonTiming  `json:"before"`
	After   jsonTiming  `json:"after"`
	Next    []time.Time `json:"next"`
	Steps   []string    `json:"steps"`
	ByHand  []string    `json:"byHand"`
	Trouble string      `json:"trouble,omitempty"`
	Remedy  string      `json:"remedy,omitempty"`
	DueAt   *time.Time  `json:"dueAt,omitempty"`
}

type jsonTiming struct {
	On            bool     `json:"on"`
	Calendar      []string `json:"calendar"`
	JitterSeconds int64    `json:"jitterSeconds"`
}

func syncDocument(plan *systemd.TimerPlan) jsonSync {
	out := jsonSync{
		Schema: jsonSchema, InStep: !plan.Changes() && len(plan.Troubles()) == 0, Timers: []jsonSyncTimer{},
		Clocks: []jsonClockChange{}, Overlaps: []jsonOverlap{}, Removed: []jsonRemovedJob{}, Steps: []systemd.Step{},
		Notes: []string{},
	}
	for i := range plan.Timers {
		out.Timers = append(out.Timers, syncTimer(&plan.Timers[i]))
	}
	return out
}

func syncTimer(c *systemd.TimerChange) jsonSyncTimer {
	one := jsonSyncTimer{
		Timer: c.Timer, Job: c.Job, Wanted: c.Wanted, State: string(c.State),
		Before: timingJSON(c.State == systemd.TimerOn, c.Before), After: timingJSON(c.On, c.After),
		Next: []time.Time{}, Steps: syncSteps(c), ByHand: append([]string{}, c.ByHand...),
		Trouble: c.Trouble, Remedy: c.Remedy,
	}
	if !c.Due.IsZero() {
		due := c.Due.UTC()
		one.DueAt = &due
	}
	return one
}

func timingJSON(on bool, t systemd.Timing) jsonTiming {
	return jsonTiming{On: on, Calendar: append([]string{}, t.Calendar...), JitterSeconds: int64(t.Jitter.Seconds())}
}

// syncSteps are what is to be done about a timer, in words.
func syncSteps(c *systemd.TimerChange) []string {
	steps := []string{}
	add := func(holds bool, text string) {
		if holds {
			steps = append(steps, text)
		}
	}
	add(c.Write != "", "write "+c.Write)
	add(c.Remove != "", "remove "+c.Remove)
	add(c.Enable, "switch on")
	add(c.Disable, "switch off")
	add(c.Reload && len(steps) == 0, "daemon-reload")
	return steps
}
