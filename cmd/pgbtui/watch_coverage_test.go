package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// status and the watch may not log in: they go by what the newest backup saw.
func TestADatabaseThatNoJobBacksUpIsAWarningUntilItIsExcluded(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "")
	second := w.db + "_second"
	w.pg.Exec(t, "postgres", "CREATE DATABASE "+second)
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP DATABASE "+second) })
	status := func(want fault.Code) (seen jsonStatus) {
		t.Helper()
		code, out := w.run(t, "status", "--json")
		if err := json.Unmarshal([]byte(out), &seen); err != nil || code != want {
			t.Fatalf("%d, want %d: %v %s", code, want, err, out)
		}
		return seen
	}
	if seen := status(fault.Warnings); seen.CoverageAt != nil || len(seen.Uncovered) != 0 {
		t.Errorf("nobody has asked the server yet: %+v", seen)
	}
	if code, out := w.run(t, "--headless"); code != fault.OK {
		t.Fatalf("%d: %s", code, out)
	}
	if seen := status(fault.OK); seen.CoverageAt == nil {
		t.Errorf("everything is excluded: %+v", seen)
	}
	alert := "alert: {channels: [{url: " + h.URL + "}]}\n"
	w.configureExcluding(t, "[postgres, none]", alert)
	named := map[string]bool{}
	for _, u := range status(fault.Warnings).Uncovered {
		named[u.Database] = true
	}
	if !named[second] || named[w.db] {
		t.Errorf("%v", named)
	}
	checkDocument(t, w, "status", "status", "--json")
	if code, out := w.run(t, "status"); code != fault.Warnings || !strings.Contains(out, "WARN no job backs up database "+second) {
		t.Errorf("%d: %s", code, out)
	}
	w.expect(t, h, time.Minute, "no job backs up")
	w.expect(t, h, time.Hour)
	w.configure(t, alert) // excludes everything again
	w.expect(t, h, time.Hour, "all clear")
	status(fault.OK)
}

func TestARestoreThatIsSlowerThanItsObjectiveFailsTheStatusAndIsToldOnce(t *testing.T) {
	h := newHook(t)
	alert := "alert: {channels: [{url: " + h.URL + "}]}\n"
	w := newWatched(t, "rto: 1h\n"+alert)
	if code, out := w.run(t, "--headless"); code != fault.OK {
		t.Fatalf("%d: %s", code, out)
	}
	code, out := w.run(t, "status")
	if code != fault.Warnings || !strings.Contains(out, "the objective of 1h0m0s is unknown") {
		t.Errorf("never measured: %d: %s", code, out)
	}
	w.expect(t, h, time.Minute, "is unknown: no drill or restore has succeeded yet")
	w.expect(t, h, time.Minute)
	if code, out := w.run(t, "drill", "latest"); code != fault.OK {
		t.Fatalf("%d: %s", code, out)
	}
	if code, out := w.run(t, "status"); code != fault.OK || !strings.Contains(out, "; objective 1h 00m") {
		t.Errorf("measured: %d: %s", code, out)
	}
	w.expect(t, h, time.Minute, "all clear")
	w.configure(t, "rto: 1ms\n"+alert)
	code, out = w.run(t, "status")
	if code != fault.Warnings || !strings.Contains(out, "FAIL "+w.db) || !strings.Contains(out, "and the objective is 1ms") {
		t.Errorf("too slow: %d: %s", code, out)
	}
	w.expect(t, h, time.Minute, "a restore takes")
	w.expect(t, h, time.Minute)
}
