package systemd

import (
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// The year of these tests: clocks change on 29 March and 25 October in Berlin, on 8 March and
// 1 November in New York, and by half an hour on Lord Howe Island.
var (
	yearBegins = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	yearEnds   = yearBegins.AddDate(1, 0, 0)
)

// year is every time of a calendar in that year, and the longest time between two of them.
func year(t *testing.T, calendarText string) (times []time.Time, gap time.Duration) {
	t.Helper()
	base := "--base-time=" + yearBegins.Format("2006-01-02 15:04:05 UTC")
	all, err := calendar(t.Context(), calendarText, 400, base)
	if err == nil && len(all) == 400 && all[399].Before(yearEnds) { // hourly
		all, err = calendar(t.Context(), calendarText, calendarMax, base)
	}
	for err == nil && len(all)%calendarMax == 0 && all[len(all)-1].Before(yearEnds) { // more often
		var more []time.Time
		more, err = CalendarFrom(t.Context(), calendarText, all[len(all)-1], calendarMax)
		all = append(all, more...)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range all {
		if !at.Before(yearEnds) {
			return all[:i], gap
		}
		if i > 0 {
			gap = max(gap, at.Sub(all[i-1]))
		}
	}
	t.Fatalf("%s: the year does not end: %d times", calendarText, len(all))
	return nil, 0
}

func TestAYearWithTwoClockChangesHasARunForEachDayOfTheShippedCalendars(t *testing.T) {
	need.Program(t, "systemd-analyze")
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	shipped := map[string]string{} // calendar to the file that has it
	for _, f := range files {
		for _, text := range values(parseUnit(f.Text), "Timer", "OnCalendar") {
			shipped[text] = f.Path
		}
	}
	if len(shipped) < 5 {
		t.Errorf("only %d calendars: %v", len(shipped), shipped)
	}
	runs := map[time.Duration]int{15 * time.Minute: 4 * 8760, time.Hour: 8760, 4 * time.Hour: 2190, 24 * time.Hour: 365, 7 * 24 * time.Hour: 52}
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		t.Setenv("TZ", zone)
		for text, file := range shipped {
			if times, gap := year(t, text); len(times) != runs[gap] {
				t.Errorf("%s in %s: %d runs, at most %s apart", file, zone, len(times), gap)
			}
		}
	}
	// What the test is for: the same night by the local clock is not there once a year.
	t.Setenv("TZ", "Europe/Berlin")
	if times, gap := year(t, "*-*-* 02:00:00"); len(times) != 364 || gap != 47*time.Hour {
		t.Errorf("by Berlin's clock: %d runs, at most %s apart", len(times), gap)
	}
}

// The night after each night of the year, as the watch asks for it.
func TestTheTimeAfterARunIsADayLaterAlsoWhereClocksChange(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for zone, changes := range map[string][]time.Time{
		"Europe/Berlin":    {time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)},
		"America/New_York": {time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Setenv("TZ", zone)
		for _, day := range changes {
			for before := -2; before <= 2; before++ {
				last := day.AddDate(0, 0, before).Add(2 * time.Hour)
				next, err := CalendarAfter(t.Context(), "*-*-* 02:00:00 UTC", last.Add(20*time.Minute)) // fired after its random delay
				if err != nil || !next.Equal(last.Add(24*time.Hour)) {
					t.Errorf("in %s after %s: %s, %v", zone, last, next, err)
				}
			}
		}
	}
}
