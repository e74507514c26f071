package restore

import (
	"context"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What a tenant's set needs from outside of its schema: looked for in a database that exists, and as far as extensions
// go, made in a new one.

// checkOutside looks for what a tenant's set needs from outside of its schema.
func (r *restoring) checkOutside(ctx context.Context) ([]Check, error) {
	if r.source.set.Schema == "" || r.source.contents == nil || len(r.source.contents.Outside) == 0 {
		return nil, nil
	}
	needs := r.source.contents.Outside
	if r.tenancy == nil {
		return r.checkOutsideNew(ctx, needs)
	}
	if r.failing {
		return nil, nil
	}
	var lacking []postgres.Outside
	err := r.target.in(ctx, r.req.To, func(s *postgres.Server) (err error) {
		lacking, err = s.Lacks(ctx, needs)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(lacking) > 0 {
		return []Check{fails("outside", "what the schema needs is not in the database: "+namesOutside(lacking),
			"Make these there first.")}, nil
	}
	return []Check{passes("outside", "what the schema needs is there: "+namesOutside(needs))}, nil
}

// checkOutsideNew is for a new database, in which extensions alone can be made.
func (r *restoring) checkOutsideNew(ctx context.Context, needs []postgres.Outside) ([]Check, error) {
	var extensions []string
	var others []postgres.Outside
	for _, n := range needs {
		if n.Extension != "" && n.Name != r.source.set.Schema {
			extensions = append(extensions, n.Extension)
		} else {
			others = append(others, n)
		}
	}
	missing, err := r.target.server.Missing(ctx, postgres.Needs{Extensions: extensions})
	if err != nil {
		return nil, err
	}
	var checks []Check
	switch {
	case len(missing.Extensions) > 0:
		checks = append(checks, fails("outside", "the server does not have "+strings.Join(missing.Extensions, ", "),
			"Install the packages that bring them (e.g. postgresql-contrib)."))
	case len(extensions) > 0:
		checks = append(checks, passes("outside", "made first: "+strings.Join(extensions, ", ")))
	}
	if len(others) == 0 {
		return checks, nil
	}
	what := "a new database lacks what the schema needs: " + namesOutside(others)
	if r.req.KeepGoing {
		return append(checks, warns("outside", what, "")), nil
	}
	return append(checks, fails("outside", what,
		"Restore it beside the others into a database that has these, with --beside, "+
			"or what can be made with --keep-going.")), nil
}

func namesOutside(needs []postgres.Outside) string {
	return backup.InLine(needs, ", ", func(n postgres.Outside) string { return n.String() })
}

// extend makes the extensions that a tenant's set needs, in a new database.
func (r *restoring) extend(ctx context.Context) error {
	if r.source.set.Schema == "" || r.source.contents == nil || r.req.DataOnly {
		return nil
	}
	return r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		for _, n := range r.source.contents.Outside {
			if n.Extension == "" || n.Name == r.source.set.Schema {
				continue
			}
			if err := s.CreateExtension(ctx, n.Extension, n.Name); err != nil {
				return err
			}
		}
		return nil
	})
}
