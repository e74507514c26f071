package main

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// jsonSetCopy is one set at one copy.
type jsonSetCopy struct {
	Copy     string     `json:"copy"`
	State    string     `json:"state"`
	Proof    string     `json:"proof,omitempty"`
	ProvenAt *time.Time `json:"provenAt,omitempty"`
	Problem  string     `json:"problem,omitempty"`
}

func setCopiesJSON(copies []backup.SetCopy) (out []jsonSetCopy) {
	for _, c := range copies {
		one := jsonSetCopy{Copy: c.Copy, State: string(c.State), Problem: c.Problem}
		if c.State == backup.CopyGood {
			one.Proof = c.Level.String()
		}
		if !c.ProvenAt.IsZero() {
			at := c.ProvenAt.UTC()
			one.ProvenAt = &at
		}
		out = append(out, one)
	}
	return out
}

// copiesOf reads what the copies of jobs have in scope; nil where there are none. Like everything that looks, it
// needs no key but that of who looks.
func (c client) copiesOf(ctx context.Context, jobs []config.Job, scope func(config.Job) backup.Scope) []*backup.AtCopy {
	places := backup.CopiesOf(jobs)
	catalogues := map[*backup.AtCopy]*backup.Catalogue{}
	byPlace := map[config.S3]*backup.AtCopy{}
	for _, p := range places {
		bucket, err := c.bucket(ctx, p.Job)
		if err != nil {
			p.Err = err
			continue
		}
		catalogues[p] = c.catalogue(bucket, p.Job)
		byPlace[p.Job.S3] = p
	}
	backup.ReadCopies(ctx, places, func(ctx context.Context, at config.Job) ([]backup.Set, error) {
		return catalogues[byPlace[at.S3]].Sets(ctx, scope(at))
	})
	return places
}

// copiesOfJob are those of one job's database, for the watch.
func (c client) copiesOfJob(ctx context.Context, job config.Job) []*backup.AtCopy {
	if len(job.Copies) == 0 || job.Open() {
		return nil
	}
	return c.copiesOf(ctx, []config.Job{job}, backup.ScopeOf)
}
