package backup

import (
	"math"
	"testing"
	"time"
)

var rtoNight = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// timedSet is a set of a database with proofs; raw is its dump's size.
func timedSet(database string, raw int64, proofs ...Proof) Set {
	return Set{Kind: KindNative, Instance: "prod", Database: database, Manifest: &Manifest{Dump: Object{RawBytes: raw}}, Proofs: proofs}
}

// restoredIn is a proof that ended after so many hours of the night and took so long.
func restoredIn(kind string, hour int, took time.Duration) Proof {
	end := rtoNight.Add(time.Duration(hour) * time.Hour)
	return Proof{Kind: kind, Level: LevelRestored.String(), OK: true, StartedAt: end.Add(-took), FinishedAt: end}
}

func TestARestoreTakesAsLongAsTheNewestProofSays(t *testing.T) {
	const gib = 1 << 30
	failed := restoredIn("drill", 9, time.Hour)
	failed.OK = false
	read := restoredIn("verify", 9, time.Hour)
	read.Level = LevelReadable.String()
	staged := restoredIn("drill", 5, time.Hour)
	staged.Stages = []StageTime{{Stage: "server", Seconds: 3000}, {Stage: StageRestore, Seconds: 500}, {Stage: StageCompare, Seconds: 100}}
	backwards := restoredIn("restore", 6, -time.Hour)
	for name, c := range map[string]struct {
		set    Set
		others []Set
		want   time.Duration
		scaled bool
	}{
		"its own":                          {set: timedSet("shop", gib, restoredIn("restore", 1, 9*time.Minute)), want: 9 * time.Minute},
		"its own newest":                   {set: timedSet("shop", gib, restoredIn("restore", 1, 9*time.Minute), restoredIn("drill", 2, 7*time.Minute)), want: 7 * time.Minute},
		"its own before a newer other's":   {set: timedSet("shop", gib, restoredIn("restore", 1, 9*time.Minute)), others: []Set{timedSet("shop", gib, restoredIn("drill", 4, time.Minute))}, want: 9 * time.Minute},
		"another's, twice as large":        {set: timedSet("shop", 2*gib), others: []Set{timedSet("shop", gib, restoredIn("drill", 1, 9*time.Minute))}, want: 18 * time.Minute, scaled: true},
		"the newest other's":               {set: timedSet("shop", gib), others: []Set{timedSet("shop", gib, restoredIn("drill", 1, time.Minute)), timedSet("shop", gib, restoredIn("drill", 3, 2*time.Minute)), timedSet("shop", gib, restoredIn("drill", 2, 3*time.Minute))}, want: 2 * time.Minute, scaled: true},
		"a size that is not known":         {set: timedSet("shop", 0), others: []Set{timedSet("shop", gib, restoredIn("drill", 1, 9*time.Minute))}, want: 9 * time.Minute},
		"nothing was in it then":           {set: timedSet("shop", gib), others: []Set{timedSet("shop", 0, restoredIn("drill", 1, 9*time.Minute))}, want: 9 * time.Minute},
		"a legacy set":                     {set: Set{Kind: KindLegacy, Instance: "prod", Database: "shop"}, others: []Set{timedSet("shop", gib, restoredIn("drill", 1, 9*time.Minute))}, want: 9 * time.Minute},
		"a drill's own server is not it":   {set: timedSet("shop", gib, staged), want: 10 * time.Minute},
		"failures and readings do not say": {set: timedSet("shop", gib, failed, read, restoredIn("restore", 1, time.Minute)), want: time.Minute},
		"a clock that was set back":        {set: timedSet("shop", gib, backwards, restoredIn("restore", 1, time.Minute)), want: time.Minute},
		"within one second":                {set: timedSet("shop", gib, restoredIn("restore", 1, 0)), want: time.Second},
		"a tiny one, from a huge one":      {set: timedSet("shop", 1), others: []Set{timedSet("shop", math.MaxInt64, restoredIn("drill", 1, time.Hour))}, want: time.Second, scaled: true},
		"a huge one, from a tiny one":      {set: timedSet("shop", math.MaxInt64), others: []Set{timedSet("shop", 1, restoredIn("drill", 1, time.Hour))}, want: math.MaxInt64, scaled: true},
	} {
		t.Run(name, func(t *testing.T) {
			e, ok := RestoreTime(append(c.others, c.set), &c.set)
			if !ok || e.Duration != c.want || e.Scaled != c.scaled || e.From == nil {
				t.Errorf("%+v, %v; want %s, scaled %v", e, ok, c.want, c.scaled)
			}
		})
	}
}

func TestADatabaseThatWasNeverRestoredHasNoRestoreTime(t *testing.T) {
	proof := restoredIn("drill", 1, time.Minute)
	elsewhere := timedSet("shop", 1, proof)
	elsewhere.Instance = "staging"
	failed := proof
	failed.OK = false
	set := timedSet("shop", 1, failed)
	if e, ok := RestoreTime([]Set{set, elsewhere, timedSet("other", 1, proof)}, &set); ok {
		t.Errorf("%+v", e)
	}
	if _, ok := RestoreTime(nil, nil); ok {
		t.Error("nothing takes no time")
	}
}
