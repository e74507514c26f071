package retention

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestRetentionRefusesASelectionOfSeveralDatabases(t *testing.T) {
	for _, change := range []func(*backup.Set){func(s *backup.Set) { s.Database = "other" }, func(s *backup.Set) { s.Instance = "other" }} {
		decisions, err := Decide([]backup.Set{backuptest.Old(0), backuptest.Old(1, change)}, rules(config.Keep{Days: 1}), backuptest.Epoch)
		if fault.CodeOf(err) != fault.Failed || decisions != nil {
			t.Errorf("%v, %+v", err, decisions)
		}
	}
}

func TestAClockThatCannotBeTrustedIsADoubt(t *testing.T) {
	stored := func(after time.Duration) func(*backup.Set) {
		return func(s *backup.Set) { s.StoredAt = s.FinishedAt.Add(after) }
	}
	const year = 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		sets        []backup.Set
		host, store time.Duration // after epoch
		want        string
	}{
		"both right":                         {[]backup.Set{backuptest.Old(0), backuptest.Old(40)}, 0, 0, ""},
		"no sets":                            {nil, 0, 0, ""},
		"a slip within the bound":            {[]backup.Set{backuptest.Old(0), backuptest.Old(40)}, 14 * time.Minute, 0, ""},
		"a slip beyond the bound":            {[]backup.Set{backuptest.Old(0), backuptest.Old(40)}, 16 * time.Minute, 0, "16m ahead of the store's"},
		"this host ten years ahead":          {[]backup.Set{backuptest.Old(0), backuptest.Old(40)}, 10 * year, 0, "3650d ahead of the store's"},
		"this host ten years behind":         {[]backup.Set{backuptest.Old(0), backuptest.Old(40)}, -10 * year, 0, "3650d behind the store's"},
		"no sets, and the host is wrong":     {nil, 10 * year, 0, "ahead of the store's"},
		"both ten years behind":              {[]backup.Set{backuptest.Old(0), backuptest.Old(40)}, -10 * year, -10 * year, "finished 3650d in the future"},
		"the writer's clock years ahead":     {[]backup.Set{backuptest.Old(-3650, stored(-3650*24*time.Hour)), backuptest.Old(0)}, 10 * year, 10 * year, "the clock that wrote it is wrong"},
		"a writer half an hour ahead":        {[]backup.Set{backuptest.Old(-0.02), backuptest.Old(40)}, 0, 0, ""},
		"a bucket that was copied later":     {[]backup.Set{backuptest.Old(3, stored(48*time.Hour)), backuptest.Old(40)}, 0, 0, ""},
		"the newest is unfinished and ahead": {[]backup.Set{backuptest.Old(-2, backuptest.Incomplete), backuptest.Old(0)}, 0, 0, "in the future"},
	} {
		p := rules(config.Keep{Days: 1000})
		clocks := backup.Clocks{Host: backuptest.Epoch.Add(c.host), Store: backuptest.Epoch.Add(c.store)}
		decisions, err := Decide(c.sets, p, clocks.Earlier())
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
func many(n int, change ...func(*backup.Set)) (sets []backup.Set) {
	for i := range n {
		sets = append(sets, backuptest.Old(float64(i), change...))
	}
	return sets
}

func TestAPlanThatNoScheduleExplainsIsADoubt(t *testing.T) {
	for name, c := range map[string]struct {
		sets []backup.Set
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
		"unfinished ones are no sets":         {append(many(31), many(90, backuptest.Incomplete)[40:]...), config.Keep{Days: 29}, ""},
		"unfinished ones hide no large share": {append(many(10), many(90, backuptest.Incomplete)[40:]...), config.Keep{Last: 5}, "5 of 10 sets"},
		"unusable ones hide no large share":   {append(many(10), many(90, backuptest.Broken)[10:]...), config.Keep{Last: 5}, "5 of 10 sets"},
		"and neither do failed verifications": {append(many(10), many(90, backuptest.Proven(backup.LevelReadable, false))[10:]...), config.Keep{Last: 5}, "5 of 10 sets"},
		"legacy sets unasked hide nothing":    {append(many(10), many(90, backuptest.Legacy)[10:]...), config.Keep{Last: 5}, "5 of 10 sets"},
	} {
		now := backup.Clocks{Host: backuptest.Epoch, Store: backuptest.Epoch}
		decisions, err := Decide(c.sets, rules(c.keep), backuptest.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(doubts(decisions, now), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
