package ui_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// archivedNewest lets the newest set of the fixture lie in an archive class.
func archivedNewest(w *uitest.World, _ *ui.Options) {
	w.Archive(w.AllSets[0].Dir, backup.Archive{State: backup.Archived})
}

func TestAnArchivedSetIsThawedAfterPriceAndTime(t *testing.T) {
	d, w := open(t, archivedNewest)
	ready(d).Press("2").UntilIs("says so", func(string) bool { return strings.Contains(plain(d), "sales archived") })
	d.Press("enter").Until("in GLACIER, cannot be read: T thaws it")
	d.Press("T").Until("y, then enter")
	for _, want := range []string{"bulk: about $0.04, in 5 to 12 hours, by AWS", "> standard: about $0.06, in 3 to 5 hours, by AWS", "expedited: price not known", "pgbtui thaw 20261123T020010Z-1a2b3c --tier standard"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("no %q in\n%s", want, plain(d))
		}
	}
	d.Press("enter").UntilIs("left", func(string) bool { return !strings.Contains(plain(d), "by AWS") })
	if w.AllSets[0].Archive.State != backup.Archived {
		t.Fatal("enter alone thawed it")
	}
	d.Press("T").Until("y, then enter")
	d.Press("left").Until("--tier bulk")
	d.Press("left").Until("--tier expedited")
	d.Press("right").Until("> bulk: about")
	d.Press("y", "enter").Until("asked for: 20261123T020010Z-1a2b3c")
	if w.ThawedBy != "bulk" {
		t.Errorf("asked for %q", w.ThawedBy)
	}
	d.Press("esc").UntilIs("read again", func(string) bool { return strings.Contains(plain(d), "sales thawing") })
	w.Archive(w.AllSets[0].Dir, backup.Archive{State: backup.Thawed, Until: uitest.Now.Add(7 * 24 * time.Hour)})
	d.Press("r").UntilIs("thawed", func(string) bool { return strings.Contains(plain(d), "sales thawed") })
	d.Press("enter").Until("a copy can be read until 30 Nov")
}

func TestAPriceThatIsNotKnownIsNotGuessedAndARefusalStays(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) {
		archivedNewest(w, o)
		w.AllSets[0].Class = "DEEP_ARCHIVE"
		w.Fail["thaw"] = errors.New("access denied")
	})
	ready(d).Press("2", "T").Until("standard: price not known")
	d.Press("y", "enter").Until("access denied")
}

func TestARestoreOfAnArchivedSetOffersTheThaw(t *testing.T) {
	d, w := open(t, archivedNewest)
	ready(d).Press("2", "R").Until("everything, in the place")
	d.Press("enter").Until("free")
	d.Press("enter").Until("OPTIONS")
	if !strings.Contains(plain(d), "it is archived: without a thaw it cannot be read") {
		t.Fatal(plain(d))
	}
	for !strings.Contains(reversed(d), "Thaw") {
		d.Press("down")
	}
	d.Press("right").Until("thawed first, within hours")
	d.Press("enter").Until("all passed")
	if !strings.Contains(strings.Join(strings.Fields(plain(d)), " "), "--thaw standard") {
		t.Errorf("the same as a command has no thaw:\n%s", plain(d))
	}
	if got := w.Asked[len(w.Asked)-1].Thaw; got != "standard" {
		t.Errorf("asked for %q", got)
	}
}

// reversed is the line under the cursor.
func reversed(d *ui.Driver) string {
	for _, l := range strings.Split(d.View(), "\n") {
		if strings.Contains(l, "\x1b[7m") && !strings.Contains(l, "Overview") {
			return l
		}
	}
	return ""
}
