package ui_test

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// planted makes the newest set of sales forged and the one before unsigned, as a catalogue with
// signing keys reads them.
func planted(w *uitest.World, _ *ui.Options) {
	for i, flaw := range map[int]backup.Set{
		0: {Signature: backup.SignatureForged, Problem: "its signature does not fit: the manifest was altered, or somebody else signed it", ProblemCode: fault.Integrity},
		1: {Signature: backup.SignatureMissing, Problem: "nobody signed it: its manifest has no signature", ProblemCode: fault.Refused},
	} {
		s := ofSales(w, i)
		s.Signature, s.Problem, s.ProblemCode = flaw.Signature, flaw.Problem, flaw.ProblemCode
	}
}

// ofSales is the nth newest set of sales on this host.
func ofSales(w *uitest.World, n int) *backup.Set {
	for i := range w.AllSets {
		if s := &w.AllSets[i]; s.Database == "sales" && s.Instance == "db01" {
			if n == 0 {
				return s
			}
			n--
		}
	}
	return nil
}

func TestForgedAndUnsignedSetsHaveWordsOfTheirOwnAndCountForNothing(t *testing.T) {
	d, _ := open(t, planted)
	ready(d)
	if v := plain(d); strings.Contains(v, "23 Nov 03:00") || strings.Contains(v, "22 Nov 03:00") || !strings.Contains(v, "21 Nov 03:00") {
		t.Errorf("the newest good set is not the one from the 21st:\n%s", v)
	}
	if v := plain(d); !strings.Contains(v, "✗ sales") || !strings.Contains(v, "is forged") {
		t.Errorf("no finding with the forged set:\n%s", v)
	}
	d.Press("2").Until("✗ FORGED").Until("? UNSIGNED")
	d.Press("R").Until("R: this backup cannot be used: its signature does not fit")
	d.Press("v").Until("v: this backup cannot be used")
	d.Press("enter").Until("counts for nothing and is never restored").Until("find out who writes")
	d.Press("esc", "s", "s", "s").Until("worst first")
	if rows := strings.Split(plain(d), "\n"); !strings.Contains(rows[4], "FORGED") || !strings.Contains(rows[5], "UNSIGNED") {
		t.Errorf("sorted by worst first:\n%s", plain(d))
	}
}

func TestForgedAndUnsignedHaveASCIITwins(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, o *ui.Options) { planted(w, o); o.Look.ASCII = true })
	ready(d).Press("2").Until("x FORGED").Until("? UNSIGNED")
}

func TestALostNewestSetIsAFindingWithItsRemedy(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		w.Incident = []ui.Incident{{Subject: "sales", Kind: string(backup.ProblemRollback), Critical: true, What: "an older state of the bucket: the set that this host committed last is gone"}}
	})
	ready(d).Until("an older state of the bucket").Until("→ restore nothing until you know")
}
