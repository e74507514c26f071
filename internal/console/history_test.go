package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// written is a journal in memory, oldest first. Its pages are as small as a test wants them.
type written struct {
	entries []journal.Entry
	limit   int
}

func (w *written) Page(_ context.Context, q journal.Query, at journal.Position) (journal.Page, error) {
	end := len(w.entries)
	if at.Cursor != "" {
		end, _ = strconv.Atoi(at.Cursor)
	}
	from := max(0, end-w.limit)
	var page journal.Page
	for _, e := range w.entries[from:end] {
		if slices.Contains(q.MessageIDs, e.MessageID) {
			page.Entries = append(page.Entries, e)
		}
	}
	page.More, page.Next = from > 0, strconv.Itoa(from)
	return page, nil
}

const backupUnit = "postgres-backup@sales.service"

func (w *written) say(n int, pid int, id, name string, at time.Time, fields map[string]string) {
	if id == "" {
		id = event.MessageID(name)
	}
	w.entries = append(w.entries, journal.Entry{
		Time: at, Unit: backupUnit, InvocationID: fmt.Sprintf("%032x", n), PID: pid, MessageID: id, Event: name, Fields: fields,
	})
}

// run writes what a backup leaves; how is systemd's account, nil for none.
func (w *written) run(n int, at time.Time, how map[string]string) {
	w.say(n, 1, unitStarting, "", at, nil)
	w.say(n, 100, "", event.BackupStarted, at.Add(time.Second), map[string]string{"PGBTUI_SET": fmt.Sprint("set", n)})
	if how["PGBTUI_RESULT"] == "success" {
		w.say(n, 100, "", event.BackupCommitted, at.Add(59*time.Second), map[string]string{"PGBTUI_SET": fmt.Sprint("set", n), "PGBTUI_BYTES": "4096"})
	}
	if how != nil {
		w.say(n, 101, "", event.RunEnded, at.Add(time.Minute), how)
	}
}

func ended(result, code, status string) map[string]string {
	return map[string]string{"PGBTUI_RESULT": result, "PGBTUI_EXIT_CODE": code, "PGBTUI_EXIT_STATUS": status}
}

func TestTheHistoryTellsHowEachRunEnded(t *testing.T) {
	w := &written{limit: 1000}
	begin := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	want := []ui.RunState{ui.RunOK, ui.RunWarn, ui.RunFailed, ui.RunFailed, ui.RunCancelled, ui.RunLost, ui.RunUnknown}
	for n, how := range []map[string]string{
		ended("success", "exited", "0"), ended("success", "exited", "3"), ended("exit-code", "exited", "69"),
		ended("oom-kill", "killed", "KILL"), ended("success", "killed", "TERM"), nil, ended("", "", ""),
	} {
		w.run(n, begin.Add(time.Duration(n)*time.Hour), how)
	}
	h := &history{pages: w, subject: func(r *ui.UnitRun) { r.Action = "backup" }}
	page, err := h.Ended(t.Context(), "")
	if err != nil || len(page.Runs) != len(want) || page.Before != "" {
		t.Fatalf("%+v, %v", page, err)
	}
	slices.Reverse(page.Runs)
	for n, r := range page.Runs {
		if r.State != want[n] || r.Set != fmt.Sprint("set", n) || !r.StartedAt.Equal(begin.Add(time.Duration(n)*time.Hour)) || r.Unit != backupUnit {
			t.Errorf("%d: want %s: %+v", n, want[n], r)
		}
	}
	if ok := page.Runs[0]; ok.Bytes != 4096 || ok.EndedAt.Sub(ok.StartedAt) != time.Minute {
		t.Errorf("%+v", ok)
	}
}

// Wherever a page ends, no run is told twice, or without its start or its end.
func TestAPageOfTheHistoryMayEndInTheMiddleOfARun(t *testing.T) {
	for limit := 1; limit < 9; limit++ {
		w := &written{limit: limit}
		begin := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
		for n := range 3 * historyRuns {
			w.run(n, begin.Add(time.Duration(n)*time.Hour), ended("success", "exited", "0"))
		}
		h := &history{pages: w, subject: func(*ui.UnitRun) {}}
		seen := map[string]bool{}
		before := ""
		pages := 0
		for first := true; first || before != ""; first = false {
			page, err := h.Ended(t.Context(), before)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Runs {
				if seen[r.Invocation] || r.State != ui.RunOK || r.EndedAt.Sub(r.StartedAt).Round(5*time.Second) != time.Minute || r.Bytes != 4096 {
					t.Fatalf("pages of %d entries: %+v", limit, r)
				}
				seen[r.Invocation] = true
			}
			before = page.Before
			pages++
		}
		if len(seen) != 3*historyRuns || pages < 2 {
			t.Errorf("pages of %d entries: %d runs on %d pages", limit, len(seen), pages)
		}
	}
}

