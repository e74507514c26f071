package backup

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// old is a good native set of so many days before epoch.
func old(days float64, change ...func(*Set)) Set {
	at := epoch.Add(-time.Duration(days * 24 * float64(time.Hour)))
	s := Set{ID: at.Format(idTime) + "-000000", Kind: KindNative, Instance: "i", Database: "d", FinishedAt: at, Manifest: &Manifest{}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func proven(l Level, ok bool) func(*Set) {
	return func(s *Set) {
		s.Proofs = append(s.Proofs, Proof{Level: l.String(), OK: ok, FinishedAt: s.FinishedAt, Error: "planted"})
	}
}

func incomplete(s *Set) { s.Kind, s.Manifest, s.Problem = KindIncomplete, nil, "no manifest" }
func legacy(s *Set)     { s.Kind, s.Manifest, s.Instance = KindLegacy, nil, "" }
func broken(s *Set)     { s.Problem = "dump is missing" }

func TestRetentionDecides(t *testing.T) {
	policy := Policy{Retention: config.Retention{Days: 30, MinKeep: 2}}
	asked := policy
	asked.Legacy = true
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
		"legacy unasked":                        {policy, []Set{old(0), old(1), old(90, legacy)}, "KKK"},
		"legacy asked":                          {asked, []Set{old(0), old(1), old(20, legacy), old(90, legacy)}, "KKKD"},
		"legacy asked, nothing else":            {asked, []Set{old(60, legacy), old(70, legacy), old(90, legacy)}, "KKD"},
		"legacy never stands in for native":     {asked, []Set{old(31, legacy), old(32, legacy), old(40), old(50), old(60)}, "KDKKD"},
		"zero days delete nothing":              {Policy{}, []Set{old(0), old(1000), old(2000), old(90, incomplete)}, "KKKK"},
		"negative days delete nothing":          {Policy{Retention: config.Retention{Days: -1, MinKeep: -1}}, []Set{old(0), old(1000), old(2000)}, "KKK"},
		"a minimum of none still keeps one":     {Policy{Retention: config.Retention{Days: 1}}, []Set{old(5), old(6)}, "KD"},
		"more days than a duration can hold":    {Policy{Retention: config.Retention{Days: 200_000}}, []Set{old(0), old(1000)}, "KK"},
		"a set of unknown age":                  {policy, []Set{old(0), old(1), {ID: "x", Kind: KindIncomplete, Instance: "i", Database: "d"}}, "KKK"},
		"hash-only success hides no failure":    {policy, []Set{old(0, proven(LevelStored, true), proven(LevelReadable, false)), old(40), old(50), old(60)}, "KKKD"},
		"a later success answers a failure":     {policy, []Set{old(0, proven(LevelReadable, true), proven(LevelReadable, false)), old(40), old(50), old(60)}, "KKDD"},
		"a database with digits like a date":    {policy, []Set{old(0, func(s *Set) { s.Database = "sales_20200101" })}, "K"},
		"of equal times, the order is settled":  {Policy{Retention: config.Retention{Days: 1, MinKeep: 1}}, []Set{old(9), old(9, func(s *Set) { s.ID += "f" })}, "DK"},
		"of many, never below the minimum kept": {Policy{Retention: config.Retention{Days: 1, MinKeep: 4}}, []Set{old(2), old(3), old(4), old(5), old(6)}, "KKKKD"},
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

func TestRetentionRefusesAClockOrASelectionThatCannotBeTrusted(t *testing.T) {
	policy := Policy{Retention: config.Retention{Days: 1}}
	at := func(stored time.Duration) func(*Set) {
		return func(s *Set) { s.StoredAt = s.FinishedAt.Add(stored) }
	}
	for name, c := range map[string]struct {
		sets []Set
		now  time.Time
		want fault.Code
	}{
		"this clock ten years behind":        {[]Set{old(0), old(40)}, epoch.AddDate(-10, 0, 0), fault.Refused},
		"the writer's clock ten years ahead": {[]Set{old(-3650, at(-3650*24*time.Hour)), old(0), old(40)}, epoch.AddDate(10, 0, 0), fault.Refused},
		"a slip of minutes":                  {[]Set{old(-0.02), old(40)}, epoch, fault.OK},
		"a bucket that was copied later":     {[]Set{old(3, at(48*time.Hour)), old(40, at(39*24*time.Hour))}, epoch, fault.OK},
		"two databases":                      {[]Set{old(0), old(1, func(s *Set) { s.Database = "other" })}, epoch, fault.Failed},
		"two instances":                      {[]Set{old(0), old(1, func(s *Set) { s.Instance = "other" })}, epoch, fault.Failed},
	} {
		decisions, err := Retain(c.sets, policy, c.now)
		if fault.CodeOf(err) != c.want || (err != nil) != (decisions == nil) {
			t.Errorf("%s: %v, %d decisions", name, err, len(decisions))
		}
	}
}
