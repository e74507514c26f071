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

func TestADrillIsADialogThatSaysWhatItNeedsAndStartsItsUnit(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("2", "d").Until("Same as")
	for _, want := range []string{"postgres-drill@", "Drill a backup of sales", "3.8 GiB of disk", "pgbtui drill 20261123T020010Z-1a2b3c", "[ Cancel ]"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("the dialog does not show %q:\n%s", want, plain(d))
		}
	}
	d.Press("tab", "enter").Until("LAST LINES")
	w.Step()
	d.UntilIs("progress", func(string) bool { return strings.Contains(plain(d), "▶ restore") })
	if got := w.Started; !slices.Equal(got, []string{"drill postgres-drill@1.service"}) {
		t.Errorf("started %v", got)
	}
}

func TestAHoldWantsYThenEnterAndShowsAtOnce(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("2", "K").Until("y, then enter")
	d.Press("enter").UntilIs("left", func(string) bool { return !strings.Contains(plain(d), "Then") })
	if w.AllSets[0].Hold != nil {
		t.Fatal("enter alone held it")
	}
	d.Press("K").Until("y, then enter")
	d.Press("y", "audit", "enter").Until("held: 20261123T020010Z-1a2b3c")
	d.UntilIs("read again", func(string) bool {
		return strings.Contains(plain(d), "sales held             23 Nov") || strings.Count(plain(d), "sales held") == 2
	})
	if h := w.AllSets[0].Hold; h == nil || h.Reason != "audit" {
		t.Errorf("%+v", h)
	}
	d.Press("K").Until("Release it")
	if !strings.Contains(plain(d), "held by anna on db01") {
		t.Error(plain(d))
	}
	d.Press("y", "enter").Until("released: 20261123T020010Z-1a2b3c")
	if w.AllSets[0].Hold != nil {
		t.Error("it is still held")
	}
}

func TestARefusedHoldStaysOnScreenWithItsReason(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) { w.Fail["hold"] = errors.New("access denied") })
	ready(d).Press("2", "K").Until("y, then enter")
	d.Press("y", "enter").Until("access denied")
}

func TestWhatKeepsASetAndWhoWroteItIsShown(t *testing.T) {
	d, _ := open(t, nil)
	ready(d).Press("2").UntilIs("both", func(string) bool {
		return strings.Contains(plain(d), "sales held") && strings.Contains(plain(d), "sales locked")
	})
	d.Press("/", "20261120T0200", "enter").Until("1 backup")
	d.Press("enter").Until("Locked").Until("by the store until 2026-12-05").Until("Signature")
}

func TestATimerRunsWhatItStartsNow(t *testing.T) {
	d, w := open(t, func(w *uitest.World, _ *ui.Options) {
		w.AllTimer = append(w.AllTimer, ui.Timer{
			Unit: "postgres-backup-drill@sales.timer", Service: "postgres-backup-drill@sales.service", Action: "drill", Job: "sales",
			Database: "sales", Enabled: "enabled", Active: true, State: ui.TimerOn, Next: uitest.Now.AddDate(0, 0, 3),
		})
	})
	ready(d).Press("4").Until("Calendar")
	d.Press("G", "b").Until("restores the newest backup into a server of its own")
	d.Press("tab", "enter").Until("LAST LINES")
	if got := w.Started; len(got) != 1 || !strings.Contains(got[0], "postgres-backup-drill@sales.service") {
		t.Errorf("started %v", got)
	}
}

func TestTheNextBackupIsNotTheNextLookOfTheWatch(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		w.AllTimer = append(w.AllTimer, ui.Timer{Unit: "postgres-backup-watch.timer", Service: "postgres-backup-watch.service", Action: "watch", Enabled: "enabled", Active: true, State: ui.TimerOn, Next: uitest.Now.Add(60e9)})
	})
	ready(d).UntilIs("next", func(string) bool {
		i := strings.Index(plain(d), "NEXT")
		return i >= 0 && !strings.Contains(plain(d)[i:i+40], "watch")
	})
}

func TestTheDetailsSayWhoKnowsOfALoss(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		w.AllSets[0].Acknowledged = &backup.Acknowledgement{By: "anna", Host: "db01", At: uitest.Now, Reason: "a lifecycle rule\x1b[2J"}
	})
	ready(d).Press("2", "enter").Until("acknowledged by anna on db01")
	if view := plain(d); !strings.Contains(view, "Lost") || strings.Contains(view, "\x1b[2J") {
		t.Error(view)
	}
}

func TestALossIsAcknowledgedWithAReasonFromTheConsole(t *testing.T) {
	d, w := open(t, func(w *uitest.World, _ *ui.Options) {
		w.AllSets[0].Problem, w.AllSets[0].Lost = "dump.pgc.zst is gone", []string{"dump.pgc.zst"}
	})
	ready(d).Press("2", "A").Until("dump.pgc.zst is gone").Until("y, then enter")
	d.Press("y", "enter").Until("Say in a few words")
	d.Press("esc").UntilIs("left", func(string) bool { return !strings.Contains(plain(d), "Acknowledge it") })
	if w.AllSets[0].Acknowledged != nil {
		t.Fatal("acknowledged without a reason")
	}
	d.Press("A").Until("y, then enter").Press("y", "moved", "enter").Until("acknowledged: ")
	if a := w.AllSets[0].Acknowledged; a == nil || a.Reason != "moved" {
		t.Errorf("%+v", a)
	}
	d.UntilIs("read again", func(string) bool {
		_, all := d.Keys()
		return !strings.Contains(strings.Join(all, "\n"), "acknowledge what is lost")
	})
	lost := uitest.New()
	lost.AllSets[0].Problem, lost.AllSets[0].Lost = "dump.pgc.zst is gone", []string{"dump.pgc.zst"}
	out := talk(t, lost, lost.Options(), "2", "1", "1", "yes", "moved", "0", "0", "0")
	if !strings.Contains(out, "Acknowledge what is lost of it") {
		t.Error(out)
	}
}
