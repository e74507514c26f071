package systemd

import (
	"context"
	"strings"
	"time"
)

// What becomes of a calendar in the nights in which clocks change. systemd says when it fires; what a person would
// expect is the same calendar by a clock that never changes.

// ClockChange is a night in which a calendar does something else than in others.
type ClockChange struct {
	At   time.Time // the clocks change then
	Zone string
	Wall string // the time of day that does not exist, or exists twice: "02:30"
	// Next is when the timer fires instead of at a time that does not exist; zero where the time exists twice, and the
	// timer fires at both.
	Next time.Time
}

// aroundChange is more than clocks are ever changed by.
const aroundChange = 3 * time.Hour

// ClockChanges are those of the year after now that change a calendar, in a zone for expressions without one.
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
	shift := time.Duration(after-before) * time.Second
	if shift == 0 {
		return nil, nil //nolint:nilnil // the zone has another name from then on, and nothing else
	}
	// The hours that are left out, or that come a second time, as a clock without the change would have shown them.
	begin := at.UTC().Add(time.Duration(before) * time.Second)
	length := shift
	if shift < 0 {
		begin, length = begin.Add(shift), -shift
	}
	expected, err := within(ctx, bare+" UTC", begin, begin.Add(length))
	if err != nil || len(expected) == 0 {
		return nil, err
	}
	change := &ClockChange{At: at, Zone: at.Location().String(), Wall: expected[0].Format("15:04")}
	if shift < 0 {
		real, err := within(ctx, expression, at.Add(-length), at.Add(length))
		if err != nil || len(real) <= len(expected) || len(expected) > 1 {
			return nil, err // a timer of every few minutes fires on, which is what it is for
		}
		return change, nil
	}
	next, err := CalendarAfter(ctx, expression, at.Add(-time.Second))
	if err != nil || !next.IsZero() && next.Before(at.Add(length)) {
		return nil, err // as above
	}
	change.Next = next
	return change, nil
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
