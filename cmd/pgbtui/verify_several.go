package main

import (
	"context"
	"slices"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Verification of several sets: a set that fails does not stop the others, each has its line, and
// the exit code is the worst.

type jsonVerifySeveral struct {
	Schema   int                `json:"schema"`
	OK       bool               `json:"ok"`
	Results  []jsonVerification `json:"results"`
	LeftOut  []string           `json:"leftOut"`
	Archived []string           `json:"archived,omitempty"`
}

type jsonVerification struct {
	ID       string        `json:"id"`
	Proof    *backup.Proof `json:"proof"`
	Recorded string        `json:"recorded,omitempty"`
	Warnings []string      `json:"warnings,omitempty"`
	Error    *jsonFault    `json:"error,omitempty"`
}

func runVerifySeveral(ctx context.Context, o *verifyOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	jobs, err := o.find.expand(ctx, c).Backed(o.of.job)
	if err != nil {
		return err
	}
	out := jsonVerifySeveral{Schema: jsonSchema, Results: []jsonVerification{}, LeftOut: []string{}}
	worst := fault.OK
	for _, job := range jobs {
		code, err := o.verifyJob(ctx, job, &out)
		if err != nil {
			return err
		}
		worst = worse(worst, code)
	}
	if len(out.LeftOut) > 0 {
		worst = worse(worst, fault.Warnings)
	}
	out.OK = worst == fault.OK
	switch {
	case o.json:
		if err := o.printJSON(out); err != nil {
			return err
		}
	case len(out.Results) == 0:
		o.printf("nothing to verify\n")
	}
	return exitWith(worst)
}

// verifyJob goes through the sets of one job; an error is one of the listing, or the end of ctx.
func (o *verifyOptions) verifyJob(ctx context.Context, job config.Job, out *jsonVerifySeveral) (fault.Code, error) {
	bucket, err := o.find.bucket(ctx, job)
	if err != nil {
		return fault.OK, err
	}
	identities, err := o.env.identities(job, o.identity)
	if err != nil {
		return fault.OK, err
	}
	sets, err := o.find.setsOf(ctx, job)
	if err != nil {
		return fault.OK, err
	}
	thaw.Look(ctx, bucket, sets)
	wish := o.wish
	wish.Sample = o.share > 0
	wish.Identities = len(identities) > 0
	chosen := verify.Select(backup.WhoseOf(job).Of(sets), wish)
	out.LeftOut = append(out.LeftOut, chosen.LeftOut...)
	out.Archived = append(out.Archived, chosen.Archived...)
	worst := fault.OK
	for _, set := range chosen.Sets {
		one, code := o.verifyNext(ctx, &located{set: set, bucket: bucket, job: job}, identities)
		if ctx.Err() != nil {
			return worst, context.Cause(ctx)
		}
		out.Results = append(out.Results, one)
		worst = worse(worst, code)
	}
	if !o.json {
		for _, why := range slices.Concat(chosen.LeftOut, chosen.Archived) {
			o.printf("left out: %s\n", printable.Text(why))
		}
	}
	return worst, nil
}

func (o *verifyOptions) verifyNext(
	ctx context.Context, at *located, identities []age.Identity,
) (jsonVerification, fault.Code) {
	one := jsonVerification{ID: at.set.ID}
	v, err := o.verifyOne(ctx, at, identities)
	if v != nil {
		one.Proof = &v.Proof
		one.Recorded = v.Recorded
		one.Warnings = v.Warnings
	}
	code := fault.OK
	switch {
	case err != nil:
		told := asFault(err)
		one.Error, code = &told, fault.CodeOf(err)
		if !o.json && ctx.Err() == nil {
			o.printf("%s FAILED: %s\n", at.set.ID, printable.Text(err.Error()))
		}
		return one, code
	case len(v.Warnings) > 0:
		code = fault.Warnings
	}
	if o.json {
		return one, code
	}
	_ = printVerification(o.streams, v) // prints text, which can't fail
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
