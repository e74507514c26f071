package console

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// history is ui.History over the journal: each run has left a record of its end, systemd one of its start, and what
// it said of itself in between. Only what journald knows to be a unit's own, or process 1's about it, counts.
type history struct {
	pages interface {
		Page(context.Context, journal.Query, journal.Position) (journal.Page, error)
	}
	subject func(*ui.UnitRun)

	mu   sync.Mutex
	open []pageBreak // the one that was used last is at the end
}

// pageBreak is where a page begins, and the runs whose ends were on the page before it.
type pageBreak struct {
	before string
	runs   map[string]*past
}

// breakAt takes the page break out of those that are kept; nil: there is none.
func (h *history) breakAt(before string) map[string]*past {
	k := slices.IndexFunc(h.open, func(b pageBreak) bool { return b.before == before })
	if k < 0 {
		return nil
	}
	runs := h.open[k].runs
	h.open = slices.Delete(h.open, k, k+1)
	return runs
}

// keep has room for the breaks of a long way back. Every look at the newest page makes one, and a console stays open
// for weeks.
func (h *history) keep(b pageBreak) {
	_ = h.breakAt(b.before)
	if h.open = append(h.open, b); len(h.open) > historyBreaks {
		h.open = slices.Delete(h.open, 0, len(h.open)-historyBreaks)
	}
}

// unitStarting is systemd's kind of entry about a unit whose start began (SD_MESSAGE_UNIT_STARTING).
const unitStarting = "7d4958e842da4a758f6c1cdc7b36dcc5"

const (
	historyEntries = 400 // of the journal at once; a run leaves three or four
	historyRuns    = 40  // that a page has at least, where there are so many
	// between pages that are remembered; where one is forgotten, a run that it cuts may be told as lost
	historyBreaks = 64
	historyCut    = 200 // runs that one page break cuts; more than that run at once on no host
)

// marks are the kinds of entries that tell of a run.
func marks() []string {
	ids := []string{unitStarting}
	for _, name := range []string{
		event.RunEnded,
		event.BackupStarted, event.BackupCommitted, event.BackupFailed, event.BackupCancelled,
		event.VerifyStarted, event.VerifyOK, event.VerifyFailed,
		event.DrillStarted, event.DrillOK, event.DrillFailed,
		event.RestoreStarted, event.RestoreOK, event.RestoreFailed,
		event.ClusterRestoreStarted, event.ClusterRestoreOK, event.ClusterCopyChanged, event.ClusterRequestFailed,
	} {
		ids = append(ids, event.MessageID(name))
	}
	return ids
}

// Ended implements ui.History.
func (h *history) Ended(ctx context.Context, before string) (ui.HistoryPage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	query := journal.Query{Units: services(), MessageIDs: marks()}
	at := journal.Position{Cursor: before, Direction: journal.Older, Limit: historyEntries}
	runs := map[string]*past{}
	if cut := h.breakAt(before); cut != nil {
		h.keep(pageBreak{before, cut}) // it was used
		for invocation, r := range cut {
			runs[invocation] = new(past)
			*runs[invocation] = *r
		}
	}
	for {
		page, err := h.pages.Page(ctx, query, at)
		if err != nil {
			return ui.HistoryPage{}, err
		}
		for _, e := range slices.Backward(page.Entries) {
			h.add(runs, e)
		}
		at.Cursor = page.Next
		if !page.More {
			return h.page(runs, ""), nil
		}
		if whole(runs) >= historyRuns {
			return h.page(runs, at.Cursor), nil
		}
	}
}

// past is a run as its entries tell it, which come newest first.
type past struct {
	ui.UnitRun
	ended  bool // systemd's own account was seen
	begins bool // its start was seen
	told   bool // on the page before; systemd's word on its start is on this one
	first  bool // that was seen
}

func whole(runs map[string]*past) (n int) {
	for _, r := range runs {
		if r.begins && !r.told {
			n++
		}
	}
	return n
}

func (h *history) add(runs map[string]*past, e journal.Entry) {
	if e.InvocationID == "" || request.IsCheckID(systemd.InstanceOf(e.Unit)) {
		return
	}
	r := runs[e.InvocationID]
	if r == nil {
		r = &past{UnitRun: ui.UnitRun{
			Unit: e.Unit, Invocation: e.InvocationID, State: ui.RunLost, Memory: -1, MemoryHigh: -1,
		}}
		h.subject(&r.UnitRun)
		r.Trigger = ""
		runs[e.InvocationID] = r
	}
	if e.PID == 1 {
		r.StartedAt = e.Time
		r.begins, r.first = true, true
		return
	}
	if set := e.Fields["PGBTUI_SET"]; set != "" {
		r.Set = set
	}
	r.tell(e)
}

