package ui_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

func talk(t *testing.T, w *uitest.World, o ui.Options, lines ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := ui.RunAccessible(context.Background(), o, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("a control character at %d of %q", i, out.String())
	}
	return out.String()
}

func TestAccessibleSaysWhatTheScreensShowWithoutRepainting(t *testing.T) {
	w := uitest.New()
	out := talk(t, w, w.Options(), "1", "2", "1", "0", "0", "3", "4", "5", "nonsense", "0")
	for _, want := range []string{
		"PRODUCTION", "✗ FAIL, database ledger: cannot be recovered", "To do: b backs it up", "SHA-256", "public.orders",
		"pg_restore --exit-on-error", "✗ SKIPPED, backup of ledger", "Catches up", "503 Slow Down", "Please type a number",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestAccessibleStartsOnlyAfterYes(t *testing.T) {
	w := uitest.New()
	out := talk(t, w, w.Options(), "6", "3", "y", "3", "yes", "0", "0")
	if !slices.Equal(w.Started, []string{"backup postgres-backup@sales.service"}) || !strings.Contains(out, "Nothing was changed") {
		t.Errorf("%v\n%s", w.Started, out)
	}
	if !strings.Contains(out, "Come back with: pgbtui") {
		t.Error("it does not say that the run goes on")
	}
}

func TestAccessibleRestoresIntoANewDatabaseOnly(t *testing.T) {
	w := uitest.New()
	out := talk(t, w, w.Options(), "2", "1", "4", "crm", "4", "fresh", "no", "yes", "1", "yes", "3", "yes", "0", "0", "0")
	if h := w.AllSets[0].Hold; h == nil || h.By != "anna" {
		t.Errorf("it is not held: %+v", h)
	}
	if !slices.Equal(w.Started, []string{"restore postgres-restore@1.service", "verify postgres-verify@1.service"}) {
		t.Errorf("%v\n%s", w.Started, out)
	}
	if !strings.Contains(out, "a database of this name exists") || !strings.Contains(out, "--to fresh") {
		t.Error(out)
	}
}

func TestAccessibleReadOnlyChangesNothing(t *testing.T) {
	w := uitest.New()
	o := w.Options()
	o.Write = ui.Write{}
	out := talk(t, w, o, "6", "3", "yes", "0", "2", "1", "1", "4", "fresh", "no", "yes", "0")
	if len(w.Started) != 0 || !strings.Contains(out, "Not possible: read-only") {
		t.Errorf("%v\n%s", w.Started, out)
	}
}

func TestCommandLinesOfRestoresBeginAsTheirServerNeedsIt(t *testing.T) {
	w := uitest.New()
	o := w.Options()
	o.RestoreCommand = "sudo -u postgres -g pgbtui pgbtui"
	out := talk(t, w, o, "2", "1", "4", "fresh", "no", "no", "0", "0", "0")
	if !strings.Contains(out, "Same as sudo -u postgres -g pgbtui pgbtui restore ") {
		t.Error(out)
	}
}

func TestAccessibleBreaksNoPath(t *testing.T) {
	w := uitest.New()
	path := "/var/lib/" + strings.Repeat("very-long-folder/", 8) + "file.yaml"
	w.AllRuns[0].Detail, w.AllRuns[0].Remedy = "open "+path+": no such file", "put it back: "+path
	w.AllSets[0].Manifest.Warnings = []string{"cannot read " + path}
	out := talk(t, w, w.Options(), "1", "2", "1", "0", "0", "3", "1", "0", "0", "0")
	if n := strings.Count(out, path); n < 2 {
		t.Errorf("%d whole paths in\n%s", n, out)
	}
}

func TestAccessibleLooksWithDoctorAndTellsTheWorstFirst(t *testing.T) {
	w := uitest.New()
	out := talk(t, w, w.Options(), "8", "no", "1", "2", "0", "0")
	fail, warn := strings.Index(out, "✗ FAIL, s3.writer.put, job sales"), strings.Index(out, "! WARN, postgresql.bugs")
	if fail < 0 || warn < fail {
		t.Errorf("FAIL at %d, WARN at %d of\n%s", fail, warn, out)
	}
	for _, want := range []string{
		"To do: Add this statement", `"Sid":"WriterOwnFolder"`, "1 failed, 1 warnings, 1 could not be looked at, 2 well.",
		"✓ OK, bucket.versioning", "Written: /home/ops/pgbtui-doctor", "nothing from the unit",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	w.Fail["doctor"] = uitest.ErrBucket
	if out := talk(t, w, w.Options(), "8", "yes", "0"); !strings.Contains(out, "FAIL") || strings.Contains(out, "well.") {
		t.Error(out)
	}
}

func TestAccessibleThawsByTheTierThatIsChosen(t *testing.T) {
	w := uitest.New()
	w.Archive(w.AllSets[0].Dir, backup.Archive{State: backup.Archived})
	out := talk(t, w, w.Options(), "2", "1", "5", "1", "no", "1", "yes", "0", "0", "0", "0")
	for _, want := range []string{"1. bulk: about $0.04, in 5 to 12 hours, by AWS", "3. expedited: price not known", "Nothing was changed.", "Asked for 20261123T020010Z-1a2b3c"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if w.ThawedBy != "bulk" {
		t.Errorf("asked for %q", w.ThawedBy)
	}
}
