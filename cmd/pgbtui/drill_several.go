package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type jsonDrillSeveral struct {
	Schema  int              `json:"schema"`
	OK      bool             `json:"ok"`
	Results []jsonDrilledOne `json:"results"`
}

type jsonDrilledOne struct {
	Database string     `json:"database"`
	Tenant   string     `json:"tenant,omitempty"` // the schema
	Drill    *jsonDrill `json:"drill"`            // null: it was not carried out
	Error    *jsonFault `json:"error,omitempty"`
}

// severalDrills are the databases of a job whose latest sets are to be drilled.
type severalDrills struct {
	config *config.Config
	job    config.Job
}

// ofSeveral is the job that a drill is for, if it has several databases and none is named.
func (o *drillOptions) ofSeveral() (*severalDrills, error) {
	if o.of.id != backup.Latest || o.of.database != "" || o.of.schema != "" || o.of.job == "" {
		return nil, nil
	}
	c, err := o.find.settings.config()
	if err != nil {
		return nil, err
	}
	job, err := c.Job(o.of.job)
	if err != nil || !job.Divided() {
		return nil, err
	}
	return &severalDrills{config: c, job: job}, nil
}

// runDrillSeveral drills the latest set of each database of a job.
func runDrillSeveral(ctx context.Context, o *drillOptions, of severalDrills) error {
	if _, err := o.find.setsOfInstance(ctx, of.job); err != nil {
		return err
	}
	out := jsonDrillSeveral{Schema: jsonSchema, Results: []jsonDrilledOne{}}
	worst, err := forEach(ctx, o.find.present(ctx, of.config, of.job), func(one config.Job) (fault.Code, error) {
		result, code, err := o.next(ctx, one)
		out.Results = append(out.Results, result)
		return code, err
	})
	if err != nil {
		return err
	}
	out.OK = worst == fault.OK
	return o.endSeveral(out, worst)
}

// next drills one database of several, and says what failed, which the drill itself has reported in full. An error
// is one of printing.
func (o *drillOptions) next(ctx context.Context, job config.Job) (jsonDrilledOne, fault.Code, error) {
	result := jsonDrilledOne{Database: job.Database, Tenant: job.Schema}
	of := o.of
	of.database, of.schema = job.Database, job.Schema
	drilled, err := o.one(ctx, of)
	if drilled != nil {
		document := drilledJSON(drilled)
		result.Drill = &document
	}
	if err != nil {
		told := asFault(err)
		result.Error = &told
		o.notef("%s: %s", printable.Text(job.Subject()), printable.Text(err.Error()))
		return result, fault.CodeOf(err), nil
	}
	if !o.json {
		if err := printDrilled(o.streams, drilled); err != nil {
			return result, fault.OK, err
		}
	}
	if len(drilled.Warnings) > 0 {
		return result, fault.Warnings, nil
	}
	return result, fault.OK, nil
}
