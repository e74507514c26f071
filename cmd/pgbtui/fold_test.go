package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASentenceGoesOnBelowItsBeginningAndACommandIsNotBroken(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"short":   {"OK   sales: fine\n", "OK   sales: fine\n"},
		"a label": {"server         PostgreSQL 15.18, UTF8, en_US.UTF-8, more\n", "server         PostgreSQL 15.18, UTF8,\n               en_US.UTF-8, more\n"},
		"indented": {
			"     the newest good backup is older than the objective\n",
			"     the newest good backup is older\n     than the objective\n",
		},
		"a command": {
			"     remedy: do it: `sudo pgbtui drill latest --job sales` and look\n",
			"     remedy: do it:\n     `sudo pgbtui drill latest --job sales`\n     and look\n",
		},
		"a command without quotes": {
			"  FAIL timer: it is off: sudo systemctl enable --now x.timer; then look at it again\n",
			"  FAIL timer: it is off:\n  sudo systemctl enable --now x.timer;\n  then look at it again\n",
		},
		"one long word": {"/a/very/long/path/that/is/longer/than/the/terminal\n", "/a/very/long/path/that/is/longer/than/the/terminal\n"},
		"wide letters":  {"ok   数数数数数数数数数数 数数数数数数数数数数 b\n", "ok   数数数数数数数数数数\n     数数数数数数数数数数 b\n"},
		"several lines": {"a\n\nb\n", "a\n\nb\n"},
		"no end":        {"one two", "one two"},
	} {
		if diff := cmp.Diff(c.want, folded(c.text, 40)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
