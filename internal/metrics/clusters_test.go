package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
)

func TestAClusterHasSamplesOfWhatIsKnownOfItAndNoOthers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	loss := int64(12)
	seen := record.Cluster{
		Cluster: "main", At: now.Add(-time.Minute), RPOSeconds: 600, Loss: &loss, Ready: 2,
		Windows: []record.Window{{After: now.Add(-9 * time.Hour), Until: now.Add(-8 * time.Hour)}, {After: now.Add(-7 * time.Hour), Until: now}},
		Gaps:    []record.Gap{{}},
		Backups: []record.BaseBackup{
			{Kind: "full", StoppedAt: now.Add(-9 * time.Hour), Bytes: 1, StoredBytes: 1, Usable: true},
			{Kind: "full", StoppedAt: now.Add(-7 * time.Hour), Bytes: 30, StoredBytes: 10, Usable: true},
			{Kind: "full", StoppedAt: now.Add(-time.Hour), Bytes: 40, StoredBytes: 20}, // its files are gone
		},
	}
	text := func(seen *record.Cluster) string {
		var lines []string
		for line := range strings.Lines(string(encode(Cluster("db1", "main", seen, now)))) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.ReplaceAll(line, `backup_instance="db1",cluster="main"`, "…"))
			}
		}
		return strings.Join(lines, "")
	}
	known := `pgbtui_cluster_info{…} 1
pgbtui_cluster_looked_timestamp_seconds{…} 1799999940
pgbtui_cluster_rpo_seconds{…} 600
pgbtui_cluster_window_start_timestamp_seconds{…} 1799974800
pgbtui_cluster_window_end_timestamp_seconds{…} 1800000000
pgbtui_cluster_gaps{…} 1
pgbtui_cluster_loss_seconds{…} 12
pgbtui_cluster_ready_segments{…} 2
pgbtui_cluster_base_backup_timestamp_seconds{…,kind="full"} 1799974800
pgbtui_cluster_base_backup_bytes{…,kind="full"} 30
pgbtui_cluster_base_backup_stored_bytes{…,kind="full"} 10
`
	if diff := cmp.Diff(known, text(&seen)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("pgbtui_cluster_info{…} 1\n", text(nil)); diff != "" {
		t.Error(diff)
	}
	old := seen
	old.At = now.Add(-2 * time.Hour)
	if got := text(&old); strings.Contains(got, "loss") || strings.Contains(got, "ready") || !strings.Contains(got, "window_end") {
		t.Errorf("of an old look:\n%s", got)
	}
	failed := seen
	failed.Error = &record.Error{Code: 77}
	if got := text(&failed); strings.Count(got, "\n") != 3 {
		t.Errorf("of a failed look:\n%s", got)
	}
}

func TestCloudWatchIsToldWhatWouldBeLostAndHowOldBaseBackupsAre(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	loss := int64(12)
	seen := &record.Cluster{
		Cluster: "main", At: now, Loss: &loss,
		Backups: []record.BaseBackup{{Kind: "diff", StoppedAt: now.Add(-time.Hour), Usable: true}},
	}
	c := CloudWatch{Host: "db1", Now: func() time.Time { return now }}
	got := map[string]float64{}
	for _, d := range c.data([]Group{{Part: PartHost, Samples: Cluster("db1", "main", seen, now)}}) {
		name := *d.MetricName
		for _, dimension := range d.Dimensions {
			name += " " + *dimension.Name + "=" + *dimension.Value
		}
		got[name] = *d.Value
	}
	want := map[string]float64{
		"Problems Instance=db1": 0, "ClusterLoss Instance=db1 Cluster=main": 12,
		"BaseBackupAge Instance=db1 Cluster=main Kind=diff": 3600,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
