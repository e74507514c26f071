package backup

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// on is a good set of a day.
func on(day string) Set {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return old(epoch.Sub(at).Hours() / 24)
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
		sets   []Set
		want   string // K or D for each set, newest first
	}{
		"nothing":                               {policy, nil, ""},
		"the daily case":                        {policy, []Set{old(0), old(1), old(29.9), old(30), old(30.1), old(31)}, "KKKKDD"},
		"all recent runs failed":                {policy, []Set{old(40), old(50), old(60)}, "KKD"},
		"only one left":                         {policy, []Set{old(400)}, "K"},
		"failed verifications are not good":     {policy, []Set{old(31, proven(LevelReadable, false)), old(32, proven(LevelReadable, false)), old(40), old(50), old(60)}, "KKKKD"},
		"newest proven, of each level":          {policy, []Set{old(0), old(1), old(40, proven(LevelReadable, true)), old(50, proven(LevelRestored, true)), old(60, proven(LevelRestored, true))}, "KKKKD"},
		"restored implies readable":             {policy, []Set{old(0), old(1), old(40, proven(LevelRestored, true)), old(50, proven(LevelReadable, true))}, "KKKD"},
		"unfinished runs":                       {policy, []Set{old(0.5, incomplete), old(0.9), old(1.1, incomplete), old(90, incomplete)}, "KKDD"},
		"a broken set is evidence":              {policy, []Set{old(0), old(1), old(90, broken)}, "KKK"},
		"a broken set is no newest good":        {policy, []Set{old(0, broken), old(40), old(50), old(60)}, "KKKD"},
		"unsigned unasked":                      {policy, []Set{old(0, signed), old(1, signed), old(90, unsigned)}, "KKK"},
		"unsigned asked":                        {unsignedToo, []Set{old(0, signed), old(1, signed), old(20, unsigned), old(90, unsigned)}, "KKKD"},
		"unsigned, and no signed one":           {unsignedToo, []Set{old(0, unsigned), old(60, unsigned), old(90, unsigned)}, "KKK"},
		"unsigned, newer than every signed one": {unsignedToo, []Set{old(60, unsigned), old(61, signed), old(90, unsigned)}, "KKK"},
		"unsigned, the only one proven":         {unsignedToo, []Set{old(0, signed), old(1, signed), old(90, unsigned, proven(LevelRestored, true)), old(91, unsigned)}, "KKKD"},
		"unsigned stands in for no signed one":  {unsignedToo, []Set{old(40, signed), old(50, signed), old(60, unsigned), old(70, unsigned)}, "KKDD"},
		"unsigned counts towards the minimum":   {unsignedToo, []Set{old(40, signed), old(50, unsigned), old(60, unsigned)}, "KKD"},
		"forged is evidence":                    {unsignedToo, []Set{old(0, signed), old(1, signed), old(90, forged)}, "KKK"},
		"legacy unasked":                        {policy, []Set{old(0), old(1), old(90, legacy)}, "KKK"},
		"legacy asked":                          {asked, []Set{old(0), old(1), old(20, legacy), old(90, legacy)}, "KKKD"},
		"legacy asked, nothing else":            {asked, []Set{old(60, legacy), old(70, legacy), old(90, legacy)}, "KKD"},
		"legacy never stands in for native":     {asked, []Set{old(31, legacy), old(32, legacy), old(40), old(50), old(60)}, "KDKKD"},
		"zero days delete nothing":              {Policy{}, []Set{old(0), old(1000), old(2000), old(90, incomplete)}, "KKKD"},
		"negative days delete nothing":          {Policy{Keep: config.Keep{Days: -1, MinGood: -1}}, []Set{old(0), old(1000), old(2000)}, "KKK"},
		"a minimum of none still keeps one":     {Policy{Keep: config.Keep{Days: 1}}, []Set{old(5), old(6)}, "KD"},
		"more days than a duration can hold":    {Policy{Keep: config.Keep{Days: 200_000}}, []Set{old(0), old(1000)}, "KK"},
		"the newest so many":                    {rules(config.Keep{Last: 3}), []Set{old(2), old(3), old(4), old(5)}, "KKKD"},
		"one a day, the newest":                 {rules(config.Keep{Daily: 3}), []Set{old(2), old(2.05), old(3), old(3.05), old(4), old(5)}, "KDKDKD"},
		"days without a set are not counted":    {rules(config.Keep{Daily: 3}), []Set{old(2), old(40), old(90), old(91)}, "KKKD"},
		"weeks begin on Monday":                 {rules(config.Keep{Weekly: 2}), []Set{old(2), old(6.08), old(6.09), old(7), old(13.2)}, "KDKDD"}, // epoch is a Sunday, 02:00
		"a week of two years is one":            {rules(config.Keep{Weekly: 2}), []Set{on("2026-01-04"), on("2025-12-29"), on("2025-12-28")}, "KDK"},
		"months and years, as they were":        {rules(config.Keep{Monthly: 2, Yearly: 2}), []Set{on("2026-11-10"), on("2026-11-01"), on("2026-10-31"), on("2026-09-30"), on("2025-12-31"), on("2025-06-01")}, "KDKDKD"},
		"any rule keeps":                        {rules(config.Keep{Last: 1, Days: 3, Monthly: 12}), []Set{old(2), old(3), old(4), old(30), old(31)}, "KKDKD"},
		"a rule counts what another keeps":      {rules(config.Keep{Last: 2, Daily: 2}), []Set{old(2), old(2.05), old(3), old(4)}, "KKKD"},
		"a broken set fills no day":             {rules(config.Keep{Daily: 2}), []Set{old(2), old(3, broken), old(3.05), old(4)}, "KKKD"},
		"legacy fills no native set's day":      {Policy{Keep: config.Keep{Daily: 2, MinGood: 1}, Reach: Reach{Legacy: true}}, []Set{old(2), old(3, legacy), old(3.05), old(4, legacy), old(5)}, "KDKDD"},
		"held sets stay and are counted":        {rules(config.Keep{Last: 2}), []Set{old(2), old(3, held), old(4), old(90, held)}, "KKDK"},
		"a held set without its manifest":       {policy, []Set{old(0), old(90, incomplete, held)}, "KK"},
		"locked sets stay until the lock ends":  {rules(config.Keep{Last: 1}), []Set{old(2), old(3, locked(time.Hour)), old(4, locked(-time.Hour))}, "KKD"},
		"a set of unknown age":                  {policy, []Set{old(0), old(1), {ID: "x", Kind: KindIncomplete, Instance: "i", Database: "d"}}, "KKK"},
		"hash-only success hides no failure":    {policy, []Set{old(0, proven(LevelStored, true), proven(LevelReadable, false)), old(40), old(50), old(60)}, "KKKD"},
		"a later success answers a failure":     {policy, []Set{old(0, proven(LevelReadable, true), proven(LevelReadable, false)), old(40), old(50), old(60)}, "KKDD"},
		"a database with digits like a date":    {policy, []Set{old(0, func(s *Set) { s.Database = "sales_20200101" })}, "K"},
		"of equal times, the order is settled":  {Policy{Keep: config.Keep{Days: 1, MinGood: 1}}, []Set{old(9), old(9, func(s *Set) { s.ID += "f" })}, "DK"},
		"of many, never below the minimum kept": {Policy{Keep: config.Keep{Days: 1, MinGood: 4}}, []Set{old(2), old(3), old(4), old(5), old(6)}, "KKKKD"},
	} {
		decisions, err := Retain(c.sets, c.policy, epoch)
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
	decisions, err := Retain([]Set{old(2), old(3, held), old(40)}, rules(config.Keep{Last: 1}), epoch)
	if err != nil || decisions[1].Reason != "held by ada on db1 since 2026-11-22T02:00:00Z: audit" {
		t.Errorf("%+v, %v", decisions, err)
	}
}
