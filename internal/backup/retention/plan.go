package retention

import (
	"context"
	"fmt"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Pruning is what retention would do with the sets of one job, and why a person should look first.
type Pruning struct {
	Decisions []Decision // newest first: about the job's own sets and nobody's, without the incomplete ones
	Leftovers []Leftover // newest run first
	Doubts    []string   // reasons not to carry it out unseen; none: nothing is odd
	Notes     []string   // what could not be looked at
	Seen      int        // sets of the database that were looked at, of all jobs

	job   string
	at    string // the copy that it is about; "" is the main place
	reach Reach
}

// Removes is how many sets the plan deletes: the number that confirms it. Leftovers are not counted.
func (p *Pruning) Removes() int {
	n := 0
	for _, d := range p.Decisions {
		if d.Delete {
			n++
		}
	}
	return n
}

// Plan decides for the sets of a job, and changes nothing.
func Plan(ctx context.Context, job config.Job, env backup.Env, reach Reach) (*Pruning, error) {
	return PlanOf(ctx, job, env, backup.NewCatalogue(env.Bucket, job).KeepIn(env.CacheDir), reach)
}

// PlanOf is Plan with a catalogue that has read some of the documents already.
func PlanOf(
	ctx context.Context, job config.Job, env backup.Env, catalogue *backup.Catalogue, reach Reach,
) (*Pruning, error) {
	if job.Instance == "" || job.Database == "" {
		return nil, fault.New(fault.Config, "retention: no instance or database", "Name the job's database.", nil)
	}
	clocks, err := backup.ReadClocks(ctx, env.Bucket, env.Now)
	if err != nil {
		return nil, fmt.Errorf("retention: compare the clocks: %w", err)
	}
	sets, err := catalogue.Sets(ctx, backup.ScopeOf(job))
	if err != nil {
		return nil, err
	}
	policy := Policy{Keep: job.Keep, Reach: reach, Whose: backup.WhoseOf(job)}
	decisions, err := Decide(sets, policy, clocks.Earlier())
	if err != nil {
		return nil, err
	}
	doubtful := doubts(slices.DeleteFunc(slices.Clone(decisions),
		func(d Decision) bool { return policy.others(&d.Set) != "" }),
		clocks)
	decisions = slices.DeleteFunc(decisions,
		func(d Decision) bool { return policy.others(&d.Set) != "" && !policy.Whose.Nobodys(&d.Set) })
	kept, left, notes, err := findLeftovers(ctx, job, env, decisions, clocks)
	if err != nil {
		return nil, err
	}
	notes = append(notes, backup.LeftOut(sets)...)
	return &Pruning{
		Decisions: kept, Leftovers: left, Notes: notes, Doubts: doubtful, Seen: len(sets),
		job: job.Name, at: job.Copy, reach: reach,
	}, nil
}
