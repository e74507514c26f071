package archive

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestPlannerStatisticsAreNoObjectsThatSomebodyChooses(t *testing.T) {
	raw, err := os.ReadFile("testdata/pg19.pgc")
	if err != nil {
		t.Fatal(err)
	}
	a, err := scan(raw)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var customers []Entry
	for _, e := range a.Entries {
		kinds[e.Desc]++
		if e.Desc == "TABLE" && e.Tag == "customers" {
			customers = append(customers, e)
		}
	}
	if kinds["STATISTICS DATA"] < 10 || kinds["EXTENDED STATISTICS DATA"] != 1 {
		t.Fatalf("the archive has no statistics: %v", kinds)
	}
	for name, asked := range map[string][]Entry{
		"a table": customers, "a schema": a.InSchema("public"), "everything": a.Everything(),
	} {
		c := a.Choose(asked, Choosing{})
		if !slices.ContainsFunc(c.Entries(c.IDs), func(e Entry) bool { return e.Desc == "STATISTICS" && e.Tag == "pairs" }) {
			t.Errorf("%s comes without its extended statistics' definition", name)
		}
		for _, e := range append(c.Entries(c.IDs), c.LeftOut...) {
			if strings.HasSuffix(e.Desc, "STATISTICS DATA") {
				t.Errorf("%s: %s %s is taken for an object", name, e.Desc, e.Tag)
			}
		}
	}
}

func TestWhetherStringsTakeBackslashesForEscapesIsKnown(t *testing.T) {
	for name, raw := range stored(t) {
		for _, setting := range []string{"'on'", "'off'"} {
			changed, err := edited(raw, Edit{Definition: func(_ int, desc, sql string) (string, error) {
				if desc == "STDSTRINGS" {
					return "SET standard_conforming_strings = " + setting + ";\n", nil
				}
				return sql, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			if a, err := scan(changed); err != nil || a.OldStrings != (setting == "'off'") {
				t.Errorf("%s: %s: %v, %v", name, setting, a.OldStrings, err)
			}
		}
	}
}
