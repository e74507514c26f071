package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/event"
)

const backupUnit = "postgres-backup@orders.service"

// sample has two instances, systemd's word about them, another unit, and forgeries.
func sample() []record {
	return []record{
		about(backupUnit, "Starting", "INVOCATION_ID="+invocation),
		from(backupUnit, "started", "MESSAGE_ID="+event.MessageID(event.BackupStarted), "PGBTUI_EVENT=backup-started", "PGBTUI_RUN_ID=r1", "_SYSTEMD_INVOCATION_ID="+invocation, "PRIORITY=5"),
		from("ssh.service", "login"),
		from(`postgres-backup@a\x2db.service`, "other", "PGBTUI_RUN_ID=r2"),
		from("session-3.scope", "forged unit", "UNIT="+backupUnit, "INVOCATION_ID="+invocation, "PGBTUI_RUN_ID=r1"),
		from("session-3.scope", "forged run", "PGBTUI_RUN_ID=r1", "PGBTUI_EVENT=backup-committed", "MESSAGE_ID="+event.MessageID(event.BackupCommitted)),
		from("session-3.scope", "forged object", "OBJECT_SYSTEMD_UNIT="+backupUnit, "SYSLOG_IDENTIFIER=pgbtui", "COREDUMP_UNIT="+backupUnit),
		from(backupUnit, "evil \x1b[2J\nsecond \xff line", "PGBTUI_RUN_ID=r1", "_SYSTEMD_INVOCATION_ID="+invocation, "PRIORITY=3"),
		about(backupUnit, "Failed", "INVOCATION_ID="+invocation, "PRIORITY=4"),
		from(backupUnit, "next run", "PGBTUI_RUN_ID=r3"),
	}
}

func TestAQuerySelectsWhatJournaldVouchesFor(t *testing.T) {
	dir := journalOf(t, sample()...)
	const evil = "evil \x1b[2J\nsecond \xff line"
	for _, c := range []struct {
		name string
		q    Query
		want []string
	}{
		{"unit", Query{Units: []string{backupUnit}}, []string{"Starting", "started", evil, "Failed", "next run"}},
		{"glob", Query{Units: []string{"postgres-backup@*.service"}}, []string{"Starting", "started", "other", evil, "Failed", "next run"}},
		{"escaped glob", Query{Units: []string{`postgres-backup@a\x2d*`}}, []string{"other"}},
		{"a glob of nothing is nothing", Query{Units: []string{"nobody-*.service"}}, []string{}},
		{"a unit of nothing", Query{Units: []string{"nobody.service"}}, []string{}},
		{"several", Query{Units: []string{"ssh.service", `postgres-backup@a\x2db.service`}}, []string{"login", "other"}},
		{"run", Query{Units: []string{"postgres-backup@*"}, RunID: "r1"}, []string{"started", evil}},
		{"invocation of a unit", Query{Units: []string{backupUnit}, InvocationID: invocation}, []string{"Starting", "started", evil, "Failed"}},
		{"invocation alone", Query{InvocationID: invocation}, []string{"Starting", "started", evil, "Failed"}},
		{"run of an invocation", Query{InvocationID: invocation, RunID: "r1"}, []string{"started", evil}},
		{"priority", Query{Units: []string{backupUnit}, MaxPriority: 4}, []string{evil, "Failed"}},
		{"kinds", Query{Units: []string{"postgres-backup@*"}, MessageIDs: []string{event.MessageID(event.BackupStarted), event.MessageID(event.RunEnded)}}, []string{"started"}},
		{"since", Query{Units: []string{backupUnit}, Since: epoch.Add(8 * time.Second)}, []string{"Failed", "next run"}},
		{"until", Query{Units: []string{backupUnit}, Until: epoch.Add(1 * time.Second)}, []string{"Starting", "started"}},
		{"between", Query{Units: []string{backupUnit}, Since: epoch.Add(1 * time.Second), Until: epoch.Add(8 * time.Second)}, []string{"started", evil, "Failed"}},
		{"search", Query{Units: []string{backupUnit}, Search: "START"}, []string{"Starting", "started"}},
		{"a match is no option", Query{Units: []string{"--vacuum-time=1s", "+", "/etc/passwd"}}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := openDir(t, dir)
			for _, direction := range []Direction{Older, Newer} {
				page, err := r.Page(t.Context(), c.q, Position{Direction: direction})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, messages(page.Entries)); diff != "" || page.More {
					t.Errorf("direction %d, more %v: %s", direction, page.More, diff)
				}
			}
		})
	}
}

