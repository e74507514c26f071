package ui_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

func TestThePreviewSaysOfEachSetWhyItStaysOrGoes(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("2", "p").Until("5 deleted")
	for _, want := range []string{
		"days 10; each backup deletes by them", "10 kept, 5 deleted (3.3 GiB),", "1 of 2 leftovers (1.2 GiB)",
		"7 old versions, 3.0 GiB, and 2 delete markers", "✗ DELETE 20261112T020010Z-1a2b3c", "✓ KEEP", "newest good backup", "a preview, nothing was deleted",
	} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("no %q:\n%s", want, plain(d))
		}
	}
	d.Press("/", "upload", "enter").Until("upload, about $0.03 a month: its run is dead")
	d.Press("esc", "/", "20261120", "enter").Until("locked by the store until")
	if len(w.Started) != 0 {
		t.Errorf("a preview started %v", w.Started)
	}
}

func TestThePlanIsCarriedOutOnlyAfterTheNumberOfBackupsIsTyped(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("2", "p").Until("5 deleted")
	d.Press("D").Until("Type 5").Until("DELETE 5 BACKUPS OF sales")
	d.Press("enter").Until("enter: type the number")
	d.Press("4", "enter").Until("that is not the number")
	if len(w.Started) != 0 {
		t.Fatalf("started %v", w.Started)
	}
	d.Press("backspace", "5", "enter").Until("LAST LINES")
	if got := w.Started; !slices.Equal(got, []string{"prune postgres-backup-prune@sales.service"}) {
		t.Errorf("started %v", got)
	}
	d.Press("esc").Until("newest first") // the plan that was carried out is left too
}

func TestAPlanThatChangedMeanwhileIsNotCarriedOut(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("2", "p").Until("5 deleted")
	d.Press("D").Until("Type 5")
	w.Change(func(w *uitest.World) { ofSales(w, 14).Hold = &backup.Hold{By: "bert", Host: "db02", At: uitest.Now} })
	d.Press("5", "enter").Until("4 backups would go now")
	if len(w.Started) != 0 {
		t.Errorf("started %v", w.Started)
	}
	d.Press("esc", "r").Until("11 kept, 4 deleted")
}

func TestAGuardedPlanIsLeftToTheCommandLineAndItsLineShown(t *testing.T) {
	d, w := open(t, func(w *uitest.World, o *ui.Options) {
		plan, err := w.Plan(t.Context(), o.Jobs[2])
		if err != nil {
			t.Fatal(err)
		}
		plan.Doubts = []string{"this host's clock is 3652 days ahead of the store's: set it (timedatectl status)"}
		w.Pruning = &plan
	})
	ready(d).Press("2", "p").Until("guarded: this host's clock is 3652 days ahead").Until("pgbtui prune --job sales --confirm 5")
	d.Press("D").Until("D: it looks wrong: only the command line carries it out")
	if len(w.Started) != 0 {
		t.Errorf("started %v", w.Started)
	}
}

func TestWithoutRightsThePreviewIsShownAndNothingCanBeDeleted(t *testing.T) {
	d, _ := open(t, func(_ *uitest.World, o *ui.Options) { o.Write = ui.Write{Denied: "read-only by configuration"} })
	ready(d).Press("2", "p").Until("10 kept, 5 deleted")
	d.Press("D").Until("D: read-only by configuration")
}

func TestAPlanThatCannotBeMadeSaysWhy(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) { w.Fail["plan"] = uitest.ErrBucket })
	ready(d).Press("2", "p").Until("cannot be planned").Until("Check the network of this host")
}

func TestADeniedPruneSaysSoAndDeletesNothing(t *testing.T) {
	d, w := open(t, func(w *uitest.World, _ *ui.Options) { w.Fail["start"] = errors.New("access denied") })
	ready(d).Press(":", "prune sales", "enter").Until("10 kept, 5 deleted")
	d.Press("D").Until("Type 5")
	d.Press("5", "enter").Until("access denied").Until("(type the number)")
	if len(w.AllSets) == 0 {
		t.Error("sets are gone")
	}
}

func TestWhatDeletesIsLookedAtFirstWhereverItIsStartedFrom(t *testing.T) {
	d, w := open(t, func(w *uitest.World, _ *ui.Options) {
		w.AllTimer = append(w.AllTimer, ui.Timer{Unit: "postgres-backup-prune@sales.timer", Service: "postgres-backup-prune@sales.service", Action: "prune", Job: "sales", Database: "sales", State: ui.TimerOn, Next: uitest.Now})
		w.AllRuns = append(w.AllRuns, ui.UnitRun{Unit: "postgres-backup-prune@sales.service", Action: "prune", Job: "sales", Database: "sales", State: ui.RunFailed, Again: true})
	})
	ready(d).Press("4").Until("Calendar")
	d.Press("G", "b").Until("10 kept, 5 deleted")
	d.Press("esc", "3", "/", "prune", "enter", "b").Until("10 kept, 5 deleted")
	d.Press("tab", "enter")
	if len(w.Started) != 0 {
		t.Errorf("started %v", w.Started)
	}
}
