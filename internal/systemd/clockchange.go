package systemd

import (
	"context"
	"strings"
	"time"
)

// What becomes of a calendar in the night in which clocks go forward: a time of day is left out, and with it a run.
// systemd says when it fires; what a person would expect is the same calendar by a clock that never changes. Where
// clocks go back, a time of day comes twice, and systemd fires once.

// ClockChange is a night in which a calendar loses a run.
type ClockChange struct {
	At   time.Time // the clocks change then
	Zone string
	Wall string    // the time of day that does not exist: "02:30"
	Next time.Time // when the timer fires next; zero: never
}

// aroundChange is more than clocks are ever changed by.
const aroundChange = 3 * time.Hour

// ClockChanges are those of the year after now in which a calendar loses a run, in a zone for expressions without one.
func ClockChanges(ctx context.Context, expression string, now time.Time, local *time.Location) ([]ClockChange, error) {
	zone, bare := zoneOf(expression, local)
	var found []ClockChange
	for at := now; ; {
		_, end := at.In(zone).ZoneBounds()
		if end.IsZero() || end.After(now.AddDate(1, 0, 0)) {
			return found, nil
		}
		one, err := clockChange(ctx, expression, bare, end.In(zone))
		if err != nil {
			return nil, err
		}
		if one != nil {
			found = append(found, *one)
		}
		at = end
	}
}

// zoneOf is the zone that an expression ends with, and the rest of it.
func zoneOf(expression string, local *time.Location) (zone *time.Location, bare string) {
	words := strings.Fields(expression)
	last := len(words) - 1
	if last >= 0 && words[last] == "UTC" {
		return time.UTC, strings.Join(words[:last], " ")
	}
	if last > 0 && strings.ContainsAny(words[last][:1], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		if named, err := time.LoadLocation(words[last]); err == nil {
			return named, strings.Join(words[:last], " ")
		}
	}
	return local, expression
}

// clockChange compares the hours around one change with those by a clock that stands on.
func clockChange(ctx context.Context, expression, bare string, at time.Time) (*ClockChange, error) {
	_, before := at.Add(-time.Second).Zone()
	_, after := at.Zone()
	leftOut := time.Duration(after-before) * time.Second
	if leftOut <= 0 {
		return nil, nil //nolint:nilnil // clocks go back, or the zone has another name from then on
	}
	// The hour that is left out, as a clock without the change would have shown it.
	begin := at.UTC().Add(time.Duration(before) * time.Second)
	expected, err := within(ctx, bare+" UTC", begin, begin.Add(leftOut))
	if err != nil || len(expected) == 0 {
		return nil, err
	}
	next, err := CalendarAfter(ctx, expression, at.Add(-time.Second))
	if err != nil || !next.IsZero() && next.Before(at.Add(leftOut)) {
		return nil, err // a timer of every few minutes fires on
	}
	return &ClockChange{At: at, Zone: at.Location().String(), Wall: expected[0].Format("15:04"), Next: next}, nil
}

// within are the times of an expression from begin on, before end.
func within(ctx context.Context, expression string, begin, end time.Time) (times []time.Time, err error) {
	const most = int(2 * aroundChange / time.Minute)
	all, err := CalendarFrom(ctx, expression, begin.Add(-time.Second), most)
	for _, at := range all {
		if !at.Before(begin) && at.Before(end) {
			times = append(times, at)
		}
	}
	return times, err
}
