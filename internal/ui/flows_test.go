package ui_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

func open(t *testing.T, change func(w *uitest.World, o *ui.Options)) (*ui.Driver, *uitest.World) {
	t.Helper()
	w := uitest.New()
	o := w.Options()
	o.Look.NoColor = true
	if change != nil {
		change(w, &o)
	}
	return ui.Drive(t, o, 80, 24), w
}

func ready(d *ui.Driver) *ui.Driver { return d.Fed() }

func plain(d *ui.Driver) string { return ansi.Strip(d.View()) }

func TestEnterOnAFreshDialogStartsNothing(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("b").Until("Same as")
	d.Press("enter").UntilIs("dialog closed", func(v string) bool { return !strings.Contains(v, "Same as") })
	if len(w.Started) != 0 {
		t.Errorf("started %v", w.Started)
	}
}

func TestBackupStartsTheUnitAndShowsItsProgress(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("G", "b").Until("Same as")
	for _, want := range []string{"postgres-backup@sales.service", "systemctl start", "725 MiB", "about 4m", "[ Cancel ]"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("the dialog does not show %q:\n%s", want, plain(d))
		}
	}
	d.Press("tab", "enter").UntilIs("queued", func(v string) bool { return strings.Contains(v, "QUEUED") && strings.Contains(v, "LAST LINES") })
	w.Step()
	d.UntilIs("progress", func(v string) bool { return strings.Contains(ansi.Strip(v), "▶ dump") && strings.Contains(v, "3%") })
	if got := w.Started; !slices.Equal(got, []string{"backup postgres-backup@sales.service"}) {
		t.Errorf("started %v", got)
	}
	d.Press("esc").UntilIs("badge", func(v string) bool { return strings.Contains(ansi.Strip(v), "backup running [a]") })
	d.Press("a").Until("LAST LINES")
	d.Press("q").UntilIs("leaves without asking", func(string) bool { return d.Quit })
}

func TestADeniedStartSaysWhichRightIsMissing(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		w.Fail["start"] = fault.New(fault.NotPermitted, "systemd: start postgres-backup@crm.service: access denied", "join the group pgbtui", nil)
	})
	ready(d).Press("b").Until("Same as")
	d.Press("tab", "enter").Until("→ join the")
	if !strings.Contains(plain(d), "[ Cancel ]") {
		t.Error("the focus did not go back to Cancel")
	}
}

func TestReadOnlyGreysWhatChangesThingsAndSaysWhy(t *testing.T) {
	d, w := open(t, func(_ *uitest.World, o *ui.Options) { o.Write = ui.Write{Denied: "read-only by configuration"} })
	ready(d).Press("b").Until("b: read-only by configuration")
	d.Press("?").Until("Keys of Overview")
	if !strings.Contains(plain(d), "back this database up now (read-only by configuration)") {
		t.Error(plain(d))
	}
	d.Press("esc", "2", "R").Until("WHAT COMES BACK")
	d.Press("enter", "enter", "enter").Until("all passed")
	d.Press("tab")
	if !strings.Contains(plain(d), "(read-only by configuration)") || len(w.Started) != 0 {
		t.Errorf("%v\n%s", w.Started, plain(d))
	}
}

func TestAFailingBucketKeepsItsLastDataAndSaysSinceWhenAndWhatToDo(t *testing.T) {
	d, w := open(t, nil)
	ready(d)
	w.Change(func(w *uitest.World) { w.Fail["sets"] = uitest.ErrBucket })
	d.Press("r").Until("bucket fails since 04:12 CET")
	for _, want := range []string{"Check the network of this host", "sales", "23 Nov 03:00", "shown: just now"} {
		if !strings.Contains(plain(d), want) {
			t.Errorf("no %q:\n%s", want, plain(d))
		}
	}
}

func TestABucketNeverReadIsUnknownNotGood(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		w.Fail["sets"], w.AllRuns, w.AllTimer = uitest.ErrBucket, nil, nil
		w.Fail["timers"], w.Fail["watch"] = uitest.ErrBucket, uitest.ErrBucket
	})
	d.Until("cannot be read")
	if v := plain(d); strings.Contains(v, "OK") || !strings.Contains(v, "?       crm") {
		t.Error(v)
	}
}

