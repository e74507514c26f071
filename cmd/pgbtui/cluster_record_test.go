package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
)

func TestWhoMayNotLookIsShownWhatWasWrittenDownAndAnOldLookIsNoGoodNews(t *testing.T) {
	now := time.Date(2026, 11, 28, 22, 46, 0, 0, time.UTC)
	refused := fault.New(fault.NotPermitted, "pitr: look at the data directory", "Run it as root.", nil)
	dir := t.TempDir()
	known := func() *knownClusters {
		return &knownClusters{dir: dir, see: func(_ context.Context, c config.Cluster, now time.Time) (jsonCluster, bool, error) {
			said := asFault(refused)
			return jsonCluster{Cluster: c.Name, At: now, Error: &said}, false, refused
		}}
	}
	main := config.Cluster{Name: "main"}
	if _, _, err := known().look(t.Context(), main, now); fault.CodeOf(err) != fault.NotPermitted {
		t.Errorf("where nothing was written down: %v", err)
	}
	good := record.Cluster{
		Cluster: "main", OK: true, At: now.Add(-20 * time.Minute), Summary: "any second from a to b UTC",
		LossSummary: "If this host died now you would lose nothing of main.",
	}
	for age, want := range map[time.Duration]string{20 * time.Minute: "OK  ", 61 * time.Minute: "FAIL", -time.Hour: "FAIL"} {
		good.At = now.Add(-age)
		if err := record.Write(dir, []record.Cluster{good}); err != nil {
			t.Fatal(err)
		}
		state, note, err := known().look(t.Context(), main, now)
		if err != nil || (note == "") != (want == "OK  ") {
			t.Errorf("%s old: %q, %v", age, note, err)
		}
		var out strings.Builder
		sayCluster(&streams{out: &out}, state, now)
		if text := out.String(); !strings.HasPrefix(text, want+" cluster main: any second from a to b UTC\n") ||
			!strings.Contains(text, "as of "+good.At.Format(time.DateTime)+" UTC") {
			t.Errorf("%s old:\n%s", age, text)
		}
		var status jsonStatus
		status.OK = true
		if err := status.addClusters(t.Context(), []config.Cluster{main}, *known(), now); err != nil {
			t.Fatal(err)
		}
		if status.OK != (want == "OK  ") || len(status.Clusters) != 1 {
			t.Errorf("%s old: %+v", age, status)
		}
	}
	var status jsonStatus
	if err := status.addClusters(t.Context(), []config.Cluster{{Name: "other"}}, *known(), now); err != nil ||
		len(status.Clusters) > 0 || len(status.Notes) != 1 {
		t.Errorf("of a cluster that was not looked at: %+v, %v", status, err)
	}
}
