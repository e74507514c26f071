package config

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAPatternIsTextWithStars(t *testing.T) {
	for pattern, names := range map[string]map[string]bool{
		"*":       {"": true, "shop": true, "a/b": true},
		"shop":    {"shop": true, "shop2": false, "": false},
		"crm_*":   {"crm_": true, "crm_a": true, "crm": false},
		"*_test":  {"a_test": true, "_test": true, "test": false, "a_test_": false},
		"a*b*a":   {"aba": true, "axbxa": true, "aa": false, "ab": false},
		"aa*aa":   {"aaa": false, "aaaa": true},
		"a[bc]*":  {"a[bc]d": true, "abd": false},
		"*x*x*":   {"x": false, "xx": true, "axbxc": true},
		"**":      {"": true, "x": true},
		"ünïcøde": {"ünïcøde": true},
	} {
		for name, want := range names {
			if got := matches(pattern, name); got != want {
				t.Errorf("%q matches %q: %v", pattern, name, got)
			}
		}
	}
}

const cluster = `
s3: {bucket: backups}
jobs:
  all: {databases: "*", exclude: [scratch, "tmp_*"]}
  crm: {databases: [crm, "crm_*"], formerly: [old]}
  shop: {database: shop}
`

func TestAJobOfSeveralBecomesOneForEachDatabase(t *testing.T) {
	c, err := load(t, cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{
		"all": {"shop", "crm", "scratch", "tmp_1"},
		"crm": {"shop", "crm_b"},
	}
	var got []string
	for _, j := range c.Expand(func(j Job) []string { return found[j.Name] }).Jobs {
		got = append(got, j.Title()+" beside "+strings.Join(j.Beside, ","))
	}
	want := []string{
		"all/crm beside crm", "all/shop beside shop",
		"crm/crm beside all", // it is asked for by name, wherever it is
		"crm/crm_b beside all",
		"shop beside all",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	// Where nothing is found the job is still there, and nothing that it has looks well.
	empty := c.Expand(func(Job) []string { return nil })
	all, err := empty.Job("all")
	if err != nil || all.Database != "" || !all.Several() {
		t.Errorf("%+v, %v", all, err)
	}
	if !c.Excluded("tmp_7") || c.Excluded("shop") {
		t.Error("what is excluded is another")
	}
	named, err := c.Expand(func(j Job) []string { return found[j.Name] }).Named("all")
	if err != nil || len(named) != 2 {
		t.Errorf("%d, %v", len(named), err)
	}
}

func TestASettingForAllJobsExcludesToo(t *testing.T) {
	c, err := load(t, "s3: {bucket: backups}\nexclude: [scratch]\njobs: {all: {databases: \"*\"}, shop: {}}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := c.Job("all")
	shop, _ := c.Job("shop")
	if all.Covers("scratch") || !all.Covers("x") || !c.Excluded("scratch") || !shop.Covers("shop") {
		t.Errorf("%+v", all)
	}
}

func TestDatabasesThatDoNotGoAreRefusedWithTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"jobs:\n  a: {database: x, databases: \"*\"}\n":     ":3: databases: a job has either database or databases",
		"jobs:\n  a:\n    exclude: [x]\n":                   ":4: exclude: there is nothing to exclude from",
		"jobs:\n  a: {databases: [\"\"]}\n":                 ":3: databases: an empty name",
		"jobs:\n  a: {databases: \"*\", exclude: [\"\"]}\n": ":3: exclude: an empty name",
		"jobs:\n  a:\n    databases:\n":                     "",
		"jobs:\n  a:\n    databases: {x: y}\n":              ":4",
		"databases: \"*\"\n":                                ":2: databases: not at the top",
		"jobs:\n  a: {databases: \"*\", formerly: [x]}\n  b: {databases: \"b*\", formerly: [x]}\n": "are given to job",
	} {
		_, err := load(t, "s3: {bucket: backups}\n"+text, nil)
		if want == "" && err == nil {
			continue // an empty value is the same as none
		}
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzAPatternNeverPanicsAndAStarAloneMatchesAll(f *testing.F) {
	f.Add("a*b", "ab")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		_ = matches(pattern, name)
		if !matches("*", name) || !strings.Contains(name, "*") && !matches(name, name) {
			t.Errorf("%q does not match itself", name)
		}
	})
}
