package backup

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

func TestNamesBesideADatabaseFitAndBelongToItAlone(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	long := strings.Repeat("a", 50)
	for _, name := range []string{"shop", "x", long, strings.Repeat("界", 21), "a_before_b", "new\nline_before_20260101T000000Z", strings.Repeat("é", 31)} {
		for _, word := range []string{wordBefore, wordUndone} {
			kept := keptName(name, word, at)
			if len(kept) > postgres.MaxName || wordOf(name, kept) != word || strings.ToValidUTF8(kept, "?") != kept {
				t.Errorf("%q of %q: %q", kept, name, wordOf(name, kept))
			}
		}
		beside := besideName(name, wordRestoring, "1a2b3c")
		if len(beside) > postgres.MaxName || wordOf(name, beside) != wordRestoring {
			t.Errorf("%q of %q", beside, name)
		}
	}
	if other := long[:49] + "b"; keptName(long, wordBefore, at) == keptName(other, wordBefore, at) || wordOf(other, keptName(long, wordBefore, at)) != "" {
		t.Error("two long names share a kept one")
	}
	for _, none := range []string{"", "shop", "shop_before_", "shop_before_now", "shop_before_20261122T020000Z_x", "shopp_before_20261122T020000Z", "shop_restored_20261122T020000Z", "shop_other_1a2b3c"} {
		if word := wordOf("shop", none); word != "" {
			t.Errorf("%q is %q", none, word)
		}
	}
}
