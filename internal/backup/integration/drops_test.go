package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

var defaultWarn = config.Warn{SizeDrop: 50, TablesDrop: 20}

// measured is a set of some MiB and tables; the later in a history, the newer.
func measured(age int, mib int64, tables int) backup.Set {
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC).AddDate(0, 0, -age)
	m := &backup.Manifest{
		ID: fmt.Sprintf("%d", age), Instance: "db1", Database: "shop", FinishedAt: at,
		Summary: backup.Summary{Scanned: true, Tables: tables}, Dump: backup.Object{RawBytes: mib << 20},
	}
	return backup.Set{ID: m.ID, Kind: backup.KindNative, Instance: "db1", Database: "shop", FinishedAt: at, Manifest: m}
}

func historyOf(mib ...int64) (sets []backup.Set) {
	for i, size := range mib {
		sets = append(sets, measured(i+1, size, 100))
	}
	return sets
}

func TestADropIsHeldAgainstTheMedianOfTheLastGoodSets(t *testing.T) {
	for name, c := range map[string]struct {
		now    backup.Set
		before []backup.Set
		limits config.Warn
		want   []string
	}{
		"the first set":                     {measured(0, 0, 0), nil, defaultWarn, nil},
		"half is not more than half":        {measured(0, 50, 100), historyOf(100), defaultWarn, nil},
		"less than half":                    {measured(0, 49, 100), historyOf(100), defaultWarn, []string{"shrank"}},
		"one odd set before":                {measured(0, 99, 100), historyOf(900, 100, 100), defaultWarn, nil},
		"hidden by one odd set":             {measured(0, 10, 100), historyOf(10, 100, 100, 100), defaultWarn, []string{"shrank"}},
		"history has caught up":             {measured(0, 10, 100), historyOf(10, 10, 10, 10, 100, 100, 100, 100), defaultWarn, nil},
		"only seven count":                  {measured(0, 90, 100), historyOf(100, 100, 100, 100, 900, 900, 900, 900, 900), defaultWarn, nil},
		"small databases halve":             {measured(0, 1, 100), historyOf(9, 9), defaultWarn, nil},
		"a fifth of the tables":             {measured(0, 100, 80), historyOf(100), defaultWarn, nil},
		"more than a fifth of the tables":   {measured(0, 100, 79), historyOf(100), defaultWarn, []string{"tables are gone"}},
		"four tables of eight":              {measured(0, 100, 4), []backup.Set{measured(1, 100, 8)}, defaultWarn, nil},
		"five tables of eight":              {measured(0, 100, 3), []backup.Set{measured(1, 100, 8)}, defaultWarn, []string{"tables are gone"}},
		"both":                              {measured(0, 1, 1), historyOf(100), defaultWarn, []string{"shrank", "tables are gone"}},
		"switched off":                      {measured(0, 1, 1), historyOf(100), config.Warn{}, nil},
		"growth":                            {measured(0, 900, 900), historyOf(100), defaultWarn, nil},
		"sets after it are no history":      {measured(5, 10, 100), historyOf(100, 100), defaultWarn, nil},
		"the set itself is no history":      {measured(1, 10, 100), historyOf(100), defaultWarn, nil},
		"size alone, the scanner being off": {unscanned(measured(0, 10, 0)), historyOf(100), defaultWarn, []string{"shrank"}},
		"a history without a scanner":       {measured(0, 100, 1), []backup.Set{unscanned(measured(1, 100, 0))}, defaultWarn, nil},
	} {
		got := dump.Drops(c.now.Manifest, c.before, c.limits)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
			continue
		}
		for i, word := range c.want {
			if !strings.Contains(got[i], word) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
}

func unscanned(s backup.Set) backup.Set {
	s.Manifest.Summary = backup.Summary{}
	return s
}

func TestOnlyGoodSetsOfTheSameDatabaseAreHistory(t *testing.T) {
	for name, change := range map[string]func(*backup.Set){
		"another database": func(s *backup.Set) { s.Database = "other" },
		"another instance": func(s *backup.Set) { s.Instance = "db2" },
		"a legacy set":     func(s *backup.Set) { s.Kind, s.Manifest = backup.KindLegacy, nil },
		"an incomplete":    func(s *backup.Set) { s.Kind, s.Manifest = backup.KindIncomplete, nil },
		"a damaged one":    func(s *backup.Set) { s.Problem = "dump.pgc.zst is missing" },
	} {
		before := historyOf(100)
		change(&before[0])
		if got := dump.Drops(measured(0, 1, 1).Manifest, before, defaultWarn); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestASetThatHoldsMuchLessThanThoseBeforeCarriesAWarningAndIsCommitted(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.job.Warn = defaultWarn
	if first := w.run(t); len(first.Warnings) != 0 {
		t.Errorf("without a history: %q", first.Warnings)
	}
	for range 3 {
		w.plant(t, backuptest.Ago(1), func(m *backup.Manifest) {
			m.Dump.RawBytes, m.Summary = 1<<30, backup.Summary{Scanned: true, Tables: 500}
		})
	}
	result := w.run(t)
	if len(result.Warnings) != 2 || !slices.Equal(result.Manifest.Warnings, result.Warnings) {
		t.Errorf("warnings: %q, in the manifest: %q", result.Warnings, result.Manifest.Warnings)
	}
	if set := w.find(t, result.Manifest.ID); !set.Good() || len(set.Manifest.Warnings) != 2 {
		t.Errorf("%+v", set)
	}
	if strings.Count(w.log.text(), "event=warning") != 2 {
		t.Error("the journal does not have each warning")
	}
}
