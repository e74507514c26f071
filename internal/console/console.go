// Package console connects the screens of package ui to the bucket, systemd and the journal.
//
// Rules: each adapter turns one package's values into the view structs of ui and nothing more;
// a source is opened when it is first read, and one that can't be had fails by itself, so that the rest is still
// shown; only Actions starts anything, and it is not made for a read-only console.
package console

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strings"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// Setup is what the command line found out.
type Setup struct {
	Config     *config.Config
	Host       string
	Version    string
	ReadOnly   bool
	NoColor    bool
	Open       func(context.Context, config.Job) (*s3.Bucket, error)
	Identities func(config.Job) ([]age.Identity, error)
	// Examine runs doctor's checks; WriteReport writes what they found into a file and names it.
	Examine     func(ctx context.Context, only string, inUnit bool) ([]doctor.Report, error)
	WriteReport func(reports []doctor.Report) (file string, err error)
	Log         *slog.Logger // for the audit lines
	Env         backup.Env   // Now, Host, Tool
}

// Build makes the console's options. It asks nobody: bus, journal and bucket are opened when a screen first reads them,
// so that the first frame waits for none of them. close gives back what was opened.
func Build(s Setup) (options ui.Options, close func()) {
	o := ui.Options{
		Identity: s.identity(),
		Look:     ui.Look{NoColor: s.NoColor, ASCII: !utf8Locale()},
		Sources:  ui.Sources{Missing: map[string]error{}},

		RestoreCommand: backup.RestoreCommand(s.firstJob().Postgres.Host),
	}
	bus, reader := systemd.OnDemand(), &openedJournal{}
	buckets := &buckets{setup: s, sets: map[config.S3]*backup.Catalogue{}}
	o.Sources.Catalogue = buckets
	o.Sources.Retention = &pruning{setup: s, buckets: buckets}
	o.Sources.Buckets = &accounts{setup: s, buckets: buckets}
	o.Sources.Units, o.Sources.Timers = &units{bus: bus, setup: s}, &timers{bus: bus, setup: s}
	o.Jobs, o.Sources.Objectives = s.jobs(nil), &objectives{bus: bus, setup: s}
	if slices.ContainsFunc(s.Config.Jobs, config.Job.Several) {
		o.JobsIn = s.jobs
	}
	if !s.ReadOnly { // else the timers of this host are nobody's business here
		o.Sources.Told = &told{dir: watch.DefaultDir, stateDir: dump.DefaultStateDir, setup: s, buckets: buckets}
	}
	if !s.ReadOnly {
		o.Sources.Coverage = coverage{config: s.Config, stateDir: dump.DefaultStateDir}
	}
	if s.ReadOnly { // its checks write objects, and remove them
		o.Sources.Missing["doctor"] = fault.New(fault.Refused, "a read-only console tries nothing",
			"Run `sudo pgbtui doctor`.", nil)
	} else if s.Examine != nil {
		o.Sources.Doctor = &checks{examine: s.Examine, write: s.WriteReport}
	}
	o.Sources.Journal = &entries{reader}
	o.Sources.History = &history{pages: reader, subject: (&units{setup: s}).subject}
	o.Write = s.write(bus, buckets)
	asks, _ := o.Write.Actions.(*actions)
	o.Sources.Planner = &planner{setup: s, buckets: buckets, asks: asks}
	return o, func() {
		_ = bus.Close()
		reader.close()
	}
}

func (s Setup) write(bus *systemd.Bus, buckets *buckets) ui.Write {
	if s.ReadOnly {
		return ui.Write{Denied: "read-only, by --read-only or read_only in the configuration"}
	}
	who := journal.Session{}.CurrentOperator()
	a := &actions{bus: bus, setup: s, buckets: buckets, who: who}
	return ui.Write{
		Actions: a, Cancel: a, Holder: &holder{buckets: buckets, setup: s, who: who},
		Thawer: &thawer{buckets: buckets, setup: s, who: who},
	}
}

// firstJob is the one whose server and bucket the first line shows.
func (s Setup) firstJob() config.Job { return s.Config.All()[0] }

