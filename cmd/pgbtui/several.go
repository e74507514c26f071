package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// What verbs do that take one job, for a job of several databases: the same for each database, one after another. One
// that fails does not stop the others, and the exit code is the worst. Databases that are gone from the server are
// left alone: name one by --database.

type jsonPruneSeveral struct {
	Schema  int             `json:"schema"`
	OK      bool            `json:"ok"`
	Results []jsonPrunedOne `json:"results"`
}

type jsonPrunedOne struct {
	Database string     `json:"database"`
	Prune    *jsonPrune `json:"prune"` // null: there is no plan
	Error    *jsonFault `json:"error,omitempty"`
}

// present are the jobs of the databases of a job that are not gone.
func (c client) present(ctx context.Context, of *config.Config, job config.Job) (jobs []config.Job) {
	found := c.remembered(job)
	for _, one := range c.expand(ctx, of).Jobs {
		if one.Name == job.Name && one.Database != "" && found.Of(one.Database).GoneSince.IsZero() {
			jobs = append(jobs, one)
		}
	}
	return jobs
}

func (o *pruneOptions) several(ctx context.Context, c *config.Config, job config.Job) error {
	if o.confirm >= 0 {
		return usageText("--confirm is for the plan of one database: name it by --database")
	}
	if _, err := o.run.setsOfInstance(ctx, job); err != nil {
		return err
	}
	out := jsonPruneSeveral{Schema: jsonSchema, Results: []jsonPrunedOne{}}
	worst := fault.OK
	for _, one := range o.run.present(ctx, c, job) {
		result := jsonPrunedOne{Database: one.Database}
		if !o.json {
			o.printf("%s:\n", printable.Text(one.Database))
		}
		done, err := o.one(ctx, one)
		if err == nil {
			plan := prunedJSON(done)
			result.Prune = &plan
			err = done.failed
		}
		if result.Prune != nil && !o.json {
			if err := printPruned(o.streams, done); err != nil {
				return err
			}
		}
		if err != nil {
			told := asFault(err)
			result.Error = &told
			explain(o.err, err)
			worst = worstOfRun(worst, fault.CodeOf(err))
		}
		out.Results = append(out.Results, result)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	out.OK = worst == fault.OK
	if o.json {
		if err := o.printJSON(out); err != nil {
			return err
		}
	}
	return exitWith(worst)
}

type jsonDrillSeveral struct {
	Schema  int              `json:"schema"`
	OK      bool             `json:"ok"`
	Results []jsonDrilledOne `json:"results"`
}

type jsonDrilledOne struct {
	Database string     `json:"database"`
	Drill    *jsonDrill `json:"drill"` // null: it was not carried out
	Error    *jsonFault `json:"error,omitempty"`
}

// severalDrills are the databases of a job whose latest sets are to be drilled.
type severalDrills struct {
	config *config.Config
	job    config.Job
}

// ofSeveral is the job that a drill is for, if it has several databases and none is named.
func (o *drillOptions) ofSeveral() (*severalDrills, error) {
	if o.of.id != backup.Latest || o.of.database != "" || o.of.job == "" {
		return nil, nil
	}
	c, err := o.find.settings.config()
	if err != nil {
		return nil, err
	}
	job, err := c.Job(o.of.job)
	if err != nil || !job.Several() {
		return nil, err
	}
	return &severalDrills{config: c, job: job}, nil
}

func (o *drillOptions) several(ctx context.Context, of severalDrills) error {
	if _, err := o.find.setsOfInstance(ctx, of.job); err != nil {
		return err
	}
	out := jsonDrillSeveral{Schema: jsonSchema, Results: []jsonDrilledOne{}}
	worst := fault.OK
	for _, job := range o.find.present(ctx, of.config, of.job) {
		o.of.database = job.Database
		result := jsonDrilledOne{Database: job.Database}
		drilled, err := o.one(ctx)
		if drilled != nil {
			document := drilledJSON(drilled)
			result.Drill = &document
		}
		switch {
		case err != nil:
			told := asFault(err)
			result.Error = &told
			o.notef("%s: %s", printable.Text(job.Database), printable.Text(err.Error()))
			worst = worstOfRun(worst, fault.CodeOf(err))
		case len(drilled.Warnings) > 0:
			worst = worstOfRun(worst, fault.Warnings)
		}
		if err == nil && !o.json {
			if err := printDrilled(o.streams, drilled); err != nil {
				return err
			}
		}
		out.Results = append(out.Results, result)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	out.OK = worst == fault.OK
	if o.json {
		if err := o.printJSON(out); err != nil {
			return err
		}
	}
	return exitWith(worst)
}
