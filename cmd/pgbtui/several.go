package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What verbs do that take one job, for a job of several databases: the same for each database, one after another. One
// that fails does not stop the others, and the exit code is the worst. Databases that are gone from the server are
// left alone: name one by --database.

// present are the jobs of the databases of a job that are not gone.
func (c client) present(ctx context.Context, of *config.Config, job config.Job) (jobs []config.Job) {
	found := c.remembered(job)
	for _, one := range c.expand(ctx, of).Jobs {
		if one.Name == job.Name && !one.Open() && found.Of(one.PartName()).GoneSince.IsZero() {
			jobs = append(jobs, one)
		}
	}
	return jobs
}

// forEach does it for each of the jobs. do reports its failure and returns the code; its error is one of printing,
// which ends everything.
func forEach(ctx context.Context, jobs []config.Job, do func(config.Job) (fault.Code, error)) (fault.Code, error) {
	worst := fault.OK
	for _, job := range jobs {
		code, err := do(job)
		if err != nil {
			return worst, err
		}
		worst = worstOfRun(worst, code)
		if ctx.Err() != nil {
			return worst, context.Cause(ctx)
		}
	}
	return worst, nil
}

// endSeveral prints the document of all of them where one is wanted, and ends with the worst code.
func (s *streams) endSeveral(document any, worst fault.Code) error {
	if s.json {
		if err := s.printJSON(document); err != nil {
			return err
		}
	}
	return exitWith(worst)
}
