package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/lifecycle"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

func job(keep config.Keep) config.Job {
	return config.Job{Name: "shop", Instance: "db1", Database: "shop", S3: config.S3{Prefix: "postgresql"}, Keep: keep}
}

func TestEachRuleThatTouchesSetsIsComparedWithWhatRetentionKeeps(t *testing.T) {
	month := config.Keep{Days: 30}
	year := config.Keep{Days: 7, Monthly: 12}
	for name, c := range map[string]struct {
		keep  config.Keep
		rule  s3.LifecycleRule
		want  string // of the only conflict; "" = none
		costs bool
	}{
		"expires earlier":           {month, s3.LifecycleRule{ExpireDays: 7}, "deletes sets after 7 days by their age alone, also the newest good one if backups have stopped; retention keeps days 30", false},
		"expires later":             {month, s3.LifecycleRule{ExpireDays: 400}, "deletes sets after 400 days", false},
		"expires, nothing is to go": {config.Keep{}, s3.LifecycleRule{ExpireDays: 400}, "the job has no rules to keep", false},
		"expires on a day":          {month, s3.LifecycleRule{ExpireAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, "on 2027-01-01", false},
		"of a folder below":         {month, s3.LifecycleRule{Prefix: "postgresql/db1/shop/2026", ExpireDays: 7}, "deletes sets", false},
		"of another folder":         {month, s3.LifecycleRule{Prefix: "postgresql/db2/", ExpireDays: 7}, "", false},
		"of a name that begins so":  {month, s3.LifecycleRule{Prefix: "postgresql/db1/shops", ExpireDays: 7}, "", false},
		"some sizes":                {month, s3.LifecycleRule{Narrow: true, ExpireDays: 7}, "(for objects of some sizes or tags) deletes", false},
		"archives":                  {year, s3.LifecycleRule{Transitions: []s3.Transition{{Class: "GLACIER", Days: 90}}}, "moves sets to GLACIER after 90 days, with their manifests", false},
		"archives what is kept on":  {config.Keep{Last: 3}, s3.LifecycleRule{Transitions: []s3.Transition{{Class: "DEEP_ARCHIVE", Days: 900}}}, "moves sets to DEEP_ARCHIVE", false},
		"archives nothing":          {month, s3.LifecycleRule{Transitions: []s3.Transition{{Class: "GLACIER", Days: 90}}}, "", false},
		"a minimum that is longer":  {month, s3.LifecycleRule{Transitions: []s3.Transition{{Class: "STANDARD_IA", Days: 10}}}, "where each is paid for 30 days at least", true},
		"a minimum that fits":       {year, s3.LifecycleRule{Transitions: []s3.Transition{{Class: "GLACIER_IR", Days: 30}}}, "", false},
		"archives dumps":            {year, s3.LifecycleRule{Narrow: true, OverBytes: 256 << 20, Transitions: []s3.Transition{{Class: "GLACIER", Days: 90}}}, "(for objects of some sizes or tags) moves dumps to GLACIER after 90 days", false},
		"archives contents too":     {year, s3.LifecycleRule{Narrow: true, OverBytes: 255 << 20, Transitions: []s3.Transition{{Class: "GLACIER", Days: 90}}}, "with their manifests", false},
		"archives dumps, too late":  {month, s3.LifecycleRule{Narrow: true, OverBytes: 256 << 20, Transitions: []s3.Transition{{Class: "GLACIER", Days: 30}}}, "", false},
		"aborts what is under way":  {month, s3.LifecycleRule{AbortDays: 1}, "aborts uploads a day after they began", false},
		"old versions":              {month, s3.LifecycleRule{NoncurrentDays: 7, AbortDays: 7, ExpireMarkers: true, Transitions: []s3.Transition{{Class: "GLACIER", Days: 1, Noncurrent: true}}}, "", false},
	} {
		c.rule.ID, c.rule.Enabled = "tidy", true
		got := lifecycle.Conflicts(job(c.keep), []s3.LifecycleRule{c.rule})
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0].What, c.want) || !strings.HasPrefix(got[0].What, `rule "tidy"`) || got[0].Costs != c.costs):
			t.Errorf("%s: %+v", name, got)
		}
		c.rule.Enabled = false
		if got := lifecycle.Conflicts(job(c.keep), []s3.LifecycleRule{c.rule}); len(got) > 0 {
			t.Errorf("%s, disabled: %+v", name, got)
		}
	}
}

func TestDumpsThatAreArchivedAsTheJobSaysAreNoConflict(t *testing.T) {
	j := job(config.Keep{Days: 400})
	j.Transition = config.Transition{Class: "DEEP_ARCHIVE", Days: 60}
	rule := s3.LifecycleRule{Enabled: true, Narrow: true, OverBytes: 256 << 20, Transitions: []s3.Transition{{Class: "DEEP_ARCHIVE", Days: 60}}}
	if got := lifecycle.Conflicts(j, []s3.LifecycleRule{rule}); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	rule.Transitions[0].Days = 30
	if got := lifecycle.Conflicts(j, []s3.LifecycleRule{rule}); len(got) != 1 {
		t.Errorf("another time: %+v", got)
	}
}
