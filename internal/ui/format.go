// Times, ages, sizes and counts as people read them. Unknown is "?", never 0 or blank. Ages move
// by the minute at most, so that an idle screen sends next to nothing.

package ui

import (
	"fmt"
	"strconv"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// clean makes text from outside fit for the screen. An empty name is shown as "?".
func clean(s string) string { return printable.Text(s) }

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return clean(s)
}

// span is a duration by the minute: "<1m", "42m", "3h 12m" up to two days, then "12d".
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "<1m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// age is how long ago t was. A time in the future says so: a clock is wrong somewhere.
func age(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "?"
	case t.After(now.Add(time.Minute)):
		return "in future"
	}
	return span(now.Sub(t))
}

// ago is age as part of a sentence.
func ago(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "at an unknown time"
	case t.After(now.Add(time.Minute)):
		return "in the future (check the clocks)"
	case now.Sub(t) < time.Minute:
		return "just now"
	}
	return span(now.Sub(t)) + " ago"
}

// until is how far away t is; "due" when it has come.
func until(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "?"
	case !t.After(now):
		return "due"
	}
	return "in " + span(t.Sub(now))
}

// took is an exact duration: "8s", "4m 10s", "2h 05m".
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "?"
	case d < time.Second:
		return "<1s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
}

// when is local time with its zone, for lists.
func when(zone *time.Location, t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.In(zone).Format("02 Jan 15:04 MST")
}

// whenFull is local time and UTC beside it, for details.
func whenFull(zone *time.Location, t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	local := t.In(zone).Format("2006-01-02 15:04:05 MST")
	if _, offset := t.In(zone).Zone(); offset == 0 {
		return local
	}
	return local + " (" + t.UTC().Format("15:04:05") + " UTC)"
}

// size is bytes in binary units, three digits or so; negative is unknown.
func size(n int64) string {
	if n < 0 {
		return "?"
	}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, units := float64(n), []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	unit := ""
	for _, unit = range units {
		if v /= 1024; v < 1000 {
			break
		}
	}
	if v < 10 {
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// count groups digits by thousands; negative is unknown.
func count(n int64) string {
	if n < 0 {
		return "?"
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is "1 set", "2 sets".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
