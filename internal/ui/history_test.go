package ui_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// runLines are the rows of the list of runs.
func runLines(view string) (rows []string) {
	for _, l := range strings.Split(ansi.Strip(view), "\n") {
		for _, of := range []string{"backup of", "verify of", "drill of", "prune of", "restore of"} {
			if strings.Contains(l, of) {
				rows = append(rows, l)
			}
		}
	}
	return rows
}

func TestTheHistoryHasEachRunOnceNewestFirst(t *testing.T) {
	w := uitest.New()
	d := ui.Drive(t, w.Options(), 120, 60)
	d.Fed().Press("3").Until("prune of sales").Press("G").Until("LOST").Press("G").UntilIs("the whole history", func(v string) bool { return !strings.Contains(v, "older ones follow") })
	rows := runLines(d.View())
	newest, both := 0, time.Time{}
	for _, row := range rows {
		if strings.Contains(row, "backup of sales") && strings.Contains(row, "23 Nov 03:00") {
			newest++
			if !strings.Contains(row, "4m 00s") || !strings.Contains(row, "MiB") || !strings.Contains(row, "timer") {
				t.Errorf("of systemd, the journal and the bucket: %q", row)
			}
		}
		at := started(t, row)
		if !both.IsZero() && at.After(both) {
			t.Errorf("%q stands too low", row)
		}
		both = at
	}
	if newest != 1 {
		t.Errorf("the newest backup of sales stands there %d times: %q", newest, rows)
	}
	if text := ansi.Strip(d.View()); !strings.Contains(text, "LOST") || !strings.Contains(text, "prune of sales") || !strings.Contains(text, "drill of sales") {
		t.Errorf("%s", text)
	}
}

func started(t *testing.T, row string) time.Time {
	t.Helper()
	at := strings.Index(row, " Nov ")
	when, err := time.Parse("2 Jan 15:04", strings.TrimSpace(row[at-2:at+10]))
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestTheHistoryIsReadByPageAsFarAsAnybodyLooks(t *testing.T) {
	w := uitest.New()
	w.AllSets, w.Past = nil, nil
	for n := range 40 {
		start := uitest.Now.Add(-time.Duration(n+2) * time.Hour)
		w.Past = append(w.Past, ui.UnitRun{
			Unit: "postgres-backup@sales.service", Action: "backup", Job: "sales", Database: "sales", State: ui.RunOK,
			StartedAt: start, EndedAt: start.Add(time.Minute), Invocation: strings.Repeat("a", n+1),
		})
	}
	d := ui.Drive(t, w.Options(), 120, 30)
	d.Fed().Press("3").UntilIs("the first page", func(v string) bool { return len(runLines(v)) == 6 })
	if !strings.Contains(ansi.Strip(d.View()), "older ones follow below") {
		t.Error("it does not say that there is more")
	}
	for pages := 0; strings.Contains(d.View(), "older ones follow"); pages++ {
		if pages > 13 {
			t.Fatalf("there is no end:\n%s", ansi.Strip(d.View()))
		}
		d.Press("G").PageRead()
	}
	d.Press("G")
	if !strings.Contains(ansi.Strip(d.View()), "21 Nov") || strings.Contains(ansi.Strip(d.View()), "older ones follow") {
		t.Errorf("the end was not reached:\n%s", ansi.Strip(d.View()))
	}
}

func TestAnOlderRunLeadsToItsLinesAndItsSet(t *testing.T) {
	w := uitest.New()
	o := w.Options()
	o.Look.NoColor = true
	d := ui.Drive(t, o, 120, 40)
	d.Fed().Press("3").Until("prune of sales").Press("/", "prune", "enter", "enter").Until("entries")
	d.Press("esc", "esc").Press("/", "backup of sales", "enter").Until("backup of sales").Press("G").PageRead().Press("G").PageRead().Until("09 Nov").Press("j", "s").Until("PROOF")
}

func TestWhereTheJournalCannotBeReadTheBucketStillTellsOfRuns(t *testing.T) {
	w := uitest.New()
	w.Fail["history"] = errors.New("you are not in group systemd-journal")
	d := ui.Drive(t, w.Options(), 120, 40)
	d.Fed().Press("3").Until("cannot be read")
	if text := ansi.Strip(d.View()); !strings.Contains(text, "drill of sales") || !strings.Contains(text, "systemd-journal") {
		t.Errorf("%s", text)
	}
}
