package restore

import (
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Rows into tables that exist: the one restore that writes into an existing database.
//
// Rules: each table is there and empty, and no trigger acts on what is put into it; all rows come
// in one transaction or none; nothing but rows comes, and the value of sequences that were never
// used. So nothing that exists is changed. For an operator no code runs that others wrote: see
// postgres.Server.CodeOnLoad, and HoldDefinitions for what keeps it so.

// checkInto looks for the target of a restore of rows.
func (r *restoring) checkInto(ctx context.Context) ([]Check, error) {
	exists, err := r.target.server.Exists(ctx, r.req.To)
	switch {
	case err != nil:
		return nil, err
	case !exists:
		return []Check{
			fails("target", fmt.Sprintf("database %q does not exist", r.req.To),
				"Name an existing database, or restore into a new one with --to."),
		}, nil
	}
	return []Check{passes("target", fmt.Sprintf("database %q exists, and gets rows only", r.req.To))}, nil
}

// checkEmpty looks at each chosen table in the target, and leaves used sequences out.
func (r *restoring) checkEmpty(ctx context.Context) (checks []Check, err error) {
	names := r.part.tables()
	var problems, code []string
	err = r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		if problems, err = s.NotLoadable(ctx, names); err != nil || len(problems) > 0 {
			return err
		}
		if r.req.ForOperator {
			if code, err = s.CodeOnLoad(ctx, names); err != nil || len(code) > 0 {
				return err
			}
		}
		return r.leaveUsedSequences(ctx, s)
	})
	switch {
	case len(problems) > 0:
		return []Check{
			fails("tables", strings.Join(problems, "; "),
				"Empty the tables and disable their triggers first, or restore into a new database with --to."),
		}, err
	case len(code) > 0:
		return []Check{fails("tables", codeOfOthers(code), withoutCodeOfOthers)}, err
	}
	return []Check{r.part.portion.tell()}, err
}

// tables are those that get rows.
func (p *part) tables() (tables []postgres.Table) {
	for _, e := range p.choice.Tables {
		tables = append(tables, tableOf(e))
	}
	return tables
}

const withoutCodeOfOthers = "Restore into a new database and copy the rows from there, or " + byHand

func codeOfOthers(code []string) string {
	return backup.InLine(code, "; ", func(c string) string { return c }) +
		": a request runs no code of others with the rights of the role that restores"
}

// loadUnchanged loads the part while nobody can change the tables that get its rows. They are looked at once more,
// since their owners had time for a change after the preflight.
func (r *restoring) loadUnchanged(ctx context.Context, opts postgres.RestoreOptions) error {
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		tables := r.part.tables()
		if err := s.HoldDefinitions(ctx, tables); err != nil {
			return err
		}
		code, err := s.CodeOnLoad(ctx, tables)
		switch {
		case err != nil:
			return err
		case len(code) > 0:
			return fault.New(fault.Refused, "restore: "+codeOfOthers(code), withoutCodeOfOthers, nil)
		}
		return r.loadPart(ctx, opts)
	})
}

// leaveUsedSequences: setting a sequence back would hand numbers out twice.
func (r *restoring) leaveUsedSequences(ctx context.Context, s *postgres.Server) error {
	kept := r.part.ids[:0]
	for _, e := range r.part.choice.Entries(r.part.ids) {
		if e.Desc == "SEQUENCE SET" {
			unused, err := s.SequenceUnused(ctx, tableOf(e))
			if err != nil {
				return err
			}
			if !unused {
				r.result.note(fmt.Sprintf("sequence %s.%s keeps its value: it is missing or in use in the target", e.Namespace,
					e.Tag))
				continue
			}
		}
		kept = append(kept, e.DumpID)
	}
	r.part.ids = kept
	return nil
}
