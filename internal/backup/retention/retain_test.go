package retention

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// on is a good set of a day.
func on(day string) backup.Set {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return backuptest.Old(backuptest.Epoch.Sub(at).Hours() / 24)
}

// rules is a policy of these, and of nothing that stays without them but the newest.
func rules(k config.Keep) Policy {
	k.MinGood = 1
	return Policy{Keep: k}
}

func TestRetentionDecides(t *testing.T) {
	policy := Policy{Keep: config.Keep{Days: 30, MinGood: 2}}
	asked := policy
	asked.Legacy = true
	unsignedToo := policy
	unsignedToo.Unsigned = true
	for name, c := range map[string]struct {
		policy Policy
		sets   []backup.Set
		want   string // K or D for each set, newest first
	}{
		"nothing":                               {policy, nil, ""},
		"the daily case":                        {policy, []backup.Set{backuptest.Old(0), backuptest.Old(1), backuptest.Old(29.9), backuptest.Old(30), backuptest.Old(30.1), backuptest.Old(31)}, "KKKKDD"},
		"all recent runs failed":                {policy, []backup.Set{backuptest.Old(40), backuptest.Old(50), backuptest.Old(60)}, "KKD"},
		"only one left":                         {policy, []backup.Set{backuptest.Old(400)}, "K"},
		"failed verifications are not good":     {policy, []backup.Set{backuptest.Old(31, backuptest.Proven(backup.LevelReadable, false)), backuptest.Old(32, backuptest.Proven(backup.LevelReadable, false)), backuptest.Old(40), backuptest.Old(50), backuptest.Old(60)}, "KKKKD"},
		"newest proven, of each level":          {policy, []backup.Set{backuptest.Old(0), backuptest.Old(1), backuptest.Old(40, backuptest.Proven(backup.LevelReadable, true)), backuptest.Old(50, backuptest.Proven(backup.LevelRestored, true)), backuptest.Old(60, backuptest.Proven(backup.LevelRestored, true))}, "KKKKD"},
		"restored implies readable":             {policy, []backup.Set{backuptest.Old(0), backuptest.Old(1), backuptest.Old(40, backuptest.Proven(backup.LevelRestored, true)), backuptest.Old(50, backuptest.Proven(backup.LevelReadable, true))}, "KKKD"},
		"unfinished runs":                       {policy, []backup.Set{backuptest.Old(0.5, backuptest.Incomplete), backuptest.Old(0.9), backuptest.Old(1.1, backuptest.Incomplete), backuptest.Old(90, backuptest.Incomplete)}, "KKDD"},
		"a broken set is evidence":              {policy, []backup.Set{backuptest.Old(0), backuptest.Old(1), backuptest.Old(90, backuptest.Broken)}, "KKK"},
		"a broken set is no newest good":        {policy, []backup.Set{backuptest.Old(0, backuptest.Broken), backuptest.Old(40), backuptest.Old(50), backuptest.Old(60)}, "KKKD"},
		"unsigned unasked":                      {policy, []backup.Set{backuptest.Old(0, backuptest.Signed), backuptest.Old(1, backuptest.Signed), backuptest.Old(90, backuptest.Unsigned)}, "KKK"},
		"unsigned asked":                        {unsignedToo, []backup.Set{backuptest.Old(0, backuptest.Signed), backuptest.Old(1, backuptest.Signed), backuptest.Old(20, backuptest.Unsigned), backuptest.Old(90, backuptest.Unsigned)}, "KKKD"},
		"unsigned, and no signed one":           {unsignedToo, []backup.Set{backuptest.Old(0, backuptest.Unsigned), backuptest.Old(60, backuptest.Unsigned), backuptest.Old(90, backuptest.Unsigned)}, "KKK"},
		"unsigned, newer than every signed one": {unsignedToo, []backup.Set{backuptest.Old(60, backuptest.Unsigned), backuptest.Old(61, backuptest.Signed), backuptest.Old(90, backuptest.Unsigned)}, "KKK"},
		"unsigned, the only one proven":         {unsignedToo, []backup.Set{backuptest.Old(0, backuptest.Signed), backuptest.Old(1, backuptest.Signed), backuptest.Old(90, backuptest.Unsigned, backuptest.Proven(backup.LevelRestored, true)), backuptest.Old(91, backuptest.Unsigned)}, "KKKD"},
		"unsigned stands in for no signed one":  {unsignedToo, []backup.Set{backuptest.Old(40, backuptest.Signed), backuptest.Old(50, backuptest.Signed), backuptest.Old(60, backuptest.Unsigned), backuptest.Old(70, backuptest.Unsigned)}, "KKDD"},
		"unsigned counts towards the minimum":   {unsignedToo, []backup.Set{backuptest.Old(40, backuptest.Signed), backuptest.Old(50, backuptest.Unsigned), backuptest.Old(60, backuptest.Unsigned)}, "KKD"},
		"forged is evidence":                    {unsignedToo, []backup.Set{backuptest.Old(0, backuptest.Signed), backuptest.Old(1, backuptest.Signed), backuptest.Old(90, backuptest.Forged)}, "KKK"},
		"legacy unasked":                        {policy, []backup.Set{backuptest.Old(0), backuptest.Old(1), backuptest.Old(90, backuptest.Legacy)}, "KKK"},
		"legacy asked":                          {asked, []backup.Set{backuptest.Old(0), backuptest.Old(1), backuptest.Old(20, backuptest.Legacy), backuptest.Old(90, backuptest.Legacy)}, "KKKD"},
		"legacy asked, nothing else":            {asked, []backup.Set{backuptest.Old(60, backuptest.Legacy), backuptest.Old(70, backuptest.Legacy), backuptest.Old(90, backuptest.Legacy)}, "KKD"},
		"legacy never stands in for native":     {asked, []backup.Set{backuptest.Old(31, backuptest.Legacy), backuptest.Old(32, backuptest.Legacy), backuptest.Old(40), backuptest.Old(50), backuptest.Old(60)}, "KDKKD"},
		"zero days delete nothing":              {Policy{}, []backup.Set{backuptest.Old(0), backuptest.Old(1000), backuptest.Old(2000), backuptest.Old(90, backuptest.Incomplete)}, "KKKD"},
		"negative days delete nothing":          {Policy{Keep: config.Keep{Days: -1, MinGood: -1}}, []backup.Set{backuptest.Old(0), backuptest.Old(1000), backuptest.Old(2000)}, "KKK"},
		"a minimum of none still keeps one":     {Policy{Keep: config.Keep{Days: 1}}, []backup.Set{backuptest.Old(5), backuptest.Old(6)}, "KD"},
		"more days than a duration can hold":    {Policy{Keep: config.Keep{Days: 200_000}}, []backup.Set{backuptest.Old(0), backuptest.Old(1000)}, "KK"},
		"the newest so many":                    {rules(config.Keep{Last: 3}), []backup.Set{backuptest.Old(2), backuptest.Old(3), backuptest.Old(4), backuptest.Old(5)}, "KKKD"},
		"one a day, the newest":                 {rules(config.Keep{Daily: 3}), []backup.Set{backuptest.Old(2), backuptest.Old(2.05), backuptest.Old(3), backuptest.Old(3.05), backuptest.Old(4), backuptest.Old(5)}, "KDKDKD"},
		"days without a set are not counted":    {rules(config.Keep{Daily: 3}), []backup.Set{backuptest.Old(2), backuptest.Old(40), backuptest.Old(90), backuptest.Old(91)}, "KKKD"},
		"weeks begin on Monday":                 {rules(config.Keep{Weekly: 2}), []backup.Set{backuptest.Old(2), backuptest.Old(6.08), backuptest.Old(6.09), backuptest.Old(7), backuptest.Old(13.2)}, "KDKDD"}, // epoch is a Sunday, 02:00
		"a week of two years is one":            {rules(config.Keep{Weekly: 2}), []backup.Set{on("2026-01-04"), on("2025-12-29"), on("2025-12-28")}, "KDK"},
		"months and years, as they were":        {rules(config.Keep{Monthly: 2, Yearly: 2}), []backup.Set{on("2026-11-10"), on("2026-11-01"), on("2026-10-31"), on("2026-09-30"), on("2025-12-31"), on("2025-06-01")}, "KDKDKD"},
		"any rule keeps":                        {rules(config.Keep{Last: 1, Days: 3, Monthly: 12}), []backup.Set{backuptest.Old(2), backuptest.Old(3), backuptest.Old(4), backuptest.Old(30), backuptest.Old(31)}, "KKDKD"},
		"a rule counts what another keeps":      {rules(config.Keep{Last: 2, Daily: 2}), []backup.Set{backuptest.Old(2), backuptest.Old(2.05), backuptest.Old(3), backuptest.Old(4)}, "KKKD"},
		"a broken set fills no day":             {rules(config.Keep{Daily: 2}), []backup.Set{backuptest.Old(2), backuptest.Old(3, backuptest.Broken), backuptest.Old(3.05), backuptest.Old(4)}, "KKKD"},
		"legacy fills no native set's day":      {Policy{Keep: config.Keep{Daily: 2, MinGood: 1}, Reach: Reach{Legacy: true}}, []backup.Set{backuptest.Old(2), backuptest.Old(3, backuptest.Legacy), backuptest.Old(3.05), backuptest.Old(4, backuptest.Legacy), backuptest.Old(5)}, "KDKDD"},
		"held sets stay and are counted":        {rules(config.Keep{Last: 2}), []backup.Set{backuptest.Old(2), backuptest.Old(3, backuptest.Held), backuptest.Old(4), backuptest.Old(90, backuptest.Held)}, "KKDK"},
		"a held set without its manifest":       {policy, []backup.Set{backuptest.Old(0), backuptest.Old(90, backuptest.Incomplete, backuptest.Held)}, "KK"},
		"locked sets stay until the lock ends":  {rules(config.Keep{Last: 1}), []backup.Set{backuptest.Old(2), backuptest.Old(3, backuptest.Locked(time.Hour)), backuptest.Old(4, backuptest.Locked(-time.Hour))}, "KKD"},
		"a set of unknown age":                  {policy, []backup.Set{backuptest.Old(0), backuptest.Old(1), {ID: "x", Kind: backup.KindIncomplete, Instance: "i", Database: "d"}}, "KKK"},
		"hash-only success hides no failure":    {policy, []backup.Set{backuptest.Old(0, backuptest.Proven(backup.LevelStored, true), backuptest.Proven(backup.LevelReadable, false)), backuptest.Old(40), backuptest.Old(50), backuptest.Old(60)}, "KKKD"},
		"a later success answers a failure":     {policy, []backup.Set{backuptest.Old(0, backuptest.Proven(backup.LevelReadable, true), backuptest.Proven(backup.LevelReadable, false)), backuptest.Old(40), backuptest.Old(50), backuptest.Old(60)}, "KKDD"},
		"a database with digits like a date":    {policy, []backup.Set{backuptest.Old(0, func(s *backup.Set) { s.Database = "sales_20200101" })}, "K"},
		"of equal times, the order is settled":  {Policy{Keep: config.Keep{Days: 1, MinGood: 1}}, []backup.Set{backuptest.Old(9), backuptest.Old(9, func(s *backup.Set) { s.ID += "f" })}, "DK"},
		"of many, never below the minimum kept": {Policy{Keep: config.Keep{Days: 1, MinGood: 4}}, []backup.Set{backuptest.Old(2), backuptest.Old(3), backuptest.Old(4), backuptest.Old(5), backuptest.Old(6)}, "KKKKD"},
	} {
		decisions, err := Decide(c.sets, c.policy, backuptest.Epoch)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := strings.Repeat(" ", len(c.sets))
		for _, d := range decisions {
			for i, s := range c.sets {
				if s.ID == d.Set.ID {
					letter := "K"
					if d.Delete {
						letter = "D"
					}
					got = got[:i] + letter + got[i+1:]
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, got, c.want, decisions)
		}
	}
}

func TestTheReasonOfAHeldSetSaysWhoAndWhy(t *testing.T) {
	decisions, err := Decide([]backup.Set{backuptest.Old(2), backuptest.Old(3, backuptest.Held), backuptest.Old(40)}, rules(config.Keep{Last: 1}), backuptest.Epoch)
	if err != nil || decisions[1].Reason != "held by ada on db1 since 2026-11-22T02:00:00Z: audit" {
		t.Errorf("%+v, %v", decisions, err)
	}
}
