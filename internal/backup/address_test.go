package backup

import (
	"strings"
	"testing"
	"time"
)

// Whoever looks for a database on a new host means that one, whatever else is newer.
func TestWhatThereIsElsewhereBeginsWithTheDatabaseThatWasLookedFor(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	var sets []Set
	for i, database := range []string{"analytics", "crm", "sales", "web"} {
		made := at.Add(-time.Duration(i) * time.Hour)
		sets = append(sets, Set{ID: made.Format(IDTime) + "-000000", Kind: KindNative, Instance: "old", Database: database, FinishedAt: made, Manifest: &Manifest{}})
	}
	for database, first := range map[string]string{"sales": "old/sales/", "": "old/analytics/", "gone": "old/analytics/"} {
		told, example := Elsewhere(sets, Wanted{ID: Latest}, database)
		if !strings.HasPrefix(example, first) || !strings.HasPrefix(told, "the newest good ones are "+first) || strings.Count(told, "old/") != len(sets) {
			t.Errorf("%q: %s, as %s", database, told, example)
		}
	}
}
