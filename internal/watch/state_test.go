package watch

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestIncidentsAreRememberedWhole(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if s.ReadErr != nil || len(s.Incidents) != 0 {
		t.Fatalf("%v, %v", s.Incidents, s.ReadErr)
	}
	want := []Incident{{
		Finding:  Finding{Subject: "sales", Kind: KindRun, Severity: Critical, What: "it\nfailed", Run: &Run{Unit: "u", EndedAt: start}},
		OpenedAt: start, NotifiedAt: start, Openings: 2, Pending: Cleared,
	}}
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if again := open(t, dir); again.ReadErr != nil || !cmp.Equal(again.Incidents, want) {
		t.Errorf("%v\n%s", again.ReadErr, cmp.Diff(want, again.Incidents))
	}
	if left, _ := filepath.Glob(dir + "/.incidents-*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// The file was written by the first release. A host that is upgraded must not send its alerts again.
func TestAFileOfTheFirstReleaseIsStillRead(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/incidents-schema1.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, stateName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	want := []Incident{{
		Finding: Finding{
			Subject: "postgres-backup@sales.service", Kind: KindRun, Severity: Critical,
			What: "access denied", Remedy: "Check the S3 policy.", Cause: "exit-code/77",
			Run: &Run{Unit: "postgres-backup@sales.service", Invocation: "f00d", EndedAt: start},
		},
		OpenedAt: start, NotifiedAt: start.Add(time.Hour), GoneSince: start.Add(2 * time.Hour),
		ClosedAt: start.Add(3 * time.Hour), Openings: 2, Pending: Cleared,
	}}
	s := open(t, dir)
	if s.ReadErr != nil || !cmp.Equal(s.Incidents, want) {
		t.Fatalf("%v\n%s", s.ReadErr, cmp.Diff(want, s.Incidents))
	}
	if err := s.Save(s.Incidents); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil || !cmp.Equal(string(again), string(text)) {
		t.Errorf("%v\n%s", err, cmp.Diff(string(text), string(again)))
	}
}

func TestAMemoryThatCannotBeReadIsAnEmptyOneThatSaysSo(t *testing.T) {
	for _, text := range []string{"", "{", `{"schema":99,"incidents":[]}`, "\x00\x01", `{"schema":1,"incidents":"x"}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, stateName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		if s.ReadErr == nil || len(s.Incidents) != 0 {
			t.Errorf("%q: %v, %v", text, s.Incidents, s.ReadErr)
		}
		if err := s.Save(nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, stateName)); err != nil {
		t.Fatal(err)
	}
	if s := open(t, dir); s.ReadErr == nil {
		t.Error("a link was followed")
	}
}

func TestTwoNeverHoldTheMemoryAtOnce(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenStore(ctx, dir); fault.CodeOf(err) != fault.Temporary {
		t.Errorf("%v", err)
	}
	got := make(chan error, 1)
	go func() {
		second, err := OpenStore(t.Context(), dir)
		if err == nil {
			err = second.Close()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("not locked: %v", err)
	case <-time.After(2 * lockPause):
	}
	_ = first.Close()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"schema":1,"incidents":[{"subject":"a","kind":"timer","severity":"critical","what":"x","openedAt":"2026-11-22T02:47:00Z","openings":9}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		known, err := parseState(raw)
		if err != nil && known != nil {
			t.Fatal("half a memory")
		}
		next, _ := Reconcile(known, []Finding{{Subject: "a", Kind: KindTimer}}, Options{Now: start})
		Reconcile(next, nil, Options{Now: start.Add(time.Hour)})
	})
}

func TestWhatIsOpenIsReadByOperatorsWithoutTheLock(t *testing.T) {
	dir := t.TempDir()
	if open, err := ReadOpen(dir); err != nil || len(open) > 0 {
		t.Errorf("a folder without a memory: %v, %v", open, err)
	}
	s := open(t, dir) // keeps the lock
	one := func(subject string, opened, closed time.Time) Incident {
		return Incident{Finding: Finding{Subject: subject, Kind: KindRun}, OpenedAt: opened, ClosedAt: closed}
	}
	if err := s.Save([]Incident{one("late", start.Add(time.Hour), time.Time{}), one("over", start, start), one("early", start, time.Time{})}); err != nil {
		t.Fatal(err)
	}
	open, err := ReadOpen(dir)
	if err != nil || len(open) != 2 || open[0].Subject != "early" || open[1].Subject != "late" {
		t.Errorf("%v, %v", open, err)
	}
	info, err := os.Stat(filepath.Join(dir, stateName))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v: the group of the operators reads it, and nobody else", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, stateName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if open, err := ReadOpen(dir); err == nil {
		t.Errorf("a damaged memory: %v", open)
	}
}
