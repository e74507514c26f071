package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Whether a set can be read, and how long its restore will take.

func (r *restoring) checkSource(ctx context.Context) ([]Check, error) {
	if !r.source.set.Good() {
		remedy := "Choose another set: `pgbtui list` shows which there are."
		if r.source.set.ProblemCode == fault.Refused {
			remedy += " If you know where this one comes from, add --accept-unsigned."
		}
		return []Check{fails("source", r.source.set.Problem, remedy)}, nil
	}
	if failure := r.source.set.BadBytes(); failure != nil {
		return []Check{fails("source", failure.FailureText(), "Choose another set, or verify this one again.")}, nil
	}
	if failure := r.source.set.NotWhole(); failure != nil && !r.req.Partial() && !r.req.KeepGoing {
		return []Check{fails("source", failure.FailureText(), r.remedyNotWhole())}, nil
	}
	if r.source.set.Encrypted() && len(r.source.identities) == 0 {
		return []Check{
			fails("source", "encrypted, and there is no age identity here", "Set encryption.identity_file or give --identity."),
		}, nil
	}
	var checks []Check
	for _, key := range r.source.keys(r.req.Globals) {
		c, err := r.checkObject(ctx, key)
		if err != nil || !c.OK {
			return []Check{c}, err
		}
		if c.Warn {
			checks = append(checks, c)
		}
	}
	checks = append(checks, r.source.evidence())
	return append(checks, r.checkPartial()...), nil
}

// remedyNotWhole are the ways on with a set of which an object cannot be created.
func (r *restoring) remedyNotWhole() string {
	const parts = "Restore parts of it (--table, --schema, --schema-only)"
	if r.req.Replace != "" || r.req.ForOperator {
		return parts + ", or restore it from the command line into a new database with --keep-going."
	}
	return parts + ", or everything that can be created with --keep-going."
}

// checkObject finds what lies in an archive class, hours before it could be read.
func (r *restoring) checkObject(ctx context.Context, key string) (Check, error) {
	o, err := r.env.Bucket.Head(ctx, key)
	switch {
	case errors.Is(err, s3.ErrNotFound):
		return fails("source", key+" is missing", "Choose another set: `pgbtui list` shows which there are."), nil
	case fault.CodeOf(err).Retryable():
		return Check{}, err
	case err != nil:
		return fails("source", err.Error(), fault.Remedy(err)), nil
	case o.Archived:
		return r.archivedCheck(o), nil
	}
	return passes("source", ""), nil
}

// checkTime foretells the restore's time from those that were made.
func (r *restoring) checkTime(ctx context.Context) ([]Check, error) {
	if r.req.Partial() {
		return nil, nil // they were of whole sets
	}
	e, ok := backup.RestoreTime(nil, r.source.set)
	if !ok {
		sets, err := backup.NewCatalogue(r.env.Bucket, r.job).KeepIn(r.env.CacheDir).Sets(ctx,
			r.source.set.Scope())
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return []Check{warns("time", "not known: "+err.Error(), fault.Remedy(err))}, nil
		}
		e, ok = backup.RestoreTime(sets, r.source.set)
	}
	if !ok {
		return []Check{warns("time", "not known: no drill or restore of this database has succeeded yet", "")}, nil
	}
	detail := fmt.Sprintf("about %s, as the %s of %s", readable.Took(e.Duration), e.From.Kind,
		e.From.FinishedAt.UTC().Format(time.RFC3339))
	if e.Scaled {
		detail += ", scaled by the dumps' sizes"
	}
	return []Check{passes("time", detail)}, nil
}
