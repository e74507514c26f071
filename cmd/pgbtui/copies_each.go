package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// eachCopy has a verb work at each copy of a job, or of all jobs, one after the other. One that fails does not stop the
// others; its error is reported, and the code is the worst. Without copies nothing is done.
func eachCopy(
	ctx context.Context, to *streams, s *settings, job string, wanted func(config.Copy) bool, do func(name string) error,
) error {
	if s.from != "" {
		return usageText("--copies goes without --from")
	}
	if to.json {
		return usageText("--copies goes without --json: give --from and the name of one copy")
	}
	c, err := s.config()
	if err != nil {
		return err
	}
	jobs, err := c.Named(job)
	if err != nil {
		return err
	}
	defer func() { s.from = "" }()
	worst := fault.OK
	for _, name := range copiesOf(jobs, wanted) {
		s.from = name
		to.printf("copy %s:\n", printable.Text(name))
		err := do(name)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			continue
		}
		worst = worstOfRun(worst, exitCode(err))
		if !isOutcome(err) {
			explain(to.err, err)
		}
	}
	return exitWith(worst)
}

// copiesOf are the names of the copies of jobs, each once.
func copiesOf(jobs []config.Job, wanted func(config.Copy) bool) (names []string) {
	seen := map[string]bool{}
	for _, job := range jobs {
		for _, c := range job.Copies {
			if !seen[c.Name] && wanted(c) {
				seen[c.Name] = true
				names = append(names, c.Name)
			}
		}
	}
	return names
}
