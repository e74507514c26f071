package s3server

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// modelList is the definition of a listing: no cleverness, no paging.
func modelList(keys []string, prefix, delimiter, after string) (found []string) {
	for _, key := range keys {
		if !strings.HasPrefix(key, prefix) || key <= after && after != "" {
			continue
		}
		entry := key
		if delimiter != "" {
			if head, _, cut := strings.Cut(key[len(prefix):], delimiter); cut {
				entry = prefix + head + delimiter
			}
		}
		if len(found) == 0 || found[len(found)-1] != entry {
			found = append(found, entry)
		}
	}
	return found
}

func TestPagesOfAListingAreTheListing(t *testing.T) {
	word := rapid.StringMatching(`[ab/\x{0}é]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(word, rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		ask := listAsk{
			prefix:    rapid.StringMatching(`[ab/]{0,2}`).Draw(t, "prefix"),
			delimiter: rapid.SampledFrom([]string{"", "/", "b", "a/"}).Draw(t, "delimiter"),
			after:     rapid.OneOf(rapid.Just(""), word).Draw(t, "start-after"),
			max:       rapid.IntRange(1, 4).Draw(t, "max"),
		}
		want := modelList(keys, ask.prefix, ask.delimiter, ask.after)
		var got []string
		for range len(keys) + 2 {
			page := listKeys(keys, ask)
			entries := slices.Sorted(slices.Values(append(slices.Clone(page.keys), page.prefixes...)))
			if len(entries) > ask.max {
				t.Fatalf("%d entries on a page of %d", len(entries), ask.max)
			}
			got = append(got, entries...)
			if !page.more {
				break
			}
			ask.after, ask.skipGroup = page.last, true
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
