package config

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestJobsOfOneDatabaseKnowEachOtherAndNoMore(t *testing.T) {
	c, err := load(t, `
s3: {bucket: company-backups}
jobs:
  hourly: {database: analytics, formerly: [analytics]}
  weekly: {database: analytics, s3: {storage_class: GLACIER_IR, profile: cold}}
  offsite: {database: analytics, s3: {bucket: other-bucket}}
  replica: {database: analytics, instance: db2}
  shop: {database: shop}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"hourly": {"weekly"}, "weekly": {"hourly"}, "offsite": nil, "replica": nil, "shop": nil} {
		if j, err := c.Job(name); err != nil || !slices.Equal(j.Beside, want) {
			t.Errorf("%s is beside %q, %v; want %q", name, j.Beside, err, want)
		}
	}
}

func TestAFormerNameHasOneOwner(t *testing.T) {
	for name, c := range map[string]struct{ jobs, want string }{
		"its own name":          {"  a: {database: d, formerly: [a]}\n", "not a former name"},
		"twice":                 {"  a: {database: d, formerly: [b, b]}\n", "not a former name"},
		"nothing":               {"  a: {database: d, formerly: ['']}\n", "not a former name"},
		"another job's":         {"  a: {database: d, formerly: [b]}\n  b: {database: d}\n", "another job of the same database"},
		"two jobs' of the same": {"  a: {database: d, formerly: [c]}\n  b: {database: d, formerly: [c]}\n", "are given to job"},
	} {
		_, err := load(t, "s3: {bucket: company-backups}\njobs:\n"+c.jobs, nil)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "config.yaml:3:") && !strings.Contains(err.Error(), "config.yaml:4:") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := load(t, "s3: {bucket: company-backups}\njobs:\n  a: {database: d, formerly: [c]}\n  b: {database: e, formerly: [c]}\n", nil); err != nil {
		t.Errorf("of two databases: %v", err)
	}
}
