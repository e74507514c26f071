package restore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What the configuration wants to be true of a copy.

// askTime bounds one statement of the configuration.
const askTime = 5 * time.Minute

// expect asks the copy. Answers are people's data, and a failure is stored beside the set, logged and sent: they are
// compared, and told only where they are the truth of something, or a number where a number was expected.
func (d *drilling) expect(ctx context.Context) error {
	if len(d.job.Drill.Expect) == 0 {
		return nil
	}
	stop := d.meter.KeepAlive()
	defer stop()
	return d.target.in(ctx, d.req.To, func(s *postgres.Server) error {
		for i, e := range d.job.Drill.Expect {
			what := fmt.Sprintf("drill: expectation %d (%s)", i+1, statement(e.SQL))
			answer, err := s.Ask(ctx, e.SQL, askTime)
			switch {
			case errors.Is(err, postgres.ErrNoAnswer), fault.CodeOf(err) == fault.Failed:
				return fault.New(fault.Integrity, what, "Check the copy's source, and drill.expect in the configuration.", err)
			case err != nil:
				return fmt.Errorf("%s: %w", what, err)
			case answer != e.Result:
				return fault.New(fault.Integrity,
					fmt.Sprintf("%s: the answer is %s, not %s", what, told(answer, e.Result), short(e.Result)),
					"Check the copy's source, and drill.expect in the configuration.", nil)
			}
			d.facts.Expectations++
		}
		return nil
	})
}

// The limits of what is told of an expectation.
const (
	shortest     = 20 // of what the configuration expects
	longestAsked = 60 // of a statement
)

var (
	truth    = regexp.MustCompile(`^[tf]?$`) // of NULL too
	number   = regexp.MustCompile(`^-?\d{1,15}(\.\d{1,6})?$`)
	literals = regexp.MustCompile(`(?s)'(?:[^']|'')*'?|\$\w*\$.*?\$\w*\$|\d{5,}`)
)

// told is an answer as it may be told: the number of a person is a text, unless the configuration asks for numbers.
func told(answer, expected string) string {
	if truth.MatchString(answer) || number.MatchString(answer) && number.MatchString(expected) {
		return strconv.Quote(answer)
	}
	return fmt.Sprintf("another text, of %d bytes", len(answer))
}

// short is what the configuration expects.
func short(result string) string {
	if len(result) > shortest {
		return fmt.Sprintf("the text of %d bytes that is expected", len(result))
	}
	return strconv.Quote(result)
}

// statement is how a statement begins, without the values in it.
func statement(sql string) string {
	sql = strings.Join(strings.Fields(literals.ReplaceAllString(sql, "…")), " ")
	if runes := []rune(sql); len(runes) > longestAsked {
		return string(runes[:longestAsked-1]) + "…"
	}
	return sql
}

// checkAmcheck: the program is there since 14, the extension where PostgreSQL's extras are.
func (d *drilling) checkAmcheck(ctx context.Context) ([]Check, error) {
	switch {
	case !d.job.Drill.Amcheck:
		return nil, nil
	case !d.target.tools.HasAmcheck():
		return []Check{
			fails("amcheck", "there is no pg_amcheck in "+d.target.tools.Dir,
				"Install PostgreSQL's client programs from 14 on, or set drill.amcheck to false."),
		}, nil
	}
	missing, err := d.target.server.Missing(ctx, postgres.Needs{Extensions: []string{"amcheck"}})
	return []Check{
		needCheck("amcheck", missing.Extensions, "Install postgresql-contrib, or set drill.amcheck to false.", false),
	}, err
}

func (d *drilling) amcheck(ctx context.Context) error {
	if !d.job.Drill.Amcheck {
		return nil
	}
	stop := d.meter.KeepAlive()
	defer stop()
	if err := d.target.tools.Amcheck(ctx, d.target.database(d.req.To)); err != nil {
		return err
	}
	d.facts.Amcheck = true
	return nil
}
