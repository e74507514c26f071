package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// gateOf opens the page that replaces sales.
func gateOf(t *testing.T, change func(w *uitest.World, o *ui.Options)) (*ui.Driver, *uitest.World) {
	t.Helper()
	d, w := wizard(t, change)
	d.Press("up", "enter")
	shows(d, "WHICH DATABASE IS REPLACED", "✓ exists")
	d.Press("enter")
	shows(d, "OPTIONS")
	d.Press("enter")
	shows(d, "REPLACE THE LIVE DATABASE sales ON db01 15/main")
	return d, w
}

func TestALiveDatabaseIsReplacedOnlyWhenChecksAreGreenAndItsNameIsTyped(t *testing.T) {
	d, w := gateOf(t, nil)
	shows(d, "3.8 GiB", "pid 4711", "a check failed")
	d.Press("sales", "enter")
	shows(d, "enter: a check failed")
	d.Press("tab")
	shows(d, "are ENDED in the end", "they will be ended", "enter: replace")
	d.Press("x")
	shows(d, "that is not its name")
	d.Press("enter")
	shows(d, "enter: that is not its name")
	if len(w.Started) != 0 {
		t.Fatalf("started %v", w.Started)
	}
	d.Press("backspace", "enter")
	shows(d, "replacement of sales")
	if r := asked(t, w); r.Replace != "sales" || r.Confirm != "sales" || !r.Terminate || r.To != "" {
		t.Errorf("%+v", r)
	}
	w.Ends(restoreUnit, ui.RunOK, replaced())
	shows(d, "rows compared: 4 tables, 38,077,654 rows", "sales_before_20261123T031220Z is what was live",
		"pgbtui restore swap", "dropdb -- sales_before_20261123T031220Z")
}

func TestWhatWasReplacedIsPutBackFromTheRunsPage(t *testing.T) {
	d, w := gateOf(t, nil)
	d.Press("tab")
	shows(d, "they will be ended")
	d.Press("sales", "enter")
	shows(d, "replacement of sales")
	d.Press("U")
	shows(d, "U: it continues; X cancels it")
	w.Ends(restoreUnit, ui.RunOK, replaced())
	shows(d, "Go back")
	d.Press("U")
	shows(d, "PUT BACK WHAT WAS LIVE BEFORE IN THE PLACE OF sales", "a check failed")
	d.Press("tab")
	shows(d, "they will be ended")
	d.Press("sales", "enter")
	shows(d, "putting back of sales")
	if r := asked(t, w); r.Swap != "sales" || r.With != "sales_before_20261123T031220Z" || r.Confirm != "sales" || !r.Terminate {
		t.Errorf("%+v", r)
	}
	w.Ends(undoUnit, ui.RunOK, &ui.RestoreResult{Over: true, Request: ui.RestoreRequest{Swap: "sales"}, Swapped: &restore.Undone{Database: "sales", With: "sales_before_20261123T031220Z", Kept: "sales_undone_20261123T040000Z"}})
	shows(d, "sales is what sales_before_20261123T031220Z was", "--with=sales_undone_20261123T040000Z")
	d.Press("esc") // the page of what was replaced is gone: it would tell of what is over
	shows(d, "newest first")
}

func TestAReplacementThatStoppedSaysHowThingsStand(t *testing.T) {
	d, w := gateOf(t, nil)
	d.Press("tab")
	shows(d, "they will be ended")
	d.Press("sales", "enter")
	shows(d, "replacement of sales")
	w.Ends(restoreUnit, ui.RunFailed, &ui.RestoreResult{Over: true, Err: fault.New(fault.Refused, `restore stopped, database "sales" is as it was`, "stop what is connected", errors.New("2 connections"))})
	shows(d, `database "sales" is as it was`, "→ stop what is connected", "journalctl -u "+restoreUnit)
	d.Press("U")
	shows(d, "this run replaced nothing")
}

func TestARunThatDiedHasNoResultThatLooksGood(t *testing.T) {
	d, w := gateOf(t, nil)
	d.Press("tab")
	shows(d, "they will be ended")
	d.Press("sales", "enter")
	shows(d, "replacement of sales")
	w.Ends(restoreUnit, ui.RunLost, &ui.RestoreResult{Request: ui.RestoreRequest{Request: restore.Request{Replace: "sales"}}})
	shows(d, "it did not finish")
	if v := plain(d); strings.Contains(v, "✓") {
		t.Error(v)
	}
}

func TestChecksLeftToTheUnitAreNotGreenForALiveDatabase(t *testing.T) {
	d, w := open(t, func(_ *uitest.World, o *ui.Options) { o.Sources.Planner = leaving{o.Sources.Planner} })
	ready(d).Press("2", "R").Until("WHAT COMES BACK")
	d.Press("up", "enter", "enter", "enter")
	shows(d, "none made here")
	d.Press("sales", "enter")
	shows(d, "the checks could not be made from here")
	if len(w.Started) != 0 {
		t.Error(w.Started)
	}
}

func TestAnUnsignedSetIsNotRestoredFromTheConsoleWhichNamesTheCommandThatDoes(t *testing.T) {
	for signature, said := range map[backup.Signature]string{
		backup.SignatureMissing: "R: nobody signed it: only by pgbtui restore ID --accept-unsigned",
		backup.SignatureForged:  "R: this backup cannot be used: its signature does not fit",
	} {
		d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
			w.AllSets = w.AllSets[:1]
			s := &w.AllSets[0]
			s.Signature, s.Problem, s.ProblemCode = signature, "its signature does not fit", fault.Refused
		})
		ready(d).Press("2", "R")
		shows(d, said)
	}
}

// leaving is a planner whose user PostgreSQL does not let in.
type leaving struct{ ui.Planner }

func (l leaving) Preflight(context.Context, ui.RestoreRequest) (ui.Plan, error) {
	return ui.Plan{Left: true, Checks: []restore.Check{{OK: true, Warn: true, Detail: "PostgreSQL lets only the unit in"}}}, nil
}

func TestTheServersOwnDatabasesAndNamesThatCannotBeSeenAreNotReplaced(t *testing.T) {
	d, _ := wizard(t, nil)
	d.Press("up", "enter")
	shows(d, "✓ exists")
	d.Press("ctrl+u", "postgres", "enter")
	shows(d, "PostgreSQL's own and cannot be replaced")
	d.Press("ctrl+u", "sales\u200b", "enter")
	shows(d, "characters that cannot be seen")
}

func TestReadOnlyNeverArmsTheReplacement(t *testing.T) {
	d, w := gateOf(t, func(_ *uitest.World, o *ui.Options) { o.Write = ui.Write{Denied: "read-only by configuration"} })
	d.Press("tab")
	shows(d, "they will be ended")
	d.Press("sales", "enter")
	shows(d, "(read-only by configuration)")
	d.Press("esc", "esc", "esc", "esc", ":", "undo sales", "enter")
	shows(d, "undo: read-only by configuration")
	if len(w.Started) != 0 {
		t.Error(w.Started)
	}
}

func TestTheReplacementsPageIsInReverseColoursThroughout(t *testing.T) {
	d, _ := gateOf(t, nil)
	shows(d, "a check failed")
	lines := strings.Split(d.View(), "\n")
	for i, l := range lines[2 : len(lines)-2] {
		if !strings.Contains(l, "\x1b[7m") && !strings.Contains(l, "\x1b[1;7m") && !strings.Contains(l, ";7m") {
			t.Errorf("line %d is not reversed: %q", i+3, ansi.Strip(l))
		}
	}
}
