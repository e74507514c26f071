package metrics

import (
	"errors"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestACopyThatCannotBeReadHasNoSampleAndAnEmptyOneHasZero(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	set := backup.Set{ID: "a", Kind: backup.KindNative, Job: "shop", FinishedAt: at, Manifest: &backup.Manifest{}}
	bad := set
	bad.Problem = "dump.pgc.zst is missing"
	samples := Copies(Who{Job: "shop", Database: "shop", Instance: "db1"}, backup.Whose{Job: "shop"}, []*backup.AtCopy{
		{Name: "whole", Sets: []backup.Set{set, bad}}, {Name: "empty"}, {Name: "down", Err: errors.New("no route")},
	})
	got := map[string]float64{}
	for _, s := range samples {
		got[s.Metric+" "+s.Labels[len(s.Labels)-1].Value] = s.Value
	}
	want := map[string]float64{copySets + " whole": 1, copyNewest + " whole": 1_800_000_000, copySets + " empty": 0}
	if len(got) != len(want) || len(samples) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
}
