package beside

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

const controldata = `Database system identifier:           7713343196443097315
Database cluster state:               in production
Latest checkpoint's REDO location:    0/700028
Latest checkpoint's TimeLineID:       2
Latest checkpoint's oldestCommitTsXid:0
max_connections setting:              100
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           3
max_locks_per_xact setting:           64
Bytes per WAL segment:                1048576
`

func TestControldataIsReadWholeOrNotAtAll(t *testing.T) {
	got, err := ParseControl([]byte(controldata))
	want := Control{
		SystemID: 7713343196443097315, Timeline: 2, Redo: 0x700028, State: "in production", SegmentBytes: 1 << 20,
		MaxConnections: 100, MaxWorkerProcesses: 8, MaxWALSenders: 10, MaxPreparedTransactions: 3, MaxLocksPerTransaction: 64,
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for line := range strings.Lines(controldata) {
		if strings.HasPrefix(line, "Database cluster") || strings.Contains(line, "oldestCommitTs") {
			continue
		}
		if _, err := ParseControl([]byte(strings.Replace(controldata, line, "", 1))); fault.CodeOf(err) != fault.Integrity {
			t.Errorf("without %q: %v", line, err)
		}
	}
	if _, err := ParseControl([]byte(strings.Replace(controldata, "1048576", "1048577", 1))); err == nil {
		t.Error("a segment of 1048577 bytes is taken")
	}
}

func FuzzControl(f *testing.F) {
	f.Add([]byte(controldata))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := ParseControl(raw); err == nil && (c.SegmentBytes < 1<<20 || c.MaxConnections < 0) {
			t.Errorf("%+v", c)
		}
	})
}

func TestATimeWithoutAZoneIsRefusedWithTheWayToWriteIt(t *testing.T) {
	want := time.Date(2026, 11, 28, 13, 31, 59, 0, time.UTC)
	for _, text := range []string{
		"2026-11-28 14:31:59+01:00", "2026-11-28 13:31:59 UTC", "2026-11-28T13:31:59Z", "2026-11-28 14:31:59 +0100",
		"2026-11-28 14:31:59+01", " 2026-11-28 13:31:59.0000004 UTC",
	} {
		if got, err := ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	_, err := ParseTime("2026-11-28 14:31:59")
	if fault.CodeOf(err) != fault.Usage || !strings.Contains(fault.Remedy(err), `"2026-11-28 14:31:59 UTC"`) {
		t.Errorf("%v; %s", err, fault.Remedy(err))
	}
	if _, err := ParseTime("yesterday"); fault.CodeOf(err) != fault.Usage {
		t.Error(err)
	}
}

func TestATargetIsExactlyOneThing(t *testing.T) {
	at := time.Date(2026, 11, 28, 13, 31, 59, 0, time.UTC)
	for name, target := range map[string]Target{
		"nothing": {}, "two": {Time: at, End: true}, "a long name": {Name: strings.Repeat("x", 64)},
		"a line break": {Name: "a\nb"}, "no transaction": {XID: 2}, "long ago": {Time: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := target.Check(); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, target := range []Target{{Time: at}, {LSN: 1}, {Name: "it's"}, {XID: 700}, {End: true}} {
		if err := target.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestACopysSettingsCannotBeBrokenOutOf(t *testing.T) {
	got := text([]parameter{{"recovery_target_name", `a'b\c`}})
	if got != `recovery_target_name = 'a''b\\c'`+"\n" {
		t.Error(got)
	}
	kept, left := keptLibraries([]string{"pg_stat_statements", "pg_cron", "timescaledb"})
	if strings.Join(kept, " ") != "pg_stat_statements" || strings.Join(left, " ") != "pg_cron timescaledb" {
		t.Errorf("%q, %q", kept, left)
	}
}

func TestSettingsThatWALAsksMoreOfAreReadFromTheLog(t *testing.T) {
	c := &Copy{dir: t.TempDir()}
	log := "WARNING:  hot standby is not possible because of insufficient parameter settings\n" +
		"DETAIL:  max_connections = 20 is a lower setting than on the primary server, where its value was 100.\n"
	if err := os.WriteFile(c.place().log(), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := (Control{MaxConnections: 20, MaxWALSenders: 3}).raise(c.raised()); got.MaxConnections != 100 || got.MaxWALSenders != 3 {
		t.Errorf("%+v", got)
	}
}

// written is a copy with a record, of which nothing else is there.
func written(t *testing.T, dir, id string, change func(*Copy)) *Copy {
	t.Helper()
	c := &Copy{ID: id, Cluster: "main", Phase: Ready, dir: filepath.Join(dir, id), Data: filepath.Join(dir, id), Reached: Reached{LSN: wal.LSN(1)}}
	change(c)
	if err := os.Mkdir(c.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAForgottenCopyIsRemovedAfterItsEndWasTold(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	long := func(left time.Duration, warned bool) func(*Copy) {
		return func(c *Copy) { c.Made, c.Expires, c.Warned = now.Add(-90*time.Hour), now.Add(left), warned }
	}
	written(t, dir, "main-000001", long(48*time.Hour, false))
	written(t, dir, "main-000002", long(23*time.Hour, false))
	written(t, dir, "main-000003", long(-time.Hour, true))
	written(t, dir, "main-000004", long(-time.Hour, false)) // nobody has looked for two days
	written(t, dir, "main-000005", func(c *Copy) { c.Made, c.Expires = now.Add(-3*time.Hour), now.Add(-time.Hour) })
	written(t, dir, "main-000006", func(c *Copy) { c.Phase, c.Expires = Restoring, now.Add(time.Hour) }) // whose maker was killed
	busy := written(t, dir, "main-000007", func(c *Copy) { c.Phase = Restoring })
	release, err := busy.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	swept, err := Sweep(dir, now)
	if err != nil || strings.Join(swept.Removed, " ") != "main-000006 main-000003 main-000005" &&
		len(swept.Removed) != 3 {
		t.Errorf("removed %q, %v", swept.Removed, err)
	}
	if len(swept.Warned) != 2 {
		t.Errorf("told of %d", len(swept.Warned))
	}
	late, err := Find(dir, "main-000004")
	if err != nil || !late.Expires.Equal(now.Add(WarnBefore)) {
		t.Errorf("%+v, %v", late, err)
	}
	if again, _ := Sweep(dir, now); len(again.Removed)+len(again.Warned) != 0 {
		t.Errorf("%+v", again)
	}
	if swept, _ = Sweep(dir, now.Add(25*time.Hour)); len(swept.Removed) != 2 {
		t.Errorf("%+v", swept)
	}
}

func TestARecordOfAnotherPlaceRemovesNothing(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, "main-000001", func(c *Copy) { c.Data = "/var/lib/postgresql/15/main" })
	if copies, problems := Copies(dir); len(copies) != 0 || len(problems) != 1 {
		t.Errorf("%v, %v", copies, problems)
	}
	if _, err := Find(dir, "../main-000001"); fault.CodeOf(err) != fault.Usage {
		t.Error(err)
	}
}