func (s Setup) identity() ui.Identity {
	job := s.firstJob()
	host, _, _ := strings.Cut(s.Host, ".")
	cluster := cmp.Or(job.Postgres.Host, "socket") + ":" + cmp.Or(job.Postgres.Port, "5432")
	return ui.Identity{
		Host: host, Cluster: cluster, Instance: job.Instance, Label: s.Config.Label, Version: s.Version,
		Place:      "s3://" + job.S3.Bucket + "/" + job.S3.Prefix,
		Overridden: overridden(s.Config),
	}
}

// overridden are the variables of this shell by which the console sees another world than the units.
func overridden(c *config.Config) (names []string) {
	for _, o := range c.Overrides() {
		names = append(names, o.Variable)
	}
	return names
}

// jobs are those of the configuration: of several databases, one for each that this host's runs found, or of which it
// has sets.
func (s Setup) jobs(sets []backup.Set) []ui.Job {
	var jobs []ui.Job
	for _, j := range s.expanded(sets).Jobs {
		unit := s.unitOf(j)
		one := ui.Job{
			Name: j.Name, Instance: j.Instance, Database: j.Database, Whose: backup.WhoseOf(j),
			Unit: unit, Prune: systemd.BackupPruneService(s.Config.UnitName(j)), CLI: "systemctl start " + unit,
			Schema: j.Schema, Several: j.Divided(), Subject: j.Title(),
		}
		if j.Divided() {
			one.GoneSince = s.remembered(j).Of(j.PartName()).GoneSince
		}
		jobs = append(jobs, one)
	}
	return jobs
}

// expanded is the configuration with a job for each database that is known.
func (s Setup) expanded(sets []backup.Set) *config.Config {
	return s.Config.Expand(func(job config.Job) []string {
		names := s.remembered(job).Names()
		for i := range sets {
			set := &sets[i]
			of, ok := job.Of(set.Database, set.Schema)
			if ok && set.Instance == job.Instance && backup.WhoseOf(of).Owns(set) {
				names = append(names, of.PartName())
			}
		}
		return names
	})
}

// remembered is what this host's runs found; nil where they found nothing, or this user may not look.
func (s Setup) remembered(job config.Job) *dump.Found {
	found, _ := dump.ReadFound(dump.DefaultStateDir, job)
	return found
}

// objectives is ui.Objectives: the watch reads them off the timers, where the configuration does not say.
type objectives struct {
	bus   *systemd.Bus
	setup Setup
}

// Objectives implements ui.Objectives.
func (o *objectives) Objectives(ctx context.Context) map[string]ui.Objective {
	// The sets are the screens' own business.
	prober := watch.Prober{Host: o.bus, Sets: func(context.Context, config.Job) ([]backup.Set, error) { return nil, nil }}
	found := map[string]ui.Objective{}
	for _, j := range prober.Probe(ctx, o.setup.Config, o.setup.Config.Jobs).Jobs {
		found[j.Name] = ui.Objective{Objectives: j.Objective.Objectives, RPOFrom: objectiveFrom[j.Objective.RPOFrom]}
	}
	return found
}

// objectiveFrom says it on screen.
var objectiveFrom = map[string]string{
	watch.FromConfig:   "of the configuration",
	watch.FromCalendar: "of the timer's calendar",
	watch.FromDefault:  "without a timer to ask",
}

// unitOf is the service that runs a job.
func (s Setup) unitOf(j config.Job) string { return systemd.BackupService(s.Config.UnitName(j)) }

// jobOf finds the job that a unit works for.
func (s Setup) jobOf(unit string) (config.Job, bool) {
	name, _, ok := systemd.ScheduledJobOf(unit)
	if !ok {
		return config.Job{}, false
	}
	job, err := s.Config.Job(name)
	return job, err == nil
}

// utf8Locale follows setlocale(3): LC_ALL before LC_CTYPE before LANG.
func utf8Locale() bool {
	l := strings.ToUpper(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return strings.Contains(l, "UTF-8") || strings.Contains(l, "UTF8")
}

// operatorHint says what an operator without rights is missing.
func operatorHint(err error) error {
	if fault.CodeOf(err) != fault.NotPermitted || fault.Remedy(err) != "" {
		return err
	}
	name := "USER"
	if u, userErr := user.Current(); userErr == nil {
		name = u.Username
	}
	return fault.New(fault.NotPermitted, "", "Become an operator: `usermod -aG pgbtui "+name+"`, then log in again.", err)
}
