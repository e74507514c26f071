package restore

import (
	"bytes"
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// globals creates what is missing and leaves what exists alone.
func (r *restoring) globals(ctx context.Context) error {
	if !r.req.Globals {
		return nil
	}
	if r.source.set.Manifest == nil || r.source.set.Manifest.Globals == nil {
		return fault.New(fault.Refused, "restore: this set has no globals", "Run again without --globals.", nil)
	}
	r.meter.Enter(backup.StageGlobals, 0)
	script, err := stored.Small(ctx, r.env, r.source.set, r.source.set.Manifest.Globals, r.source.identities)
	if err != nil {
		return err
	}
	report, err := r.applyGlobals(ctx, script)
	if err != nil {
		return err
	}
	r.result.Globals = append(report.CreatedRoles, report.CreatedTablespaces...)
	return nil
}

// applyGlobals takes no more than the names of roles from a set that is restored for an operator: they
// may be from before a role was dropped, or had its rights or its password taken away.
func (r *restoring) applyGlobals(ctx context.Context, script []byte) (postgres.GlobalsReport, error) {
	if !r.req.ForOperator {
		return postgres.ApplyGlobals(ctx, r.target.server, bytes.NewReader(script))
	}
	if r.part == nil && !r.source.listed() {
		return postgres.GlobalsReport{}, fault.New(fault.Refused,
			"restore: the set does not say which roles it needs, and a request creates no others",
			"Restore without its globals, or "+byHand, nil)
	}
	roles, _, _ := r.needs()
	report, err := postgres.CreateRoles(ctx, r.target.server, bytes.NewReader(script), sorted(roles))
	if len(report.CreatedRoles) > 0 {
		r.result.note(byNameOnly + ": " + strings.Join(report.CreatedRoles, ", ") +
			"; a superuser gives them what they need (ALTER ROLE … LOGIN PASSWORD)")
	}
	return report, err
}
