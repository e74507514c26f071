package backrest

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// listed is what repo-ls of 2.45 printed, shortened, with what somebody else put there.
const listed = `{".":{"type":"path"},"0000000100000000":{"type":"path"},
"0000000100000000/000000010000000000000006-42bdd952794d230225367ba806fd521e0dd12f37.gz":{"type":"file","size":1983,"time":1795902730},
"0000000100000000/000000010000000000000007-b0613ae20d0345d55c58f9d77284eb62221e99f8.zst":{"type":"file","size":1208,"time":1795902733},
"0000000100000000/000000010000000000000007.00000028.backup":{"type":"file","size":368,"time":1795902733},
"0000000100000000/000000010000000000000008.partial-56d2c002bd505ff21da6823e82da437be4fbde59.gz":{"type":"file"},
"0000000100000000/0000000100000000FFFFFFFF-56d2c002bd505ff21da6823e82da437be4fbde59.gz":{"type":"file"},
"00000002.history":{"type":"file","size":41}}`

func TestAListingIsReadByWhatTheEngineStores(t *testing.T) {
	l := Listing{Segments: pitr.Segments{}}
	err := eachName(strings.NewReader(listed), func(name string) error { l.add(name, 16<<20); return nil })
	if err != nil || len(l.Segments) != 1 || len(l.Segments[1]) != 2 {
		t.Errorf("%+v, %v", l, err)
	}
	for _, text := range []string{"", "[]", `{"a"`, `{"a":1}`, `{"a":{"type":"file"}`} {
		if err := eachName(strings.NewReader(text), func(string) error { return nil }); err == nil {
			t.Errorf("%q is a listing", text)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add(listed)
	f.Fuzz(func(t *testing.T, text string) {
		l := Listing{Segments: pitr.Segments{}}
		_ = eachName(strings.NewReader(text), func(name string) error { l.add(name, 1<<20); return nil })
		l.Segments.Sort()
		for timeline, positions := range l.Segments {
			if len(positions) == 0 || !slices.IsSorted(positions) {
				t.Errorf("%d has %v", timeline, positions)
			}
		}
	})
}
