package journal

import (
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzWhateverAnEntryHoldsItIsBounded(f *testing.F) {
	f.Add("hello", "3", "1", "a.service", "PGBTUI_RUN_ID", "r1", uint64(5))
	f.Add(strings.Repeat("é", maxMessage), "x", "-1", strings.Repeat("u", 2*maxValue), "_HUGE", strings.Repeat("y", 2*maxFields), ^uint64(0))
	f.Fuzz(func(t *testing.T, message, priority, pid, unit, name, value string, usec uint64) {
		fields := map[string]string{"MESSAGE": message, "PRIORITY": priority, "_PID": pid, "UNIT": unit, name: value}
		e := newEntry("s=1", usec, maps.Clone(fields))
		if e.Cursor != "s=1" || e.Priority < 0 || e.Priority > 7 {
			t.Fatalf("%q became %+v", fields, e)
		}
		if len(e.Message) > maxMessage || e.sizeBytes() > maxMessage+maxFields {
			t.Fatalf("an entry of %d bytes", e.sizeBytes())
		}
		if e.Unit != "" && fields["_PID"] != "1" && e.Unit == unit && fields["_SYSTEMD_UNIT"] != unit {
			t.Fatalf("the unit %q is what process %s claims", e.Unit, pid)
		}
	})
}

func FuzzEntriesAreBoundedAndCutBetweenRunes(f *testing.F) {
	f.Add("é", 3)
	f.Add("\xff\x80\x80\x80\x80", 2)
	f.Fuzz(func(t *testing.T, s string, size int) {
		if size < 0 || size > len(s) {
			return
		}
		var e Entry
		got := e.cut(s, size)
		if len(got) > size || !strings.HasPrefix(s, got) || e.Truncated != (len(s) > size) {
			t.Fatalf("cut(%q, %d) = %q", s, size, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("cut(%q, %d) = %q is no UTF-8", s, size, got)
		}
	})
}
