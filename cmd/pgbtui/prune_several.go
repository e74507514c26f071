package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type jsonPruneSeveral struct {
	Schema  int             `json:"schema"`
	OK      bool            `json:"ok"`
	Results []jsonPrunedOne `json:"results"`
}

type jsonPrunedOne struct {
	Database string     `json:"database"`
	Tenant   string     `json:"tenant,omitempty"` // the schema
	Prune    *jsonPrune `json:"prune"`            // null: there is no plan
	Error    *jsonFault `json:"error,omitempty"`
}

// runPruneSeveral decides for the sets of each database of a job.
func runPruneSeveral(ctx context.Context, o *pruneOptions, c *config.Config, job config.Job) error {
	if o.confirm >= 0 {
		return usageText("--confirm is for the plan of one database: name it by --database")
	}
	if _, err := o.run.setsOfInstance(ctx, job); err != nil {
		return err
	}
	out := jsonPruneSeveral{Schema: jsonSchema, Results: []jsonPrunedOne{}}
	worst, err := forEach(ctx, o.run.present(ctx, c, job), func(one config.Job) (fault.Code, error) {
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

// next prunes one database of several, and reports what failed. An error is one of printing.
func (o *pruneOptions) next(ctx context.Context, job config.Job) (jsonPrunedOne, fault.Code, error) {
	result := jsonPrunedOne{Database: job.Database, Tenant: job.Schema}
	if !o.json {
		o.printf("%s:\n", printable.Text(job.Subject()))
	}
	done, err := o.one(ctx, job)
	if err == nil {
		plan := prunedJSON(done)
		result.Prune = &plan
		err = done.failed
	}
	if result.Prune != nil && !o.json {
		if err := printPruned(o.streams, done); err != nil {
			return result, fault.OK, err
		}
	}
	if err != nil {
		told := asFault(err)
		result.Error = &told
		explain(o.err, err)
	}
	return result, fault.CodeOf(err), nil
}
