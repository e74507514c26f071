package restore

import (
	"strings"
	"testing"
)

// What a failed expectation says is stored beside the set, logged and sent.
func TestAnExpectationTellsTruthsAndCountsAndNobodysValues(t *testing.T) {
	for name, c := range map[string]struct{ answer, expected, want string }{
		"the truth":                          {"f", "t", `"f"`},
		"nothing":                            {"", "t", `""`},
		"a count":                            {"1999", "2000", `"1999"`},
		"an amount":                          {"-12.50", "0", `"-12.50"`},
		"a number where a truth is expected": {"4929123456789", "t", "another text, of 13 bytes"},
		"the number of a card":               {"4929123456789012", "0", "another text, of 16 bytes"},
		"a short text":                       {"anna@x.org", "ok", "another text, of 10 bytes"},
		"a short text, of a number":          {"anna@x.org", "0", "another text, of 10 bytes"},
		"a row":                              {"(7,Anna)", "(7,Bea)", "another text, of 8 bytes"},
		"a long text":                        {strings.Repeat("x", 1<<20), "1", "another text, of 1048576 bytes"},
		"lines":                              {"f\nf", "t", "another text, of 3 bytes"},
	} {
		if got := told(c.answer, c.expected); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
	for sql, want := range map[string]string{
		"SELECT count(*) > 1000 FROM orders":                        "SELECT count(*) > 1000 FROM orders",
		"SELECT id FROM people WHERE mail = 'anna@x.org'":           "SELECT id FROM people WHERE mail = …",
		"SELECT 'O''Hara', $$Bea$$, $q$Cid$q$, 'cut":                "SELECT …, …, …, …",
		"SELECT name\n  FROM people\n WHERE number = 4929123456789": "SELECT name FROM people WHERE number = …",
		"SELECT " + strings.Repeat("ä", 100):                        "SELECT " + strings.Repeat("ä", 52) + "…",
	} {
		if got := statement(sql); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := short(strings.Repeat("x", 21)); got != "the text of 21 bytes that is expected" {
		t.Errorf("%q", got)
	}
}
