package retention

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Several jobs back one database up, each by its own rules.

var shared = []string{"hourly", "weekly", "monthly"}

func whoseOf(job string) backup.Whose {
	return backup.Whose{Job: job, Beside: slices.DeleteFunc(slices.Clone(shared), func(other string) bool { return other == job })}
}

// drawShared are sets of three jobs, of one that is not configured any more, and of programs that named none.
func drawShared(t *rapid.T) []backup.Set {
	sets := drawSets(t)
	for i := range sets {
		if sets[i].Kind == backup.KindNative {
			sets[i].Job = rapid.SampledFrom([]string{"hourly", "hourly", "weekly", "weekly", "monthly", "gone", ""}).Draw(t, "job")
		}
	}
	return sets
}

func only(sets []backup.Set, keep func(*backup.Set) bool) []backup.Set {
	return slices.DeleteFunc(slices.Clone(sets), func(s backup.Set) bool { return !keep(&s) })
}

func TestRetentionOfAJobDeletesNoOtherJobsSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p, now := drawShared(t), drawPolicy(t), drawNow(t)
		p.Whose = whoseOf(rapid.SampledFrom(shared).Draw(t, "whose rules"))
		for _, d := range retain(t, sets, p, now) {
			s := d.Set
			if d.Delete && s.Kind == backup.KindNative && s.Job != p.Whose.Job {
				t.Fatalf("retention of %s deletes a set of %q: %s", p.Whose.Job, s.Job, d.Reason)
			}
			if d.Delete && s.Kind == backup.KindLegacy && !p.Legacy {
				t.Fatalf("an object of the old script goes unasked")
			}
		}
	})
}

func TestRetentionOfAJobDecidesAsIfItWereAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, p, now := drawShared(t), drawPolicy(t), drawNow(t)
		p.Legacy = false // what the old script left is no job's, and taken into account when somebody asks
		p.Whose = whoseOf(rapid.SampledFrom(shared).Draw(t, "whose rules"))
		own := only(sets, func(s *backup.Set) bool {
			return s.Kind == backup.KindIncomplete || s.Kind == backup.KindNative && s.Job == p.Whose.Job
		})
		alone := p
		alone.Whose.Beside = nil
		among, by := deletedOf(retain(t, sets, p, now)), deletedOf(retain(t, own, alone, now))
		if !maps.Equal(among, by) {
			t.Fatalf("among others %v, alone %v", among, by)
		}
	})
}

// However the jobs take turns, what can be restored at all and what was shown to be restorable stays.
func TestRetentionOfAllJobsTogetherKeepsTheNewestGoodAndProvenOfTheDatabase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, now := drawShared(t), drawNow(t)
		left := sets
		for _, job := range rapid.Permutation(shared).Draw(t, "order") {
			p := drawPolicy(t)
			p.Whose = whoseOf(job)
			gone := deletedOf(retain(t, left, p, now))
			left = only(left, func(s *backup.Set) bool { return !gone[string(s.Kind)+s.ID] })
		}
		for level := backup.LevelStored; level <= backup.LevelRestored; level++ {
			if newest := newestOfLevel(sets, level); newest != "" && newestOfLevel(left, level) != newest {
				t.Fatalf("the newest %v set of the database, %s, is gone", level, newest)
			}
		}
	})
}

func newestOfLevel(sets []backup.Set, level backup.Level) string {
	var newest *backup.Set
	for i := range sets {
		s := &sets[i]
		if l, _ := s.Proven(); s.Kind == backup.KindNative && usable(s) && l >= level && (newest == nil || backup.Newer(s, newest)) {
			newest = s
		}
	}
	if newest == nil {
		return ""
	}
	return newest.ID
}

// tier is a job of a year of backups.
type tier struct {
	name  string
	every time.Duration
	keep  config.Keep
}

// A year of three tiers: after each run its job's retention is carried out, as the runs do it.
func TestAYearOfThreeJobsOnOneDatabaseLosesNothingOfEachOther(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	tiers := []tier{
		{"hourly", 4 * hour, config.Keep{Days: 7, MinGood: 3}},
		{"weekly", 7 * day, config.Keep{Weekly: 52, MinGood: 1}},
		{"monthly", 30 * day, config.Keep{Monthly: 12, MinGood: 2}},
	}
	together := yearOf(t, tiers)
	for _, one := range tiers {
		alone := yearOf(t, []tier{one})
		got := only(together, func(s *backup.Set) bool { return s.Job == one.name })
		if !slices.EqualFunc(alone, got, func(a, b backup.Set) bool { return a.FinishedAt.Equal(b.FinishedAt) }) || len(got) < 2 {
			t.Errorf("%s: %d sets are left among others, %d alone", one.name, len(got), len(alone))
		}
	}
}

func yearOf(t *testing.T, tiers []tier) []backup.Set {
	t.Helper()
	return since(t, backuptest.Epoch.AddDate(-1, 0, 0), tiers)
}

// A quarter of the tiers that docs/configuration.md shows, with runs of several that begin at one time.
func TestAQuarterOfThreeTiersKeepsWhatEachTierSays(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	left := since(t, backuptest.Epoch.Add(-91*day), []tier{
		{"fourhourly", 4 * hour, config.Keep{Days: 7, MinGood: 3}},
		{"daily", day, config.Keep{Days: 35, MinGood: 3}},
		{"weekly", 7 * day, config.Keep{Days: 400, MinGood: 3}},
	})
	for job, want := range map[string]struct {
		sets   int
		oldest time.Duration // when the job's last run decided, which is up to a run before the end
	}{
		"fourhourly": {7*6 + 1, 7*day + 4*hour}, "daily": {35 + 1, 36 * day}, "weekly": {13, 91 * day},
	} {
		own := only(left, func(s *backup.Set) bool { return s.Job == job })
		oldest := backuptest.Epoch.Sub(own[len(own)-1].FinishedAt)
		if len(own) != want.sets || oldest > want.oldest || oldest < want.oldest-day {
			t.Errorf("%s: %d sets, the oldest of %s before; want %d, %s", job, len(own), oldest, want.sets, want.oldest)
		}
	}
}

func since(t *testing.T, begin time.Time, tiers []tier) (sets []backup.Set) {
	t.Helper()
	for at := begin; at.Before(backuptest.Epoch); at = at.Add(4 * time.Hour) {
		for i, one := range tiers {
			if at.Sub(begin)%one.every != 0 {
				continue
			}
			finished := at.Add(time.Duration(len(one.name)) * time.Minute)
			s := backuptest.Old(backuptest.Epoch.Sub(finished).Hours()/24, backuptest.By(one.name))
			s.FinishedAt, s.ID = finished, backup.NewID(finished)
			sets = append([]backup.Set{s}, sets...)
			whose := backup.Whose{Job: one.name}
			for k, other := range tiers {
				if k != i {
					whose.Beside = append(whose.Beside, other.name)
				}
			}
			decisions, err := Decide(sets, Policy{Keep: one.keep, Whose: whose}, finished)
			if err != nil {
				t.Fatal(err)
			}
			sets = nil
			for _, d := range decisions {
				if !d.Delete {
					sets = append(sets, d.Set)
				}
			}
		}
	}
	return sets
}
