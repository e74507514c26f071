package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// `doctor`: every check of internal/doctor, from this shell and from the unit in which backups run.

type jsonDoctor struct {
	Schema  int             `json:"schema"`
	BugsOf  string          `json:"bugsAsOf"` // the day of the newest release notes behind postgresql.bugs
	Reports []doctor.Report `json:"reports"`
}

type doctorOptions struct {
	*streams
	env    *environment
	stores *stores
	config func() (*config.Config, error)
	job    string
	only   string
	report string
	noUnit bool
	answer bool // this is the unit

	machine doctor.Host // nil: the units are not looked at
}

const doctorHelp = `Look at everything that backups and restores stand on: the server and the role's rights, the
clients, the way to the store, every call that each key makes there, how the bucket is set up. Each check says what was
tried and seen; one that is not OK also why it matters and what to do. What the store refuses comes with the IAM
statement that allows it.

Where the units are installed, it looks twice: from this shell, and from a unit with the user, the key and the sandbox
of the backups. The unit's word counts, and where the two differ, both are shown.

The calls are tried for good, on objects beside the sets that are removed afterwards; a key that may not delete leaves
one object, which is named. Nothing else is changed.

Exit codes: 0 all is well, 3 something is to be seen to or could not be looked at (?), 1 a check failed.
docs/troubleshooting.md has the checks.`

func newDoctorCommand(p *program) *cobra.Command {
	o := &doctorOptions{streams: p.streams, env: p.environment, stores: p.stores, config: p.config}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check everything that backups and restores stand on, and say what to do", Args: noArgs,
		Long: doctorHelp,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.job, "job", "", "only this `job`")
	flags.StringVar(&o.only, "only", "", "only this `check`, or those whose IDs begin so: s3.writer.put, s3, bucket")
	flags.StringVar(&o.report, "report", "", "also write a `file` for a ticket, without secrets and without rows")
	flags.BoolVar(&o.noUnit, "no-unit", false, "do not look from the unit in which backups run")
	flags.BoolVar(&o.answer, "answer", false, "write what is seen to a file: for postgres-backup-doctor@.service")
	// It fails for a flag that is not there alone.
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(checkIDs(), cobra.ShellCompDirectiveNoFileComp))
	cmd.AddCommand(newDoctorKeyCommand(p))
	return cmd
}

func checkIDs() (ids []string) {
	for _, c := range doctor.Catalogue() {
		ids = append(ids, c.ID)
	}
	return ids
}

func runDoctor(ctx context.Context, o *doctorOptions) error {
	if !doctor.KnownCheck(o.only) {
		return usageText("no check is called " + o.only + ": docs/troubleshooting.md#doctor has them all")
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := c.Named(o.job)
	if err != nil {
		return err
	}
	out, err := o.look(ctx, c, jobs)
	if err != nil {
		return err
	}
	if o.answer {
		return o.writeAnswer(o.job, out)
	}
	if o.report != "" {
		if err := writeReport(o.report, c, jobs, out, o.secrets(c, jobs)); err != nil {
			return err
		}
	}
	if err := printDoctor(o.streams, out); err != nil {
		return err
	}
	if o.report != "" {
		o.notef("%s is written: no secret is in it, but names of hosts, databases and buckets are", o.report)
	}
	return exitWith(worstOf(out.Reports))
}

// look examines jobs, from here and from their units.
func (o *doctorOptions) look(ctx context.Context, c *config.Config, jobs []config.Job) (jsonDoctor, error) {
	if !o.answer && o.env.configFile == "" {
		machine, stop := o.thisMachine(ctx, c)
		defer stop()
		o.machine = machine
	}
	out := jsonDoctor{Schema: jsonSchema, BugsOf: doctor.BugsAsOf, Reports: []doctor.Report{}}
	for _, job := range jobs {
		reports := o.examine(ctx, job)
		if !o.answer && o.asksUnit(c) {
			reports = o.mergeUnit(ctx, c, job, reports)
		}
		out.Reports = append(out.Reports, reports...)
	}
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	return out, nil
}

// worstOf is 1 where a check failed, 3 where something is to be seen to.
func worstOf(reports []doctor.Report) fault.Code {
	worst := fault.OK
	for i := range reports {
		switch code := reports[i].Code(); {
		case code == fault.Failed:
			return code
		case code != fault.OK:
			worst = code
		}
	}
	return worst
}

// examine looks at a job. Of several databases, each is asked for; the store is tried for the first.
func (o *doctorOptions) examine(ctx context.Context, job config.Job) []doctor.Report {
	if !job.Divided() {
		return []doctor.Report{doctor.Examine(ctx, o.world(ctx, job), o.only)}
	}
	quick := job
	quick.ConnectWait = 0
	names, err := dump.Parts(ctx, quick, backup.Env{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return []doctor.Report{doctor.Unreached(ctx, o.world(ctx, job), err, o.only)}
	}
	if job.Tenants() {
		names = names[:min(1, len(names))] // all in one database
	}
	return o.examineParts(ctx, job, names)
}

func (o *doctorOptions) examineParts(ctx context.Context, job config.Job, names []string) (all []doctor.Report) {
	for i, name := range names {
		only := o.only
		if i > 0 {
			if only == "" {
				only = string(doctor.PostgreSQL)
			}
			if !strings.HasPrefix(only, string(doctor.PostgreSQL)) {
				break
			}
		}
		all = append(all, doctor.Examine(ctx, o.world(ctx, job.Part(name)), only))
	}
	return all
}

func (o *doctorOptions) world(ctx context.Context, job config.Job) doctor.World {
	w := doctor.World{From: doctor.FromShell, Job: job, Now: o.env.now, Keys: &doctorKeys{stores: o.stores, job: job}}
	if o.answer {
		w.From = doctor.FromUnit
		return w
	}
	w.Drill = whereDrills(ctx, o.env, job)
	w.Host = o.machine
	return w
}

// whereDrills says where a drill's server would be.
func whereDrills(ctx context.Context, env *environment, job config.Job) *restore.DrillRequest {
	request := restore.DrillRequest{Dir: drillDir(job.SpoolDir, env.getenv("STATE_DIRECTORY"))}
	if units, bus := drillUnits(ctx); units != nil {
		request = restore.DrillRequest{Dir: units.ServerDir, Unit: scratch.ControlSocket}
		_ = bus.Close()
	}
	return &request
}
