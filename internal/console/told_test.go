package console

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

func TestWhatIsToldAndOpenReachesTheScreensOldestFirst(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	text, err := json.Marshal(map[string]any{"schema": 1, "incidents": []watch.Incident{
		{Finding: watch.Finding{Subject: "sales", Kind: watch.KindMissed, Severity: watch.Critical, What: "a run was missed", Remedy: "look"}, OpenedAt: at, Pending: watch.Opened},
		{Finding: watch.Finding{Subject: "crm", Kind: watch.KindTimer}, OpenedAt: at.Add(-time.Hour), ClosedAt: at},
		{Finding: watch.Finding{Subject: "crm", Kind: watch.KindRun, What: "it failed", Run: &watch.Run{Invocation: "f00d"}}, OpenedAt: at.Add(-time.Hour)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "incidents.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	source := &told{dir: dir, stateDir: dir, setup: Setup{Config: &config.Config{}}, buckets: &buckets{}}
	open, err := source.Open(t.Context())
	if err != nil || len(open) != 2 || open[0].Subject != "crm" || open[0].Kind != "run" || open[0].Undelivered || open[0].Invocation != "f00d" {
		t.Fatalf("%+v, %v", open, err)
	}
	if i := open[1]; i.Subject != "sales" || !i.Critical || !i.Undelivered || i.Remedy != "look" || !i.OpenedAt.Equal(at) {
		t.Errorf("%+v", i)
	}
}

func TestAWatchThatNeverRanHasToldNothing(t *testing.T) {
	source := &told{dir: filepath.Join(t.TempDir(), "none"), setup: Setup{Config: &config.Config{}}, buckets: &buckets{}}
	if open, err := source.Open(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("%+v, %v", open, err)
	}
}
