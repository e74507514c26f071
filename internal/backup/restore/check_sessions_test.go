package restore

import (
	"strings"
	"testing"
)

func TestAsManySessionsAsTheTargetHasCoresToSpare(t *testing.T) {
	large := situation{local: true, cores: 4, free: 100, rawBytes: 10 << 30, inParts: true}
	for name, c := range map[string]struct {
		change func(*situation)
		want   int
		why    string
	}{
		"four cores":               {func(*situation) {}, 4, "4 cores"},
		"one core":                 {func(s *situation) { s.cores = 1 }, 1, "one core"},
		"a large host":             {func(s *situation) { s.cores = 96 }, maxSessions, "96 cores"},
		"a busy host":              {func(s *situation) { s.busy = 3 }, 1, "3 other sessions"},
		"more work than cores":     {func(s *situation) { s.busy = 30 }, 1, "30 other sessions"},
		"a small set":              {func(s *situation) { s.rawBytes = paysFrom - 1 }, 1, "not worth"},
		"a target somewhere else":  {func(s *situation) { s.local = false }, 1, "not on this host"},
		"a set without an index":   {func(s *situation) { s.inParts = false }, 1, "index"},
		"nearly no sessions left":  {func(s *situation) { s.free = 5 }, 2, "5 more sessions"},
		"no session left":          {func(s *situation) { s.free = 0 }, 1, "0 more sessions"},
		"a set of unknown size":    {func(s *situation) { s.rawBytes = -1 }, 1, "not worth"},
		"two cores and no trouble": {func(s *situation) { s.cores = 2 }, 2, "2 cores"},
	} {
		s := large
		c.change(&s)
		if n, why := s.sessions(); n != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: %d, %q", name, n, why)
		}
	}
}
