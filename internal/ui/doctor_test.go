package ui_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// Checks write to the bucket and start a unit: nothing is looked at before somebody asks.
func TestDoctorLooksWhenAskedAndAgainAtOneCheck(t *testing.T) {
	world := uitest.New()
	d := ui.Drive(t, world.Options(), 100, 30)
	d.Fed()
	d.Press("7")
	d.Until("nothing was looked at")
	if len(world.Examined) != 0 {
		t.Fatalf("it looked by itself: %q", world.Examined)
	}
	d.Press("t")
	d.Until("1 FAIL")
	world.Change(func(w *uitest.World) { w.Checkups[2].Result, w.Checkups[2].Seen = ui.CheckOK, "allowed" })
	d.Press("e") // the worst is the first
	d.Until("0 FAIL")
	if !strings.Contains(d.View(), "1 WARN") {
		t.Errorf("the other checks are gone:\n%s", d.View())
	}
	if want := []string{"", "s3.writer.put"}; !slices.Equal(world.Examined, want) {
		t.Errorf("it looked at %q", world.Examined)
	}
	d.Press("s")
	d.Until("written: /home/ops/")
}

func TestDoctorShowsEvidenceAndWhatTheUnitSawOtherwise(t *testing.T) {
	d := ui.Drive(t, uitest.New().Options(), 100, 40)
	d.Fed()
	d.Press("7")
	d.Press("u")
	d.Until("differs")
	d.Press("enter")
	d.Until("WriterOwnFolder")
	d.Press("esc")
	d.Press("j", "j", "j")
	d.Press("enter")
	d.Until("role ops does not exist")
}

func TestALookThatFailsKeepsWhatWasSeenAndAMissingDoctorSaysWhy(t *testing.T) {
	world := uitest.New()
	d := ui.Drive(t, world.Options(), 100, 30)
	d.Fed()
	d.Press("7")
	d.Press("t")
	d.Until("1 FAIL")
	world.Change(func(w *uitest.World) { w.Fail["doctor"] = errors.New("no memory") })
	d.Press("t")
	d.Until("no memory")
	if !strings.Contains(d.View(), "s3.writer.put") {
		t.Errorf("what was seen is gone:\n%s", d.View())
	}
	o := uitest.New().Options()
	o.Sources.Doctor = nil
	o.Sources.Missing = map[string]error{"doctor": fault.New(fault.Refused, "a read-only console tries nothing", "Run the verb.", nil)}
	d = ui.Drive(t, o, 100, 30)
	d.Fed()
	d.Press("7")
	d.Until("tries nothing")
	d.Press("t")
	d.Until("Run the verb")
}
