package config

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestDropsWarnByDefaultAndEachJobMayDiffer(t *testing.T) {
	c, err := load(t, `
s3: {bucket: company-backups}
warn: {size_drop: 30%}
jobs:
  odd: {database: odd, warn: {size_drop: 0, tables_drop: 5}}
  plain: {database: plain}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Warn{"odd": {0, 5}, "plain": {30, 20}} {
		if j, err := c.Job(name); err != nil || j.Warn != want {
			t.Errorf("%s: %+v, %v; want %+v", name, j.Warn, err, want)
		}
	}
}

func TestAPercentageThatIsNoneIsRefusedWithItsLine(t *testing.T) {
	for _, text := range []string{"half", "100%", "-1", "0.5", "5%%"} {
		_, err := load(t, "s3: {bucket: company-backups}\nwarn:\n  size_drop: \""+text+"\"\n", nil)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "config.yaml:3:") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
