package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What the configuration wants to be true of a copy.

// askTime bounds one statement of the configuration.
const askTime = 5 * time.Minute

// expect asks the copy. Answers are people's data: they are compared, and told only where they are
// short.
func (d *drilling) expect(ctx context.Context) error {
	if len(d.job.Drill.Expect) == 0 {
		return nil
	}
	stop := d.meter.KeepAlive()
	defer stop()
	return d.inTarget(ctx, func(s *postgres.Server) error {
		for i, e := range d.job.Drill.Expect {
			what := fmt.Sprintf("drill: expectation %d (%.60s)", i+1, e.SQL)
			answer, err := s.Ask(ctx, e.SQL, askTime)
			switch {
			case errors.Is(err, postgres.ErrNoAnswer), fault.CodeOf(err) == fault.Failed:
				return fault.New(fault.Integrity, what, "look at the copy's source, and at drill.expect in the configuration", err)
			case err != nil:
				return fmt.Errorf("%s: %w", what, err)
			case answer != e.Result:
				return fault.New(fault.Integrity, fmt.Sprintf("%s: the answer is %s, not %s", what, short(answer), short(e.Result)),
					"look at the copy's source, and at drill.expect in the configuration", nil)
			}
			d.facts.Expectations++
		}
		return nil
	})
}

// shortest is how much of an answer is told.
const shortest = 20

func short(answer string) string {
	if len(answer) > shortest {
		return fmt.Sprintf("a text of %d bytes", len(answer))
	}
	return fmt.Sprintf("%q", answer)
}

// checkAmcheck: the program is there since 14, the extension where PostgreSQL's extras are.
func (d *drilling) checkAmcheck(ctx context.Context) ([]Check, error) {
	switch {
	case !d.job.Drill.Amcheck:
		return nil, nil
	case !d.tools.HasAmcheck():
		return []Check{fails("amcheck", "there is no pg_amcheck in "+d.tools.Dir, "install PostgreSQL's client programs from 14 on, or set drill.amcheck to false")}, nil
	}
	missing, err := d.server.Missing(ctx, postgres.Needs{Extensions: []string{"amcheck"}})
	return []Check{needCheck("amcheck", missing.Extensions, "install postgresql-contrib, or set drill.amcheck to false", false)}, err
}

func (d *drilling) amcheck(ctx context.Context) error {
	if !d.job.Drill.Amcheck {
		return nil
	}
	stop := d.meter.KeepAlive()
	defer stop()
	if err := d.tools.Amcheck(ctx, d.target(d.req.To)); err != nil {
		return err
	}
	d.facts.Amcheck = true
	return nil
}
