package fault

import "testing"

func TestEveryCodeHasAMeaning(t *testing.T) {
	seen := map[string]Code{}
	codes := []Code{
		OK, Failed, Warnings, Refused, Usage, Integrity, NotFound, Unavailable, NoSpace, Temporary, NotPermitted, Config, Terminated,
	}
	for _, c := range codes {
		if other, ok := seen[c.Meaning()]; ok {
			t.Errorf("%d and %d both mean %q", c, other, c.Meaning())
		}
		seen[c.Meaning()] = c
	}
}
