package dump

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func TestAHostComparesWhatItRemembersWithAnySet(t *testing.T) {
	m := &memory{Job: "a", ID: "20261122T020000Z-1a2b3c", ManifestSHA256: "ab", Sequence: 3}
	for name, c := range map[string]struct {
		set  backup.Set
		lost bool
	}{
		"the very set":               {backup.Set{ID: m.ID, ManifestSum: "ab", Sequence: 3}, false},
		"with another manifest":      {backup.Set{ID: m.ID, ManifestSum: "cd", Sequence: 3}, true},
		"one that followed":          {backup.Set{ID: "20261123T020000Z-1a2b3c", ManifestSum: "ef", Sequence: 4}, false},
		"an older one":               {backup.Set{ID: "20261121T020000Z-1a2b3c", ManifestSum: "ef", Sequence: 2}, true},
		"one of no number":           {backup.Set{ID: "x", ManifestSum: "ef", Sequence: -1}, true},
		"one that nobody could read": {backup.Set{ID: m.ID}, true},
	} {
		c.set.Kind, c.set.Job = backup.KindNative, "a"
		if said := m.lost([]backup.Set{c.set}, backup.Whose{Job: "a"}); (said != "") != c.lost {
			t.Errorf("%s: %q", name, said)
		}
	}
}