// tell takes what one entry of the unit says. Where systemd's account is missing, the run's own word counts.
func (r *past) tell(e journal.Entry) {
	r.tellCluster(e)
	switch e.Event {
	case event.RunEnded:
		r.end(e)
	case event.BackupStarted, event.VerifyStarted, event.DrillStarted, event.RestoreStarted, event.ClusterRestoreStarted:
		r.StartedAt, r.begins = e.Time, true
	case event.BackupCommitted:
		r.Bytes, _ = strconv.ParseInt(e.Fields["PGBTUI_BYTES"], 10, 64)
		r.said(e, ui.RunOK)
	case event.VerifyOK, event.DrillOK, event.RestoreOK, event.ClusterRestoreOK, event.ClusterCopyChanged:
		r.said(e, ui.RunOK)
	case event.BackupCancelled:
		r.said(e, ui.RunCancelled)
	case event.BackupFailed, event.VerifyFailed, event.DrillFailed, event.RestoreFailed, event.ClusterRequestFailed:
		r.said(e, ui.RunFailed)
		r.Detail, r.Remedy = e.Message, e.Fields["PGBTUI_REMEDY"]
	}
}

// tellCluster takes what a request about a cluster was for: its file and its answer are gone once it was carried out.
func (r *past) tellCluster(e journal.Entry) {
	switch e.Event {
	case event.ClusterRestoreStarted, event.ClusterRestoreOK:
		clusterRun(&r.UnitRun, request.RestoreBeside, e.Fields["PGBTUI_CLUSTER"])
		r.Set = "" // what the entry names is a base backup
	case event.ClusterCopyChanged:
		clusterRun(&r.UnitRun, request.Verb(e.Fields["PGBTUI_VERB"]), e.Fields["PGBTUI_COPY"])
	}
}

func (r *past) said(e journal.Entry, state ui.RunState) {
	if !r.ended && r.EndedAt.IsZero() {
		r.State, r.EndedAt = state, e.Time
	}
}

func (r *past) end(e journal.Entry) {
	r.ended, r.EndedAt = true, e.Time
	end := systemd.End{
		Unit: e.Unit, Result: e.Fields["PGBTUI_RESULT"],
		ExitCode: e.Fields["PGBTUI_EXIT_CODE"], ExitStatus: e.Fields["PGBTUI_EXIT_STATUS"],
	}
	number, _ := strconv.Atoi(end.ExitStatus)
	code := fault.Code(number)
	exited := end.ExitCode == "exited"
	stopped := end.ExitStatus == "TERM" || end.ExitStatus == "INT" ||
		exited && (code == fault.Terminated || code == fault.Interrupted)
	switch {
	case end.Result == "":
		r.State = ui.RunUnknown
	case stopped:
		r.State = ui.RunCancelled
	case end.Good() && exited && code == fault.Warnings:
		r.State = ui.RunWarn
	case end.Good():
		r.State = ui.RunOK
	default:
		r.State = ui.RunFailed
		r.Detail = end.Text()
		if exited {
			r.Detail += ": " + code.Meaning()
		}
	}
}

// page is what was found, newest first. A run whose start is on the next page is told with it.
func (h *history) page(runs map[string]*past, before string) ui.HistoryPage {
	out := ui.HistoryPage{Before: before}
	open := map[string]*past{}
	for invocation, r := range runs {
		// systemd's word on a start comes right before the run's own, so one page on it is there or was never kept.
		if before != "" && !r.first && !r.told {
			open[invocation] = &past{UnitRun: r.UnitRun, ended: r.ended, begins: r.begins, told: r.told || r.begins}
		}
		if r.told || before != "" && !r.begins {
			continue
		}
		if r.StartedAt.IsZero() {
			r.StartedAt = r.EndedAt
		}
		out.Runs = append(out.Runs, r.UnitRun)
	}
	if before != "" {
		h.keep(pageBreak{before, newestOf(open, historyCut)})
	}
	slices.SortFunc(out.Runs, func(a, b ui.UnitRun) int { return b.StartedAt.Compare(a.StartedAt) })
	return out
}

// newestOf keeps the n runs that ended last.
func newestOf(runs map[string]*past, n int) map[string]*past {
	if len(runs) <= n {
		return runs
	}
	byEnd := slices.SortedFunc(maps.Keys(runs), func(a, b string) int { return runs[b].EndedAt.Compare(runs[a].EndedAt) })
	for _, invocation := range byEnd[n:] {
		delete(runs, invocation)
	}
	return runs
}
