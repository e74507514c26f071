package kept

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
		for _, word := range []string{Before, Undone} {
			kept := Name(name, word, at)
			if len(kept) > postgres.MaxName || WordOf(name, kept) != word || strings.ToValidUTF8(kept, "?") != kept {
				t.Errorf("%q of %q: %q", kept, name, WordOf(name, kept))
			}
		}
		beside := Beside(name, Restoring, "1a2b3c")
		if len(beside) > postgres.MaxName || WordOf(name, beside) != Restoring {
			t.Errorf("%q of %q", beside, name)
		}
	}
	if other := long[:49] + "b"; Name(long, Before, at) == Name(other, Before, at) || WordOf(other, Name(long, Before, at)) != "" {
		t.Error("two long names share a kept one")
	}
	for _, none := range []string{"", "shop", "shop_before_", "shop_before_now", "shop_before_20261122T020000Z_x", "shopp_before_20261122T020000Z", "shop_restored_20261122T020000Z", "shop_other_1a2b3c"} {
		if word := WordOf("shop", none); word != "" {
			t.Errorf("%q is %q", none, word)
		}
	}
}
