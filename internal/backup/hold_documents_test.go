package backup

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The newest document decides, in whatever order a store lists them; of one moment, the hold.
func TestHoldsDependOnNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOf(rapid.Custom(func(t *rapid.T) holdDocument {
			return holdDocument{At: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Second), Release: rapid.Bool().Draw(t, "release")}
		})).Draw(t, "documents")
		want := false
		var newest time.Time
		for _, d := range docs {
			if d.At.After(newest) {
				newest, want = d.At, false
			}
			want = want || d.At.Equal(newest) && !d.Release
		}
		var h holds
		for _, d := range rapid.Permutation(docs).Draw(t, "as listed") {
			h.add(d)
		}
		if (h.by != nil) != want {
			t.Fatalf("held %v, want %v", h.by != nil, want)
		}
	})
}

func FuzzParseHold(f *testing.F) {
	good, _ := json.Marshal(holdDocument{Schema: 1, Set: "s", Release: true, By: "ada", Host: "db1", At: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)})
	f.Add("holds/20261122T020000.000Z-0a1b2c-release.json", good)
	f.Add("holds/x", []byte("{"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		d := parseHold("s", name, raw)
		if d.Release && (d.Set != "s" || d.Schema != HoldSchema) {
			t.Errorf("a release that is none: %+v", d)
		}
	})
}
