package console

import (
	"context"
	"slices"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// checks are what doctor finds, as the screen shows it. What was found stays for the report.
type checks struct {
	examine func(ctx context.Context, only string, inUnit bool) ([]doctor.Report, error)
	write   func(reports []doctor.Report) (file string, err error)

	mu   sync.Mutex
	last []doctor.Report
}

// Examine implements ui.Doctor.
func (c *checks) Examine(ctx context.Context, only string, inUnit bool) (ui.Examination, error) {
	reports, err := c.examine(ctx, only, inUnit)
	if err != nil {
		return ui.Examination{}, err
	}
	c.remember(reports, only)
	var exam ui.Examination
	for _, r := range reports {
		if r.UnitError != "" {
			exam.Notice = "nothing from the unit: " + r.UnitError
		}
		for _, f := range r.Findings {
			exam.Checks = append(exam.Checks, checkup(r, f))
		}
	}
	return exam, nil
}

// remember keeps reports; of one check, that check's findings take the places of the earlier ones.
func (c *checks) remember(reports []doctor.Report, only string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if only == "" {
		c.last = reports
		return
	}
	for _, r := range reports {
		i := slices.IndexFunc(c.last, func(old doctor.Report) bool { return old.Job == r.Job && old.Database == r.Database })
		if i < 0 {
			c.last = append(c.last, r)
			continue
		}
		old := &c.last[i]
		old.Findings = slices.DeleteFunc(old.Findings, func(f doctor.Finding) bool { return doctor.Named(f.ID, only) })
		old.Findings = append(old.Findings, r.Findings...)
		old.At = r.At
		old.Sort()
	}
}

// Report implements ui.Doctor.
func (c *checks) Report(context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(c.last)
}

func checkup(r doctor.Report, f doctor.Finding) ui.Checkup {
	out := ui.Checkup{
		Job: r.Job, Database: r.Database, ID: f.ID, Result: string(f.Result), Tried: f.Tried, Seen: f.Seen, Why: f.Why,
		Remedy: f.Remedy, Docs: f.Docs, From: "the " + f.From,
	}
	if f.Statement != nil {
		out.Statement = doctor.StatementText(f.Statement)
	}
	if f.Other != nil {
		out.Other = "the " + f.Other.From + " saw " + string(f.Other.Result) + ": " + f.Other.Seen
	}
	return out
}
