package config

import (
	"fmt"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestRulesOfRetentionAreWholeNumbersFromOneUp(t *testing.T) {
	for _, key := range []string{"last", "days", "daily", "weekly", "monthly", "yearly", "min_good"} {
		for _, bad := range []string{"0", "-1", "soon", "1.5", `"7"`, "[7]", "99999999999999999999"} {
			yaml := fmt.Sprintf("s3: {bucket: abc}\njobs:\n  a:\n    keep:\n      %s: %s\n", key, bad)
			_, err := load(t, yaml, nil)
			if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "config.yaml:5: ") {
				t.Errorf("%s: %s: %v", key, bad, err)
			}
		}
	}
}

func TestBadRetentionNamesTheFileTheLineAndTheRemedy(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want, remedy string }{
		"the former section": {"s3: {bucket: abc}\nretention: {days: 30, min_keep: 3}\n", `:2: unknown key "retention"`, "`keep:` with last, days,"},
		"in a job":           {"s3: {bucket: abc}\njobs:\n  a:\n    retention: {days: 3}\n", `:4: unknown key "retention"`, "min_good (which was min_keep)"},
		"the former minimum": {"s3: {bucket: abc}\nkeep: {min_keep: 3}\n", `:2: unknown key "min_keep"`, "config check --help"},
		"who deletes":        {"s3: {bucket: abc}\nkeep:\n  by: nobody\n", `:3: keep.by: "nobody"`, "backup or timer"},
		"an empty section":   {"s3: {bucket: abc}\nkeep:\n", ":2: an empty value in keep", "leave the key out"},
		"an empty rule":      {"s3: {bucket: abc}\njobs:\n  a:\n    keep:\n      days:\n", ":5: an empty value in keep", "leave the key out"},
		"none, in a job":     {"s3: {bucket: abc}\nkeep: {days: 3}\njobs:\n  a:\n    keep: null\n", ":5: an empty value in keep", "leave the key out"},
	} {
		_, err := load(t, c.yaml, nil)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.Remedy(err), c.remedy) {
			t.Errorf("%s: %v, remedy %q", name, err, fault.Remedy(err))
		}
	}
}

func TestAJobsRuleIsNotItsNeighbours(t *testing.T) {
	yaml := "s3: {bucket: abc}\nkeep: {days: 30}\njobs:\n  a: {keep: {days: 7}}\n  b: {}\n  c: {keep: {days: 1}}\n"
	for range 20 { // jobs are read in the order of a map
		c, err := load(t, yaml, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{7, 30, 1} {
			if got := c.Jobs[i].Keep.Days; got != want {
				t.Fatalf("job %s keeps %d days, want %d", c.Jobs[i].Name, got, want)
			}
		}
	}
}

func TestTheRulesThatAreSetAreNamed(t *testing.T) {
	if got := (Keep{MinGood: 3}).String(); got != "" {
		t.Errorf("no rules are %q", got)
	}
	k := Keep{Last: 1, Days: 2, Daily: 3, Weekly: 4, Monthly: 5, Yearly: 6}
	if got := k.String(); got != "last 1, days 2, daily 3, weekly 4, monthly 5, yearly 6" {
		t.Errorf("%q", got)
	}
}
