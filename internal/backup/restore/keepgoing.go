package restore

import (
	"context"
	"errors"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// A restore that goes on past what cannot be made: for the day on which most of a database is better than none.
//
// Rules: it tells every object that is not there and every table that has other rows, and shows nothing about
// the set. It never takes a live database's place, and nobody can ask for it by request: what failed may be
// the policy or the REVOKE that kept people out, so the copy stays for superusers until one has looked.

// waysOn adds to an object that could not be created how everything else comes back.
func (r *restoring) waysOn(err error) error {
	var exit *postgres.ExitError
	if r.req.Partial() || !errors.As(err, &exit) || len(exit.Objects()) == 0 {
		return err
	}
	switch fault.CodeOf(err) { //nolint:exhaustive // the others are of the server or the bytes, and meet every object
	case fault.Failed, fault.Refused, fault.NotPermitted:
		remedies := present(fault.Remedy(err), r.remedyNotWhole())
		return fault.New(fault.CodeOf(err), "", strings.Join(remedies, " "), err)
	}
	return err
}

// leftOut is how many objects could not be restored.
func (r *Restored) leftOut() int { return len(r.Unmade) + r.UnmadeMore }

// Incomplete reports whether the copy is not all of the set.
func (r *Restored) Incomplete() bool { return r.leftOut() > 0 }

// made are the tables that are there. Those that are not have lost all of their rows.
func (r *restoring) made(ctx context.Context, tables []archive.Table) (there []archive.Table, err error) {
	if r.result.leftOut() == 0 {
		return tables, nil
	}
	here := map[owned]bool{}
	err = r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		found, err := s.Ownerships(ctx)
		for _, o := range found {
			here[owned{o.Schema, o.Name}] = true
		}
		return err
	})
	for _, t := range tables {
		if here[owned{t.Schema, t.Name}] {
			there = append(there, t)
		} else if t.Rows > 0 {
			r.result.Differences = append(r.result.Differences,
				RowMismatch{Schema: t.Schema, Table: t.Name, Want: t.Rows, Got: 0})
		}
	}
	return there, err
}
