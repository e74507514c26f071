package backup

import (
	"strings"
	"testing"
	"time"
)

func TestARestoreTimeIsHeldAgainstItsObjectiveScaledToTodaysSize(t *testing.T) {
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	const gib = 1 << 30
	newest := Set{ID: "new", Kind: KindNative, FinishedAt: now, Manifest: &Manifest{}}
	newest.Manifest.Dump.RawBytes = 4 * gib
	older := Set{ID: "old", Kind: KindNative, FinishedAt: now.AddDate(0, 0, -3), Manifest: &Manifest{}}
	older.Manifest.Dump.RawBytes = gib
	timed := func(s Set, took time.Duration) Set {
		s.Proofs = []Proof{{Level: LevelRestored.String(), OK: true, StartedAt: now.Add(-took), FinishedAt: now}}
		return s
	}
	for name, c := range map[string]struct {
		sets     []Set
		rto      time.Duration
		want     string
		critical bool
	}{
		"no objective, nothing measured":        {sets: []Set{newest, older}},
		"never measured":                        {sets: []Set{newest, older}, rto: time.Hour, want: "is unknown"},
		"the newest itself is fast enough":      {sets: []Set{timed(newest, 30*time.Minute), older}, rto: time.Hour},
		"the newest itself is too slow":         {sets: []Set{timed(newest, 61*time.Minute)}, rto: time.Hour, want: "a restore takes 1h1m0s, as measured on", critical: true},
		"a smaller one was fast enough for now": {sets: []Set{newest, timed(older, 10*time.Minute)}, rto: time.Hour},
		"a smaller one, four times as long": {
			sets: []Set{newest, timed(older, 20*time.Minute)}, rto: time.Hour, want: "takes 1h20m0s, scaled by size", critical: true,
		},
	} {
		h := Assess(c.sets, Whose{Job: "shop"}, Objectives{RPO: 26 * time.Hour, RTO: c.rto}, now)
		switch {
		case c.want == "" && len(h.Problems) > 0:
			t.Errorf("%s: %+v", name, h.Problems)
		case c.want != "" && (len(h.Problems) != 1 || h.Problems[0].Kind != ProblemRTO || h.Problems[0].Critical != c.critical ||
			!strings.Contains(h.Problems[0].What, c.want)):
			t.Errorf("%s: %+v", name, h.Problems)
		}
	}
}
