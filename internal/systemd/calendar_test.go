package systemd

import (
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestNextFiveTimesAreSystemds(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for _, zone := range []string{"UTC", "Europe/Berlin", "Asia/Kolkata"} {
		t.Setenv("TZ", zone)
		times, err := CalendarNext(t.Context(), "*-*-* 02:00:00 UTC", 5)
		if err != nil || len(times) != 5 {
			t.Fatalf("in %s: %v, %v", zone, times, err)
		}
		for i, at := range times {
			if at.Hour() != 2 || at.Location() != time.UTC || (i > 0 && at.Sub(times[i-1]) != 24*time.Hour) {
				t.Errorf("in %s: %v", zone, times)
			}
		}
	}
}

func TestCalendarThatIsOverHasNoNextTime(t *testing.T) {
	need.Program(t, "systemd-analyze")
	if times, err := CalendarNext(t.Context(), "2001-01-01", 5); err != nil || len(times) != 0 {
		t.Errorf("%v, %v", times, err)
	}
	if times, err := CalendarNext(t.Context(), "2099-01-01", 1); err != nil || len(times) != 1 {
		t.Errorf("%v, %v", times, err)
	}
}

func TestCalendarThatIsNoneIsAUsageError(t *testing.T) {
	need.Program(t, "systemd-analyze")
	for _, bad := range []string{"", "sometimes", "--help", "daily\nweekly"} {
		if times, err := CalendarNext(t.Context(), bad, 5); fault.CodeOf(err) != fault.Usage {
			t.Errorf("CalendarNext(%q) = %v, %v", bad, times, err)
		}
	}
}

func FuzzParseCalendar(f *testing.F) {
	f.Add("    Next elapse: Tue 2026-11-24 02:00:00 CET\n       (in UTC): Tue 2026-11-24 01:00:00 UTC\n       From now: 16h left\n")
	f.Add("Normalized form: *-*-* 02:00:00 UTC\n    Next elapse: Tue 2026-11-24 02:00:00 UTC\n       Iter. #2: Wed 2026-11-25 02:00:00 UTC\n")
	f.Add("    Next elapse: never\n")
	f.Add("(in UTC): x\nIter. #2: y\n")
	f.Fuzz(func(t *testing.T, out string) {
		times, err := parseCalendar(out)
		for _, at := range times {
			if err == nil && at.IsZero() {
				t.Error("a time that was not read is reported")
			}
		}
	})
}
