package journal

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEveryFormOfAValueIsRead(t *testing.T) {
	const head = `{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1795312800000001","__MONOTONIC_TIMESTAMP":"7",`
	for _, c := range []struct{ name, in, want string }{
		{"text", head + `"MESSAGE":"a\u001bb"}`, "a\x1bb"},
		{"bytes", head + `"MESSAGE":[97,255,10]}`, "a\xff\n"},
		{"twice", head + `"MESSAGE":["one","two"]}`, "two"},
		{"twice, once as bytes", head + `"MESSAGE":["one",[116,119]]}`, "tw"},
		{"left out", head + `"MESSAGE":null}`, ""},
		{"nothing", head + `"MESSAGE":[]}`, ""},
		{"no byte", head + `"MESSAGE":[1,300]}`, ""},
		{"a number", head + `"MESSAGE":7}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, ok := parseEntry([]byte(c.in))
			if !ok {
				t.Fatal("no entry")
			}
			want := Entry{Cursor: "s=1;i=2", Time: time.UnixMicro(1795312800000001), Priority: 6, Message: c.want}
			if diff := cmp.Diff(want, e, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Entry{}, "Truncated")); diff != "" {
				t.Error(diff)
			}
			if lost := c.want == ""; e.Truncated != lost {
				t.Errorf("truncated %v", e.Truncated)
			}
		})
	}
}

func TestWhatIsNoEntryIsLeftOut(t *testing.T) {
	for _, line := range []string{
		"", "\n", "-- No entries --", "{}", "[]", "null", `"x"`, `{"__CURSOR":"x"}`,
		`{"__CURSOR":"x","__REALTIME_TIMESTAMP":"-1"}`, `{"__CURSOR":"x","__REALTIME_TIMESTAMP":"1"`,
	} {
		if e, ok := parseEntry([]byte(line)); ok {
			t.Errorf("%q became %+v", line, e)
		}
	}
}

func TestALineBeyondTheLimitIsStillAnEntry(t *testing.T) {
	text := `{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"5","MESSAGE":"` + strings.Repeat("x", maxLine) + "\"}\n" +
		`{"MESSAGE":"\"__CURSOR\":\"forged\"` + strings.Repeat("x", maxLine+12345) + `","__REALTIME_TIMESTAMP":"5","__CURSOR":"s=3"}` + "\n" +
		`{"__CURSOR":"s=2","__REALTIME_TIMESTAMP":"6","MESSAGE":"after"}` + "\n"
	var got []Entry
	stopped, err := eachLine(strings.NewReader(text), func(line []byte) bool {
		if len(line) > maxLine {
			t.Errorf("a line of %d bytes was kept", len(line))
		}
		if e, ok := parseEntry(line); ok {
			got = append(got, e)
		}
		return true
	})
	if stopped || err != nil || len(got) != 3 {
		t.Fatalf("stopped %v, error %v, %d entries", stopped, err, len(got))
	}
	for i, cursor := range []string{"s=1", "s=3"} {
		if got[i].Cursor != cursor || !got[i].Truncated || got[i].Priority != 4 {
			t.Errorf("entry %d has cursor %s, priority %d, truncated %v", i, got[i].Cursor, got[i].Priority, got[i].Truncated)
		}
	}
	if got[2].Message != "after" {
		t.Errorf("got %+v", got)
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"5","MESSAGE":[1,2],"PRIORITY":"3","_PID":"1","UNIT":"a"}`))
	f.Add([]byte(`{"__CURSOR":"s","__REALTIME_TIMESTAMP":"18446744073709551615","A":[["x"],null,[255]]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, ok := parseEntry(line)
		if !ok {
			return
		}
		if e.Cursor == "" || e.Priority < 0 || e.Priority > 7 {
			t.Fatalf("%q became %+v", line, e)
		}
		if len(e.Message) > maxMessage || e.sizeBytes() > maxMessage+maxFields {
			t.Fatalf("an entry of %d bytes", e.sizeBytes())
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
