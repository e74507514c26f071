package main

import (
	"context"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Verification of several sets: a set that fails does not stop the others, each has its line, and
// the exit code is the worst.

type jsonVerifySeveral struct {
	Schema  int                `json:"schema"`
	OK      bool               `json:"ok"`
	Results []jsonVerification `json:"results"`
	LeftOut []string           `json:"leftOut"`
}

type jsonVerification struct {
	ID       string        `json:"id"`
	Proof    *backup.Proof `json:"proof"`
	Recorded string        `json:"recorded,omitempty"`
	Warnings []string      `json:"warnings,omitempty"`
	Error    *jsonFault    `json:"error,omitempty"`
}

func (p *program) verifySeveral(ctx context.Context, f verifyFlags) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	jobs, err := c.Backed(f.job)
	if err != nil {
		return err
	}
	out := jsonVerifySeveral{Schema: jsonSchema, Results: []jsonVerification{}, LeftOut: []string{}}
	worst := fault.OK
	for _, job := range jobs {
		code, err := p.verifyJob(ctx, job, f, &out)
		if err != nil {
			return err
		}
		worst = worse(worst, code)
	}
	if len(out.LeftOut) > 0 {
		worst = worse(worst, fault.Warnings)
	}
	if out.OK = worst == fault.OK; p.json {
		if err := p.printJSON(out); err != nil {
			return err
		}
	} else if len(out.Results) == 0 {
		p.printf("nothing to verify\n")
	}
	return exitWith(worst)
}

// verifyJob goes through the sets of one job; an error is one of the listing, or the end of ctx.
func (p *program) verifyJob(ctx context.Context, job config.Job, f verifyFlags, out *jsonVerifySeveral) (fault.Code, error) {
	bucket, err := p.bucket(ctx, job)
	if err != nil {
		return fault.OK, err
	}
	identities, err := p.identities(job, p.identity)
	if err != nil {
		return fault.OK, err
	}
	sets, err := p.client().catalogue(bucket, job).Sets(ctx, backup.Scope{Instance: job.Instance, Database: job.Database})
	if err != nil {
		return fault.OK, err
	}
	f.wish.Sample, f.wish.Identities = f.share > 0, len(identities) > 0
	chosen := backup.Select(backup.WhoseOf(job).Of(sets), f.wish)
	out.LeftOut = append(out.LeftOut, chosen.LeftOut...)
	worst := fault.OK
	for _, set := range chosen.Sets {
		one, code := p.verifyNext(ctx, &located{set, bucket, job}, identities, f.share)
		if ctx.Err() != nil {
			return worst, context.Cause(ctx)
		}
		out.Results = append(out.Results, one)
		worst = worse(worst, code)
	}
	if !p.json {
		for _, why := range chosen.LeftOut {
			p.printf("left out: %s\n", printable.Text(why))
		}
	}
	return worst, nil
}

func (p *program) verifyNext(ctx context.Context, at *located, identities []age.Identity, share float64) (jsonVerification, fault.Code) {
	one := jsonVerification{ID: at.set.ID}
	v, err := p.verifyOne(ctx, at, identities, share)
	if v != nil {
		one.Proof, one.Recorded, one.Warnings = &v.Proof, v.Recorded, v.Warnings
	}
	code := fault.OK
	switch {
	case err != nil:
		told := asFault(err)
		one.Error, code = &told, fault.CodeOf(err)
		if !p.json && ctx.Err() == nil {
			p.printf("%s FAILED: %s\n", at.set.ID, printable.Text(err.Error()))
		}
		return one, code
	case len(v.Warnings) > 0:
		code = fault.Warnings
	}
	if p.json {
		return one, code
	}
	_ = p.printVerification(v) // prints text, which can't fail
	return one, code
}

// worse is the code that says more: damage before everything else, any failure before a warning.
func worse(a, b fault.Code) fault.Code {
	rank := func(c fault.Code) int {
		switch c {
		case fault.OK:
			return 0
		case fault.Warnings:
			return 1
		case fault.Integrity:
			return 3
		case fault.Failed, fault.Refused, fault.Usage, fault.NotFound, fault.Unavailable, fault.NoSpace, fault.Temporary,
			fault.NotPermitted, fault.Config, fault.Interrupted, fault.Terminated:
		}
		return 2
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
