package config

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Keep says which sets stay. Its rules are a union: a set stays when any of them keeps it. A rule
// that is 0 is not set, and without any rule nothing is ever deleted.
type Keep struct {
	Last    int // the newest so many
	Days    int // all that are not older
	Daily   int // the newest of each of the last so many days, UTC, that have one
	Weekly  int // the same with weeks from Monday (ISO 8601)
	Monthly int
	Yearly  int

	MinGood int   // good sets that stay whatever the rules say; default 3, at least 1
	By      Prune // who deletes
}

// Prune is who deletes what no rule keeps.
type Prune string

// The two ways. With PruneByTimer the credentials of backups need no right to delete.
const (
	PruneByBackup Prune = "backup" // each backup run, at its end; the default
	PruneByTimer  Prune = "timer"  // postgres-backup-prune@.timer
)

const defaultMinGood = 3

// Rule is one rule that is set.
type Rule struct {
	Name string // as in the file
	N    int
}

// Rules are those that are set, in the file's order.
func (k Keep) Rules() []Rule {
	var set []Rule
	for _, r := range []Rule{
		{"last", k.Last},
		{"days", k.Days},
		{"daily", k.Daily},
		{"weekly", k.Weekly},
		{"monthly", k.Monthly},
		{"yearly", k.Yearly},
	} {
		if r.N > 0 {
			set = append(set, r)
		}
	}
	return set
}

// String is the rules as a person would write them: "days 30, weekly 8".
func (k Keep) String() string {
	var words []string
	for _, r := range k.Rules() {
		words = append(words, r.Name+" "+strconv.Itoa(r.N))
	}
	return strings.Join(words, ", ")
}

// fileKeep is the section in the file. Counts are values, not pointers: a job's section is decoded
// over a copy of the top's, and a shared pointer would give one job's rule to all.
type fileKeep struct {
	Last    count  `yaml:"last"`
	Days    count  `yaml:"days"`
	Daily   count  `yaml:"daily"`
	Weekly  count  `yaml:"weekly"`
	Monthly count  `yaml:"monthly"`
	Yearly  count  `yaml:"yearly"`
	MinGood count  `yaml:"min_good"`
	By      string `yaml:"by"`

	Schedule calendars `yaml:"schedule"`
	Jitter   jitter    `yaml:"jitter"`
}

// count is a whole number from 1 up. Whoever writes 0 may mean "none" or "no limit": neither is
// guessed where sets are deleted by it.
type count int

func (c *count) UnmarshalYAML(n *yaml.Node) error {
	var v int
	if err := n.Decode(&v); err != nil || v < 1 || n.ShortTag() != "!!int" { // 1.5 would decode too
		return fmt.Errorf("line %d: %q is not a whole number from 1 up; leave the key out where no such rule is meant",
			n.Line, n.Value)
	}
	*c = count(v)
	return nil
}

// keep resolves the section; RETENTION_DAYS, the shell script's variable, is stronger.
func (l loader) keep(name string, f fileKeep) (Keep, error) {
	k := Keep{
		Last: int(f.Last), Days: int(f.Days), Daily: int(f.Daily), Weekly: int(f.Weekly), Monthly: int(f.Monthly),
		Yearly:  int(f.Yearly),
		MinGood: int(f.MinGood), By: Prune(cmp.Or(f.By, string(PruneByBackup))),
	}
	if k.MinGood == 0 {
		k.MinGood = defaultMinGood
	}
	if k.By != PruneByBackup && k.By != PruneByTimer {
		return k, l.problem(name, fmt.Sprintf("%q is not known", f.By), "Choose backup or timer.", "keep", "by")
	}
	if text := l.env("RETENTION_DAYS"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 {
			return k, fault.New(fault.Config, fmt.Sprintf("config: RETENTION_DAYS=%q is not a number of days", text),
				"Set a whole number from 1 up, or unset it.", nil)
		}
		k.Days = days
	}
	return k, nil
}

// formerKeys are keys that pgbtui once had, and what to write instead.
var formerKeys = map[string]string{
	"retention": "Write `keep:` with last, days, daily, weekly, monthly, yearly and min_good (which was min_keep).",
}

// refuseEmptyKeep: YAML reads an empty value as "not given", and a job would go on by the top's
// rules where somebody meant none.
func (d *document) refuseEmptyKeep() error {
	if len(d.root.Content) == 0 {
		return nil
	}
	sections := []*yaml.Node{d.root.Content[0]}
	if jobs := child(d.root.Content[0], "jobs"); jobs != nil {
		sections = append(sections, jobs.Content...)
	}
	for _, section := range sections {
		keep := child(section, "keep")
		if keep == nil {
			continue
		}
		for _, n := range append([]*yaml.Node{keep}, keep.Content...) {
			if n.ShortTag() == "!!null" {
				return fault.New(fault.Config, fmt.Sprintf("config: %s:%d: an empty value in keep", d.file, n.Line),
					"Give the rule a number, or leave the key out: then the settings at the top apply.", nil)
			}
		}
	}
	return nil
}