func TestMissingSourcesAreSaidAndTheRestIsShown(t *testing.T) {
	d, _ := open(t, func(_ *uitest.World, o *ui.Options) {
		o.Sources.Journal, o.Sources.Units = nil, nil
		o.Sources.Missing = map[string]error{
			"journal": fault.New(fault.NotPermitted, "journal: read", "join the group systemd-journal", nil),
			"units":   fault.New(fault.Unavailable, "systemd: connect: no bus", "start dbus", nil),
		}
	})
	ready(d).Until("start dbus")
	d.Press("5").Until("join the group systemd-journal")
	d.Press("2").Until("newest first")
	d.Press("3").Until("no bus")
}

func TestCancellingARunNeedsYThenEnterAndKeepsTheReason(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("G", "b").Until("Same as")
	d.Press("tab", "enter").UntilIs("page", func(v string) bool { return strings.Contains(v, "LAST LINES") && strings.Contains(v, "QUEUED") })
	d.Press("X").Until("Let it run")
	d.Press("enter").UntilIs("closed", func(v string) bool { return !strings.Contains(v, "Let it run") })
	d.Press("X").Until("Let it run")
	d.Press("y", "t", "o", "o", " ", "l", "a", "t", "e", "enter").Until("CANCELLED")
	if last := w.Started[len(w.Started)-1]; last != `cancel postgres-backup@sales.service "too late"` || len(w.Started) != 2 {
		t.Error(w.Started)
	}
}

func TestFreezingHoldsLiveUpdatesBackAndSpaceLetsThemIn(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("3").Until("SKIPPED").Press(" ")
	if !strings.Contains(plain(d), "FROZEN 04:12:20") {
		t.Error(plain(d))
	}
	before := d.View()
	w.Change(func(w *uitest.World) { w.AllRuns[2].State = ui.RunLost })
	d.Press("k")
	if d.View() != before {
		t.Error("a frozen screen changed")
	}
	d.Press(" ").Until("LOST")
}

func TestEscUndoesPromptFilterBoxPageInThatOrder(t *testing.T) {
	d, _ := open(t, nil)
	ready(d).Press("2").Until("31 backups")
	d.Press("/", "crm").Until("13 backups")
	d.Press("enter").Until("filter: crm")
	d.Press("?").Until("Keys of Backups")
	d.Press("esc").Until("filter: crm")
	d.Press("/", "x").Until("0 backups")
	d.Press("esc").Until("13 backups")
	d.Press("esc").Until("31 backups")
	d.Press("enter").Until("Recover to")
	d.Press("esc").Until("31 backups")
	d.Press("esc").Until("DATABASES")
}

func TestThePaletteTakesTheVerbsOfTheCommandLine(t *testing.T) {
	d, _ := open(t, nil)
	ready(d).Press(":", "ver", "tab", "latest", "enter").Until("Verify a backup of sales")
	d.Press("esc").UntilIs("closed", func(v string) bool { return !strings.Contains(v, "Same as") })
	d.Press(":", "journal", "enter").Until("following")
	d.Press(":", "nonsense", "enter").Until("no command")
	d.Press(":", "quit", "enter").UntilIs("quits", func(string) bool { return d.Quit })
}

func TestEveryRunStateHasAWordOfItsOwnAndOnlyOKIsOK(t *testing.T) {
	seen := map[string]bool{}
	for s := range ui.StateText {
		text := ui.RunMarkText(s)
		if seen[text] {
			t.Errorf("%q twice", text)
		}
		seen[text] = true
		if strings.Contains(text, "✓") != (s == ui.RunOK) {
			t.Errorf("%s shows as %q", s, text)
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d states", len(seen))
	}
}

func TestNoKeyMeansTwoThingsOnAScreen(t *testing.T) {
	d, _ := open(t, nil)
	ready(d)
	for _, tab := range []string{"1", "2", "3", "4", "5"} {
		d.Press(tab)
		own, _ := d.Keys()
		seen := map[string]bool{}
		for _, k := range own {
			if seen[k] {
				t.Errorf("screen %s: key %q twice", tab, k)
			}
			seen[k] = true
			if strings.Contains("1234567?:/qyY", k) {
				t.Errorf("screen %s takes the global key %q", tab, k)
			}
		}
	}
}
