package postgres

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestQuotedTextMeansItselfToTheServer(t *testing.T) {
	s := pgtest.Shared(t)
	c := connect(t, target(s, "postgres"))
	settings := []string{"on"}
	if s.Major(t) < 19 {
		settings = append(settings, "off")
	}
	for _, strings := range settings {
		if err := c.exec(t.Context(), "SET standard_conforming_strings = "+strings); err != nil {
			t.Fatal(err)
		}
		for _, text := range append([]string{`\`, `'`, `\'`, `''\\''`, `E'x'`, "$$", `"`, "a'; DROP TABLE x; --"}, hostileNames...) {
			var literal string
			err := c.row(t.Context(), "SELECT "+QuoteLiteral(text), nil, &literal)
			if err != nil || literal != text {
				t.Errorf("strings %s: literal %q became %q: %v", strings, text, literal, err)
			}
			var name string
			err = c.row(t.Context(), "SELECT key FROM (SELECT 1 AS "+QuoteIdent(text)+") AS r, json_each(to_json(r))", nil, &name)
			if err != nil || name != text {
				t.Errorf("strings %s: name %q became %q: %v", strings, text, name, err)
			}
		}
	}
}
