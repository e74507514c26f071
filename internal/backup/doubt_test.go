package backup

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestRetentionRefusesASelectionOfSeveralDatabases(t *testing.T) {
	for _, change := range []func(*Set){func(s *Set) { s.Database = "other" }, func(s *Set) { s.Instance = "other" }} {
		decisions, err := Retain([]Set{old(0), old(1, change)}, rules(config.Keep{Days: 1}), epoch)
		if fault.CodeOf(err) != fault.Failed || decisions != nil {
			t.Errorf("%v, %+v", err, decisions)
		}
	}
}

func TestAClockThatCannotBeTrustedIsADoubt(t *testing.T) {
	stored := func(after time.Duration) func(*Set) {
		return func(s *Set) { s.StoredAt = s.FinishedAt.Add(after) }
	}
	const year = 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		sets        []Set
		host, store time.Duration // after epoch
		want        string
	}{
		"both right":                         {[]Set{old(0), old(40)}, 0, 0, ""},
		"no sets":                            {nil, 0, 0, ""},
		"a slip within the bound":            {[]Set{old(0), old(40)}, 14 * time.Minute, 0, ""},
		"a slip beyond the bound":            {[]Set{old(0), old(40)}, 16 * time.Minute, 0, "16m ahead of the store's"},
		"this host ten years ahead":          {[]Set{old(0), old(40)}, 10 * year, 0, "3650 days ahead of the store's"},
		"this host ten years behind":         {[]Set{old(0), old(40)}, -10 * year, 0, "3650 days behind the store's"},
		"no sets, and the host is wrong":     {nil, 10 * year, 0, "ahead of the store's"},
		"both ten years behind":              {[]Set{old(0), old(40)}, -10 * year, -10 * year, "finished 3650 days in the future"},
		"the writer's clock years ahead":     {[]Set{old(-3650, stored(-3650*24*time.Hour)), old(0)}, 10 * year, 10 * year, "the clock that wrote it is wrong"},
		"a writer half an hour ahead":        {[]Set{old(-0.02), old(40)}, 0, 0, ""},
		"a bucket that was copied later":     {[]Set{old(3, stored(48*time.Hour)), old(40)}, 0, 0, ""},
		"the newest is unfinished and ahead": {[]Set{old(-2, incomplete), old(0)}, 0, 0, "in the future"},
	} {
		p := rules(config.Keep{Days: 1000})
		clocks := Clocks{Host: epoch.Add(c.host), Store: epoch.Add(c.store)}
		decisions, err := Retain(c.sets, p, clocks.earlier())
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(doubts(decisions, clocks), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// many is so many good sets, one a day, the newest of now.
func many(n int, change ...func(*Set)) (sets []Set) {
	for i := range n {
		sets = append(sets, old(float64(i), change...))
	}
	return sets
}

func TestAPlanThatNoScheduleExplainsIsADoubt(t *testing.T) {
	for name, c := range map[string]struct {
		sets []Set
		keep config.Keep
		want string
	}{
		"the daily case":                      {many(31), config.Keep{Days: 29}, ""},
		"three at once, of four":              {many(4), config.Keep{Last: 1}, ""},
		"three at once, of five":              {many(5), config.Keep{Last: 2}, ""},
		"four at once, of six":                {many(6), config.Keep{Last: 2}, "4 of 6 sets"},
		"a timer that was off for a week":     {many(37), config.Keep{Last: 30}, ""},
		"exactly a fifth":                     {many(40), config.Keep{Last: 32}, ""},
		"just more than a fifth":              {many(40), config.Keep{Last: 31}, "9 of 40 sets"},
		"the first rule for a full bucket":    {many(400), config.Keep{Days: 30}, "369 of 400 sets"},
		"unfinished ones are no sets":         {append(many(31), many(90, incomplete)[40:]...), config.Keep{Days: 29}, ""},
		"unfinished ones hide no large share": {append(many(10), many(90, incomplete)[40:]...), config.Keep{Last: 5}, "5 of 10 sets"},
		"unusable ones hide no large share":   {append(many(10), many(90, broken)[10:]...), config.Keep{Last: 5}, "5 of 10 sets"},
		"and neither do failed verifications": {append(many(10), many(90, proven(LevelReadable, false))[10:]...), config.Keep{Last: 5}, "5 of 10 sets"},
		"legacy sets unasked hide nothing":    {append(many(10), many(90, legacy)[10:]...), config.Keep{Last: 5}, "5 of 10 sets"},
	} {
		now := Clocks{Host: epoch, Store: epoch}
		decisions, err := Retain(c.sets, rules(c.keep), epoch)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(doubts(decisions, now), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
