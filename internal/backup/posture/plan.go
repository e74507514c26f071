package posture

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/lifecycle"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Change is one setting that is not as it is wanted.
type Change struct {
	Part  Part
	What  string // "versioning", or a rule by its name
	Has   string // in words; "" = nothing
	Wants string // in words; "" = nothing
	Why   string
}

// Conflict is what a rule of somebody else does to a job's sets.
type Conflict struct {
	Job string
	lifecycle.Conflict
}

// Plan is what a bucket lacks for some jobs.
type Plan struct {
	State     State
	Changes   []Change
	Conflicts []Conflict
	Others    []string // rules of the bucket that are not ours, in words: they stay
	Notes     []string // what cannot be had here

	without []Part
	next    s3.LifecycleDocument
}

// For compares the state of a bucket with what its jobs want, but for the parts that are left out.
func For(state State, jobs []config.Job, without []Part) (Plan, error) {
	p := Plan{State: state, without: without}
	versions := state.Protection.Versioning != s3.VersioningOff
	if !slices.Contains(without, Versioning) && state.Protection.Versioning != s3.VersioningEnabled {
		versions = true
		p.Changes = append(p.Changes, Change{
			Part: Versioning, What: "versioning", Has: string(state.Protection.Versioning), Wants: string(s3.VersioningEnabled),
			Why: "what is overwritten or deleted can be brought back until a " +
				"lifecycle rule removes it, and costs as much till then",
		})
	}
	p.planEncryption(jobs)
	p.planPublicAccess()
	if slices.Contains(without, Lifecycle) {
		return p, nil
	}
	return p, p.planLifecycle(jobs, versions)
}

func (p *Plan) planEncryption(jobs []config.Job) {
	has := p.State.Encryption
	encrypted := slices.ContainsFunc(jobs, func(j config.Job) bool { return j.S3.SSE != s3.SSENone })
	switch {
	case slices.Contains(p.without, Encryption) || !encrypted || has.Algorithm != "":
	case !has.Known:
		p.Notes = append(p.Notes, "the store has no default encryption: s3.sse asks for it with each object")
	default:
		p.Changes = append(p.Changes, Change{
			Part: Encryption, What: "default encryption", Has: encryptionText(has), Wants: encryptionText(defaultEncryption()),
			Why: "what somebody else writes into the bucket is encrypted as well",
		})
	}
}

func defaultEncryption() s3.Encryption { return s3.Encryption{Known: true, Algorithm: "AES256"} }

func (p *Plan) planPublicAccess() {
	has := p.State.PublicAccess
	switch {
	case slices.Contains(p.without, PublicAccess) || has.Blocked():
	case !has.Known:
		p.Notes = append(p.Notes, "the store has no public access block: look at who may read the bucket yourself")
	default:
		p.Changes = append(p.Changes, Change{
			Part: PublicAccess, What: "public access", Has: publicText(has), Wants: "blocked",
			Why: "no ACL and no policy can make a backup public by mistake",
		})
	}
}

func (p *Plan) planLifecycle(jobs []config.Job, versions bool) error {
	folders := foldersOf(jobs)
	own := ownRule(folders)
	var ours, others []s3.LifecycleRule
	for _, r := range p.State.Lifecycle.Rules() {
		if own(r.ID) {
			ours = append(ours, r)
			continue
		}
		others = append(others, r)
		p.Others = append(p.Others, fmt.Sprintf("%q: %s", r.ID, ruleText(&r)))
	}
	var wanted []s3.LifecycleRule
	for _, f := range folders {
		rules, err := f.wantedRules(others, versions)
		if err != nil {
			return err
		}
		wanted = append(wanted, rules...)
	}
	for _, j := range jobs {
		for _, c := range lifecycle.Conflicts(j, others) {
			p.Conflicts = append(p.Conflicts, Conflict{Job: j.Name, Conflict: c})
		}
	}
	p.Changes = append(p.Changes, ruleChanges(ours, wanted)...)
	p.next = p.State.Lifecycle.With(wanted, own)
	return nil
}

// ruleChanges are the rules of ours that come, differ or go.
func ruleChanges(has, wanted []s3.LifecycleRule) (changes []Change) {
	one := func(id, before, after string) Change {
		return Change{Part: Lifecycle, What: fmt.Sprintf("rule %q", id), Has: before, Wants: after}
	}
	for i := range wanted {
		w := &wanted[i]
		at := slices.IndexFunc(has, func(h s3.LifecycleRule) bool { return h.ID == w.ID })
		switch {
		case at < 0:
			changes = append(changes, one(w.ID, "", ruleText(w)))
		case !reflect.DeepEqual(has[at], *w):
			changes = append(changes, one(w.ID, ruleText(&has[at]), ruleText(w)))
		}
	}
	for i := range has {
		h := &has[i]
		if !slices.ContainsFunc(wanted, func(w s3.LifecycleRule) bool { return w.ID == h.ID }) {
			changes = append(changes, one(h.ID, ruleText(h), ""))
		}
	}
	return changes
}

// Has reports whether a part of the plan has changes.
func (p Plan) Has(part Part) bool {
	return slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Part == part })
}

// Apply puts the plan's changes, and returns when the bucket has them. Nothing is put if the bucket is not any more
// what the plan was made from. Rules come first: with versioning on and no rule, nothing old would ever go.
func (p Plan) Apply(ctx context.Context, b *s3.Bucket) error {
	now, err := Read(ctx, b, p.without)
	if err != nil {
		return err
	}
	if !now.same(p.State) {
		return fault.New(fault.Temporary, "the settings of "+b.Location()+" were changed since the plan was made",
			"Look at the plan again: somebody else changes this bucket.", nil)
	}
	if p.Has(Lifecycle) {
		if err := b.PutLifecycle(ctx, p.State.Lifecycle, p.next); err != nil {
			return err
		}
	}
	if p.Has(Encryption) {
		if err := b.SetEncryption(ctx, defaultEncryption()); err != nil {
			return err
		}
	}
	if p.Has(PublicAccess) {
		if err := b.BlockPublicAccess(ctx); err != nil {
			return err
		}
	}
	if p.Has(Versioning) {
		return b.EnableVersioning(ctx)
	}
	return nil
}

// S3 may show what it was told some seconds later ("Lifecycle configuration propagation").
const (
	readAgainTries = 10
	readAgainAfter = 3 * time.Second
)

// Confirm reads the bucket until nothing of what was put is missing, and returns what still is.
func Confirm(ctx context.Context, b *s3.Bucket, jobs []config.Job, without []Part) (Plan, error) {
	for try := 1; ; try++ {
		state, err := Read(ctx, b, without)
		if err != nil {
			return Plan{}, err
		}
		plan, err := For(state, jobs, without)
		if err != nil || len(plan.Changes) == 0 || try == readAgainTries {
			return plan, err
		}
		select {
		case <-ctx.Done():
			return plan, context.Cause(ctx)
		case <-time.After(readAgainAfter):
		}
	}
}