func TestAnEntryIsReadWhole(t *testing.T) {
	dir := journalOf(t, sample()...)
	page, err := openDir(t, dir).Page(t.Context(), Query{Units: []string{backupUnit}}, Position{Direction: Newer, Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	got := page.Entries
	for i := range got {
		if got[i].Cursor == "" || len(got[i].Fields) == 0 {
			t.Errorf("entry %d has no cursor or fields", i)
		}
		got[i].Cursor = ""
		delete(got[i].Fields, "_SOURCE_REALTIME_TIMESTAMP")
	}
	want := []Entry{
		{Time: epoch, Priority: 6, Unit: backupUnit, Message: "Starting", InvocationID: invocation, PID: 1, Fields: map[string]string{
			"_BOOT_ID": bootID, "_SYSTEMD_UNIT": "init.scope", "UNIT": backupUnit, "_PID": "1", "PRIORITY": "6", "INVOCATION_ID": invocation,
		}},
		{Time: epoch.Add(time.Second), Priority: 5, Unit: backupUnit, Message: "started", MessageID: event.MessageID(event.BackupStarted), Event: event.BackupStarted, RunID: "r1", InvocationID: invocation, PID: 4711, Fields: map[string]string{
			"_BOOT_ID": bootID, "_SYSTEMD_UNIT": backupUnit, "_PID": "4711", "PRIORITY": "5", "_SYSTEMD_INVOCATION_ID": invocation,
			"MESSAGE_ID": event.MessageID(event.BackupStarted), "PGBTUI_EVENT": "backup-started", "PGBTUI_RUN_ID": "r1",
		}},
		{Time: epoch.Add(7 * time.Second), Priority: 3, Unit: backupUnit, Message: "evil \x1b[2J\nsecond \xff line", RunID: "r1", InvocationID: invocation, PID: 4711, Fields: map[string]string{
			"_BOOT_ID": bootID, "_SYSTEMD_UNIT": backupUnit, "_PID": "4711", "PRIORITY": "3", "_SYSTEMD_INVOCATION_ID": invocation, "PGBTUI_RUN_ID": "r1",
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPagesMeetWithoutGapOrOverlap(t *testing.T) {
	var records []record
	for i := range 25 {
		records = append(records, from(backupUnit, fmt.Sprint(i)), from("noise.service", "noise"))
	}
	dir := journalOf(t, records...)
	want := []string{}
	for i := range 25 {
		want = append(want, fmt.Sprint(i))
	}
	r := openDir(t, dir)
	for _, direction := range []Direction{Older, Newer} {
		var got []string
		at := Position{Direction: direction, Limit: 7}
		for range 5 {
			page, err := r.Page(t.Context(), Query{Units: []string{backupUnit}}, at)
			if err != nil {
				t.Fatal(err)
			}
			if direction == Older {
				got = append(messages(page.Entries), got...)
			} else {
				got = append(got, messages(page.Entries)...)
			}
			at.Cursor = page.Next
			if !page.More {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("direction %d: %s", direction, diff)
		}
	}
}

func TestACursorOfAnotherQueryIsAPlaceToStart(t *testing.T) {
	dir := journalOf(t, sample()...)
	r := openDir(t, dir)
	other, err := r.Page(t.Context(), Query{Units: []string{"ssh.service"}}, Position{})
	if err != nil {
		t.Fatal(err)
	}
	for direction, want := range map[Direction][]string{Older: {"Starting", "started"}, Newer: {"evil \x1b[2J\nsecond \xff line", "Failed", "next run"}} {
		page, err := r.Page(t.Context(), Query{Units: []string{backupUnit}}, Position{Cursor: other.Next, Direction: direction})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, messages(page.Entries)); diff != "" {
			t.Errorf("direction %d: %s", direction, diff)
		}
	}
}

func TestAHostileEntryIsBounded(t *testing.T) {
	r := from(backupUnit, strings.Repeat("é", 3<<20), "PGBTUI_HUGE="+strings.Repeat("x", 1<<20), "PGBTUI_RUN_ID="+strings.Repeat("r", 1<<20))
	for i := range 200 {
		r[fmt.Sprintf("A%d", i)] = strings.Repeat("y", 1000)
	}
	dir := journalOf(t, r, from(backupUnit, "after"))
	page, err := openDir(t, dir).Page(t.Context(), Query{Units: []string{backupUnit}}, Position{})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != 2 || page.Entries[1].Message != "after" {
		t.Fatalf("got %d entries", len(page.Entries))
	}
	e := page.Entries[0]
	if e.Message != strings.Repeat("é", maxMessage/2) || !e.Truncated || e.sizeBytes() > maxMessage+maxFields || len(e.RunID) > maxValue {
		t.Errorf("message %d bytes, all %d bytes, run id %d, truncated %v", len(e.Message), e.sizeBytes(), len(e.RunID), e.Truncated)
	}
	if e.Fields["_SYSTEMD_UNIT"] != backupUnit || e.Unit != backupUnit {
		t.Error("journald's own fields were pushed out")
	}
	if page.Entries[1].Truncated {
		t.Error("a small entry is called truncated")
	}
}

func TestAPageOfALargeJournalIsOnlyThatPage(t *testing.T) {
	const total = 100_000
	w := newWriter(t)
	for i := 0; i < total; i += 1000 {
		records := make([]record, 1000)
		for k := range records {
			records[k] = from(backupUnit, fmt.Sprintf("message %d", i+k), "PGBTUI_RUN_ID=r"+fmt.Sprint((i+k)/100))
		}
		w.append(t, records...)
	}
	w.close(t)
	r := openDir(t, w.dir)
	counted := &counting{source: r.source}
	r.source = counted
	q := Query{Units: []string{"postgres-backup@*.service"}}
	last, err := r.Page(t.Context(), q, Position{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	checkRange(t, last, total-200, 200)
	before, err := r.Page(t.Context(), q, Position{Cursor: last.Next, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	checkRange(t, before, total-400, 200)
	again, err := r.Page(t.Context(), q, Position{Cursor: before.Entries[199].Cursor, Direction: Newer, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	checkRange(t, again, total-200, 200)
	q.RunID = "r500"
	run, err := r.Page(t.Context(), q, Position{})
	if err != nil {
		t.Fatal(err)
	}
	checkRange(t, run, 50_000, 100)
	if counted.visited != 700 {
		t.Errorf("700 entries took %d", counted.visited)
	}
	q = Query{Units: []string{backupUnit}, Search: "no such text"}
	none, err := r.Page(t.Context(), q, Position{})
	if err != nil {
		t.Fatal(err)
	}
	if len(none.Entries) != 0 || !none.More || counted.visited != 700+maxSearched {
		t.Errorf("a search that finds nothing: %d entries, more %v, %d looked at", len(none.Entries), none.More, counted.visited-700)
	}
}

// counting counts the entries a source hands out.
type counting struct {
	source
	visited int
}

func (c *counting) scan(ctx context.Context, s scan, visit func(Entry) bool) error {
	return c.source.scan(ctx, s, func(e Entry) bool {
		c.visited++
		return visit(e)
	})
}

func checkRange(t *testing.T, page Page, first, n int) {
	t.Helper()
	if len(page.Entries) != n {
		t.Fatalf("%d entries, want %d", len(page.Entries), n)
	}
	for i, e := range page.Entries {
		if want := fmt.Sprintf("message %d", first+i); e.Message != want {
			t.Fatalf("entry %d is %q, want %q", i, e.Message, want)
		}
	}
}

func TestWhatCannotBeAskedIsAnError(t *testing.T) {
	dir := journalOf(t, sample()...)
	r := openDir(t, dir)
	if _, err := r.Page(t.Context(), Query{RunID: "r1"}, Position{}); !errors.Is(err, ErrNoSubject) {
		t.Errorf("a run id alone, which anybody can forge: %v", err)
	}
	if _, err := r.Page(t.Context(), Query{Units: []string{backupUnit}}, Position{Cursor: "no cursor"}); err == nil {
		t.Error("no cursor was taken for one")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Page(ctx, Query{Units: []string{backupUnit}}, Position{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled page: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Page(t.Context(), Query{Units: []string{backupUnit}}, Position{}); err == nil {
		t.Error("a closed reader read")
	}
}

func TestAPageSeesWhatWasWrittenAfterOpening(t *testing.T) {
	w := newWriter(t)
	w.append(t, from(backupUnit, "one"))
	r := openWritten(t, w)
	n := w.n
	w.append(t, from(backupUnit, "more"))
	for {
		page, err := r.Page(t.Context(), Query{Units: []string{backupUnit}}, Position{})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) == n+1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
