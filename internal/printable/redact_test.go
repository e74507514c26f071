package printable_test

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

func TestASecretIsTakenOutAndAShortOneOnlyWhereItIsAWord(t *testing.T) {
	for _, c := range []struct{ text, secret, want string }{
		{"key=abcdefgh1234, again xabcdefgh1234x", "abcdefgh1234", "key=[redacted], again x[redacted]x"},
		{"the record is records, re: re", "re", "the record is records, [redacted]: [redacted]"},
		{"pass pass1 (pass)", "pass", "[redacted] pass1 ([redacted])"},
		{"nothing", "", "nothing"},
		{"aaa aa", "aa", "aaa [redacted]"},
	} {
		if got := printable.Redact(c.text, c.secret); got != c.want {
			t.Errorf("%q without %q: %q, want %q", c.text, c.secret, got, c.want)
		}
	}
}
