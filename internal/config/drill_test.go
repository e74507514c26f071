package config

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestDrillsAreByTimerUnlessAJobLeavesThemToPeople(t *testing.T) {
	c, err := load(t, `
s3: {bucket: company-backups}
jobs:
  tiny: {database: tiny, drill: {by: hand}}
  plain: {database: plain, drill: {amcheck: true}}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Driller{"tiny": DrillByHand, "plain": DrillByTimer} {
		if j, err := c.Job(name); err != nil || j.Drill.By != want {
			t.Errorf("%s: %q, %v; want %q", name, j.Drill.By, err, want)
		}
	}
	_, err = load(t, "s3: {bucket: company-backups}\ndrill:\n  by: nobody\n", nil)
	if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), `config.yaml:3: drill.by: "nobody" is not known`) {
		t.Errorf("%v", err)
	}
}
