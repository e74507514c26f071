package retention

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// The rules of retention. Each is asked about the usable sets from the newest to the oldest, and
// says why it keeps one, or "". A period without a set is not counted: after a month without
// backups, `daily 7` still keeps seven.
type rule interface {
	keep(finished time.Time, age time.Duration) string
}

func rulesOf(k config.Keep) []rule {
	var all []rule
	for _, r := range k.Rules() {
		switch r.Name {
		case "last":
			all = append(all, &newestOf{rule: r})
		case "days":
			all = append(all, youngerThan(r.N))
		default:
			all = append(all, &newestPer{rule: r})
		}
	}
	return all
}

// newestOf keeps the first N that it sees.
type newestOf struct {
	rule config.Rule
	seen int
}

func (r *newestOf) keep(time.Time, time.Duration) string {
	r.seen++
	return nth(r.seen, r.rule)
}

func nth(n int, of config.Rule) string {
	if n > of.N {
		return ""
	}
	return fmt.Sprintf("%s %d of %d", of.Name, n, of.N)
}

// youngerThan keeps what is not older than so many days.
type youngerThan int

func (r youngerThan) keep(_ time.Time, age time.Duration) string {
	if age.Hours() > float64(r)*24 { // as a Duration, many days would overflow
		return ""
	}
	return fmt.Sprintf("%d days old, kept for %d", days(age), int(r))
}

// newestPer keeps the first set of each of the last N periods that have one.
type newestPer struct {
	rule   config.Rule
	filled map[string]bool
}

func (r *newestPer) keep(finished time.Time, _ time.Duration) string {
	if r.filled == nil {
		r.filled = map[string]bool{}
	}
	period := periodOf(r.rule.Name, finished)
	if r.filled[period] {
		return ""
	}
	r.filled[period] = true
	return nth(len(r.filled), r.rule)
}

// periodOf names the day, week, month or year of a time, in UTC: the same on every host, and no
// day has 23 hours. Weeks are those of ISO 8601.
func periodOf(rule string, at time.Time) string {
	switch rule {
	case "daily":
		return at.Format("2006-01-02")
	case "weekly":
		year, week := at.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	case "monthly":
		return at.Format("2006-01")
	}
	return at.Format("2006")
}
