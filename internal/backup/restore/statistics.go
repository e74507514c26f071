package restore

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Planner statistics: without them a copy is right and slow. Sets have none (docs/decisions/statistics.md); every
// restore has them gathered before it lets people in. That they cannot be gathered costs a note, and not the copy.

// tellStatistics is part of the plan.
func (r *restoring) tellStatistics(context.Context) ([]Check, error) {
	switch {
	case r.req.SchemaOnly:
		return nil, nil
	case r.req.DataOnly:
		return []Check{passes("statistics", "gathered by ANALYZE of the tables that get rows")}, nil
	}
	return []Check{passes("statistics", "gathered by ANALYZE when the rows are in")}, nil
}

// analyze gathers those of the new database.
func (r *restoring) analyze(ctx context.Context) error {
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error { return r.orNote(ctx, s.Analyze(ctx)) })
}

// analyzePart gathers those of the tables that got rows.
func (r *restoring) analyzePart(ctx context.Context) error {
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		for _, e := range r.part.choice.Tables {
			if err := r.orNote(ctx, s.AnalyzeTable(ctx, tableOf(e))); err != nil {
				return err
			}
		}
		return nil
	})
}

// orNote keeps an error that ends the restore: the restore's own end, and that of the session.
func (r *restoring) orNote(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) || fault.CodeOf(err) == fault.Unavailable {
		return err
	}
	r.result.note(fmt.Sprintf(
		"planner statistics are not complete, so that queries may be slow: "+
			"%v; run ANALYZE in the copy once that is fixed",
		err))
	return nil
}
