package backup

import "testing"

func TestAHostComparesWhatItRemembersWithAnySet(t *testing.T) {
	m := &memory{Job: "a", ID: "20261122T020000Z-1a2b3c", ManifestSHA256: "ab", Sequence: 3}
	for name, c := range map[string]struct {
		set  Set
		lost bool
	}{
		"the very set":               {Set{ID: m.ID, manifestSum: "ab", sequence: 3}, false},
		"with another manifest":      {Set{ID: m.ID, manifestSum: "cd", sequence: 3}, true},
		"one that followed":          {Set{ID: "20261123T020000Z-1a2b3c", manifestSum: "ef", sequence: 4}, false},
		"an older one":               {Set{ID: "20261121T020000Z-1a2b3c", manifestSum: "ef", sequence: 2}, true},
		"one of no number":           {Set{ID: "x", manifestSum: "ef", sequence: -1}, true},
		"one that nobody could read": {Set{ID: m.ID}, true},
	} {
		c.set.Kind, c.set.Job = KindNative, "a"
		if said := m.lost([]Set{c.set}, Whose{Job: "a"}); (said != "") != c.lost {
			t.Errorf("%s: %q", name, said)
		}
	}
}
