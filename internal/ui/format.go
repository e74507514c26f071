// Times and counts as the screens show them. Unknown is "?", never 0 or blank. Ages move by the minute at most, so
// that an idle screen sends next to nothing.

package ui

import (
	"strconv"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// clean makes text from outside fit for the screen. An empty name is shown as "?".
func clean(s string) string { return printable.Text(s) }

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return clean(s)
}

// age is how long ago t was. A time in the future says so: a clock is wrong somewhere.
func age(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "?"
	case t.After(now.Add(time.Minute)):
		return "in future"
	}
	return readable.Age(now.Sub(t))
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
	return readable.Age(now.Sub(t)) + " ago"
}

// until is how far away t is; "due" when it has come.
func until(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "?"
	case !t.After(now):
		return "due"
	}
	return "in " + readable.Age(t.Sub(now))
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