// A console stays open for weeks, and looks at the newest page each time that a run ends.
func TestWhatTheHistoryRemembersBetweenPagesIsBounded(t *testing.T) {
	w := &written{limit: 9}
	begin := time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
	h := &history{pages: w, subject: func(*ui.UnitRun) {}}
	look := func(before string) ui.HistoryPage {
		t.Helper()
		page, err := h.Ended(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		cut := 0
		for _, b := range h.open {
			cut = max(cut, len(b.runs))
		}
		if len(h.open) > historyBreaks || cut > historyCut {
			t.Fatalf("%d page breaks, %d runs at one of them", len(h.open), cut)
		}
		return page
	}
	for n := range 400 {
		w.run(n, begin.Add(time.Duration(n)*time.Hour), ended("success", "exited", "0"))
		look("")
	}
	// The way back that somebody is on stays whole meanwhile.
	before := look("").Before
	for n := range historyBreaks - 1 {
		w.run(400+n, begin.Add(time.Duration(400+n)*time.Hour), ended("success", "exited", "0"))
		look("")
	}
	for _, r := range look(before).Runs {
		if r.State != ui.RunOK || r.Bytes != 4096 {
			t.Errorf("cut by a page break: %+v", r)
		}
	}

	// Ends whose starts the journal has forgotten.
	w.entries = nil
	for n := range 5000 {
		w.say(n, 101, "", event.RunEnded, begin.Add(time.Duration(n)*time.Minute), ended("success", "exited", "0"))
		if n%50 == 0 {
			w.run(10000+n, begin.Add(time.Duration(n)*time.Minute), ended("success", "exited", "0"))
		}
	}
	for page := look(""); page.Before != ""; {
		page = look(page.Before)
	}
}

// What a request about a cluster was for is in the journal alone, once its asker has read the answer.
func TestTheHistoryTellsWhatWasDoneWithClusters(t *testing.T) {
	w := &written{limit: 1000}
	begin := time.Date(2026, 11, 28, 14, 40, 0, 0, time.UTC)
	w.say(0, 1, unitStarting, "", begin, nil)
	w.say(0, 100, "", event.ClusterRestoreStarted, begin.Add(time.Second), map[string]string{"PGBTUI_CLUSTER": "main", "PGBTUI_SET": "20261128-020000F"})
	w.say(0, 100, "", event.ClusterRestoreOK, begin.Add(time.Minute), map[string]string{"PGBTUI_CLUSTER": "main", "PGBTUI_COPY": "main-0a1b2c"})
	w.say(1, 1, unitStarting, "", begin.Add(time.Hour), nil)
	w.say(1, 100, "", event.ClusterCopyChanged, begin.Add(time.Hour+time.Second), map[string]string{"PGBTUI_COPY": "main-0a1b2c", "PGBTUI_VERB": "discard"})
	w.say(2, 1, unitStarting, "", begin.Add(2*time.Hour), nil)
	w.say(2, 100, "", event.ClusterRequestFailed, begin.Add(2*time.Hour+time.Second), map[string]string{"PGBTUI_REMEDY": "free some"})
	for k := range w.entries {
		w.entries[k].Unit = "postgres-pitr@r.service"
	}
	u := &units{}
	h := &history{pages: w, subject: u.subject}
	page, err := h.Ended(t.Context(), "")
	if err != nil || len(page.Runs) != 3 {
		t.Fatalf("%+v, %v", page, err)
	}
	failed := page.Runs[0]
	discarded := page.Runs[1]
	restored := page.Runs[2]
	if restored.State != ui.RunOK || restored.Action != "cluster restore" || restored.Target != "main" || restored.Set != "" || restored.EndedAt.Sub(restored.StartedAt) != time.Minute {
		t.Errorf("%+v", restored)
	}
	if discarded.State != ui.RunOK || discarded.Action != "cluster discard" || discarded.Target != "main-0a1b2c" {
		t.Errorf("%+v", discarded)
	}
	if failed.State != ui.RunFailed || failed.Remedy != "free some" || failed.Action != "cluster restore" {
		t.Errorf("%+v", failed)
	}
}

func TestARunSaysWhatItsRequestAboutAClusterAsksFor(t *testing.T) {
	dir := t.TempDir()
	promote := request.Cluster{Verb: request.Promote, Copy: "main-0a1b2c"}
	if err := request.WriteCluster(dir, "r1", promote); err != nil {
		t.Fatal(err)
	}
	if err := request.WriteClusterAnswer(dir, "r2", request.ClusterAnswer{Request: promote}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"r1", "r2"} {
		run := ui.UnitRun{Action: "cluster restore"}
		if clusterSubject(&run, dir, id); run.Action != "cluster promote" || run.Target != "main-0a1b2c" {
			t.Errorf("%s: %+v", id, run)
		}
	}
}
