package ui_test

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

func TestTwoOperatorsAtOnceSeeEachOthersRunsAndStartNothingTwice(t *testing.T) {
	first, w := open(t, nil)
	o := w.Options()
	o.Look.NoColor = true
	second := ui.Drive(t, o, 80, 24)
	ready(first).Press("G", "b").Until("Same as")
	ready(second).Press("G", "b").Until("Same as")
	first.Press("tab", "enter").Until("LAST LINES")
	second.UntilIs("the run of the other", func(string) bool { return strings.Contains(plain(second), "backup running [a]") })
	second.Press("tab", "enter").Until("it was already running: this is that run")
	if got := w.Started; !slices.Equal(got, []string{"backup postgres-backup@sales.service"}) {
		t.Errorf("started %v", got)
	}
	w.Step()
	for _, d := range []*ui.Driver{first, second} {
		d.UntilIs("progress", func(string) bool { return strings.Contains(plain(d), "▶ dump") })
	}
	second.Press("X").Until("Let it run")
	second.Press("y", "enter").Until("CANCELLED")
	first.UntilIs("what the other did", func(string) bool { return strings.Contains(plain(first), "CANCELLED") })
}

func TestTwoOperatorsWhoHoldAndReleaseOneSetBothSeeHowItStands(t *testing.T) {
	first, w := open(t, nil)
	o := w.Options()
	o.Look.NoColor = true
	second := ui.Drive(t, o, 80, 24)
	ready(first).Press("2", "K").Until("y, then enter")
	first.Press("y", "enter").Until("held: 20261123T020010Z-1a2b3c")
	ready(second).Press("2", "r").UntilIs("held", func(string) bool { return strings.Count(plain(second), "sales held") == 2 })
	second.Press("K").Until("held by anna on db01")
}

func TestARetryingRunSaysWhichTryOfHowMany(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		r := &w.AllRuns[0]
		r.State, r.Attempt, r.Attempts, r.Detail = ui.RunQueued, 2, 4, "attempt 2 of 4 failed (exit code 69), tries again by itself"
	})
	ready(d).Press("3").Until("attempt 2 of 4 failed").Press("enter").Until(", attempt 2 of 4")
}

func TestAUnitThatSystemdRefusesAfterTooManyStartsIsOfferedAResetAndAStart(t *testing.T) {
	d, w := open(t, func(w *uitest.World, _ *ui.Options) {
		r := &w.AllRuns[0]
		r.Detail, r.Remedy = "started too often in too short a time", "mend the cause, then b: it clears the count of starts and starts it"
	})
	ready(d).Until("started too often in too short a time").Until("clears the count of starts")
	d.Press("3", "b").Until("Run the backup of crm again")
	for _, want := range []string{"systemctl reset-failed postgres-backup@crm.service;", "count of starts is cleared first", "[ Cancel ]"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("the dialog does not show %q:\n%s", want, plain(d))
		}
	}
	d.Press("tab", "enter").Until("QUEUED")
	if got := w.Started; !slices.Equal(got, []string{"backup postgres-backup@crm.service"}) {
		t.Errorf("started %v", got)
	}
}
