package ui_test

import (
	"errors"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// copiedNewest lets three copies be configured, of which one has the newest set of the fixture.
func copiedNewest(w *uitest.World, _ *ui.Options) {
	w.AllSets[0].Copies = []backup.SetCopy{
		{Copy: "other-region", State: backup.CopyGood, Level: backup.LevelReadable, ProvenAt: uitest.Now},
		{Copy: "vault", State: backup.CopyMissing},
		{Copy: "far", State: backup.CopyUnknown, Problem: "no route"},
	}
}

func TestARestoreReadsFromACopyThatHasTheSetAndFromNoOther(t *testing.T) {
	d, w := open(t, copiedNewest)
	ready(d).Press("2", "enter").Until("other-region: readable, proven")
	for _, want := range []string{"vault: missing", "far: ? (no route)"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("no %q in\n%s", want, plain(d))
		}
	}
	d.Press("esc", "R").Until("everything, in the place")
	d.Press("enter").Until("free")
	d.Press("enter").Until("OPTIONS")
	for !strings.Contains(reversed(d), "From") {
		d.Press("down")
	}
	d.Press("right").Until("this copy; the main bucket is not asked")
	d.Press("right").Until("the main bucket")
	d.Press("right").Until("other-region")
	d.Press("enter").Until("all passed")
	if !strings.Contains(strings.Join(strings.Fields(plain(d)), " "), "--from other-region") {
		t.Errorf("the same as a command has no copy:\n%s", plain(d))
	}
	if got := w.Asked[len(w.Asked)-1].From; got != "other-region" {
		t.Errorf("asked for %q", got)
	}
}

func TestWhatACopyHasIsShownBesideTheErrorOfAMainBucketThatIsDown(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		for i := range w.AllSets {
			w.AllSets[i].At = "other-region"
		}
		w.Fail["sets"] = errors.New("no route to the main bucket")
	})
	d.Press("2").Until("bucket fails since")
	d.Press("enter").Until("copy other-region; the main bucket does not answer")
}

func TestTheBucketScreenCountsWhatEachCopyHas(t *testing.T) {
	d, _ := open(t, copiedNewest)
	ready(d).Press("6").Until("COPIES")
	for _, want := range []string{"other-region: 1 good backup, last proven", "vault: 0 good backups, 1 backup not there, none proven there", "far: not known: no route"} {
		if !strings.Contains(strings.Join(strings.Fields(plain(d)), " "), want) {
			t.Errorf("no %q in\n%s", want, plain(d))
		}
	}
}
