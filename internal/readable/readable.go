// Package readable writes sizes, ages and durations as people read them, the same in the console, on the command line
// and in messages. Unknown is "?", never 0.
package readable

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes in binary units: "512 B", "4.3 GiB"; negative is unknown.
func Size(n int64) string {
	if n < 0 {
		return "?"
	}
	return humanize.IBytes(uint64(n))
}

// Age is a duration by the minute: "<1m", "42m", "3h 12m" up to two days, then "12d". A negative one says so: a clock
// is wrong somewhere.
func Age(d time.Duration) string {
	switch {
	case d < -time.Minute:
		return "in the future"
	case d < time.Minute:
		return "<1m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// Took is how long something took: "8s", "4m 10s", "2h 05m"; negative is unknown.
func Took(d time.Duration) string {
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
