// Screen 3, Runs: the live and last run of each unit of ours. Live ones first.

package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

type runsScreen struct {
	*shared
	rows
}

func newRuns(sh *shared) *runsScreen { return &runsScreen{shared: sh} }

func (s *runsScreen) name() string                  { return "Runs" }
func (s *runsScreen) enter(context.Context) tea.Cmd { return nil }
func (s *runsScreen) update(tea.Msg) tea.Cmd        { return nil }
func (s *runsScreen) lively() bool                  { return len(s.liveRuns()) > 0 }

// runTitle names a run for people: "backup of sales", "restore of sales to sales_copy", "drill of
// 20261122T020000Z-1a2b3c" where only the set is known.
func runTitle(r UnitRun) string {
	switch {
	case r.Action == "watch":
		return "watch over this host"
	case r.Replaces && r.Database == "":
		return "putting back of " + clean(r.Target)
	case r.Replaces:
		return "replacement of " + clean(r.Target)
	}
	t := first(clean(r.Action), "run") + " of " + first(clean(r.Database), clean(r.Job), clean(r.Target), clean(r.Unit))
	if r.Action == "restore" && r.Target != "" {
		t += " to " + clean(r.Target)
	}
	return t
}

func (s *runsScreen) shown() []UnitRun {
	var out []UnitRun
	for _, r := range s.runs.value {
		if s.matches(r.Unit + " " + runTitle(r) + " " + string(r.State)) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b UnitRun) int {
		if a.State.Live() != b.State.Live() {
			if a.State.Live() {
				return -1
			}
			return 1
		}
		return b.StartedAt.Compare(a.StartedAt)
	})
	return out
}

func (s *runsScreen) selected() (UnitRun, bool) { return rowAt(s.shown(), s.at) }

func (s *runsScreen) keys() []binding {
	r, ok := s.selected()
	none := ""
	if !ok {
		none = "no run is selected"
	}
	return append(append([]binding{
		{
			keys: []string{"enter", "o"}, label: "enter", short: "open", help: "this run: progress, facts, last lines", off: none,
			run: func() tea.Cmd { return s.post(pushMsg{newRunView(s.shared, r.Unit)}) },
		},
	}, runKeys(s.shared, r, none)...), s.moves()...)
}

// runKeys act on one run.
func runKeys(sh *shared, r UnitRun, none string) []binding {
	noCancel := none
	switch {
	case none != "":
	case sh.Write.Cancel == nil:
		noCancel = first(sh.denied(), "not available here")
	case !r.State.Live():
		noCancel = "it does not run"
	}
	noAgain := first(none, sh.denied())
	switch {
	case noAgain != "":
	case !r.Again:
		noAgain = "it is carried out once; start a new one"
	case r.State.Live():
		noAgain = "it goes on"
	}
	return []binding{
		{keys: []string{"b"}, short: "run again", help: "start it once more, now; systemd's count of starts is cleared first", off: noAgain, run: func() tea.Cmd { return askAgain(sh, r) }},
		{keys: []string{"w", "e"}, label: "w", short: "journal", help: "journal of this run", off: none, run: func() tea.Cmd {
			return sh.post(pushMsg{newJournal(sh, JournalQuery{Unit: r.Unit, Invocation: r.Invocation, MaxPriority: 7})})
		}},
		{
			keys: []string{"X"}, short: "cancel", help: "cancel this run", off: noCancel,
			run: func() tea.Cmd { return askCancel(sh, r) },
		},
	}
}

func (s *runsScreen) copyText() string { r, _ := s.selected(); return r.Unit }
func (s *runsScreen) cliLine() string {
	if r, ok := s.selected(); ok {
		return "systemctl status " + quote(r.Unit)
	}
	return ""
}

func (s *runsScreen) view(w, h int) string {
	all := s.shown()
	lines := []string{s.section("RUNS", s.runs.note(s.shared, "systemd"), w)}
	if s.runs.err != nil {
		lines = append(lines, s.trouble(s.runs.err, w)...)
	}
	if len(all) == 0 {
		if s.runs.have {
			lines = append(lines, s.faint.Render("   no unit of ours has run since boot; 2 shows what is in the bucket"))
		}
		return strings.Join(lines, "\n")
	}
	cols := []column{{"STATE", 11, false}, {"RUN", 0, false}, {"STARTED", 16, false}, {"TOOK", 7, true}, {"BY", 8, false}}
	if w < tableWidth {
		cols = []column{{"STATE", 11, false}, {"RUN", 0, false}, {"AGE", 7, true}, {"TOOK", 7, true}}
	}
	from, to := s.window(len(all), h-len(lines)-5)
	t := table{cols: cols, selected: s.at - from, dim: s.runs.stale()}
	for _, r := range all[from:to] {
		c := []string{s.mark(runMark(r.State)), runTitle(r), when(s.Zone, r.StartedAt), s.duration(r), orUnknown(r.Trigger)}
		if w < tableWidth {
			c = []string{c[0], c[1], age(s.now, r.StartedAt), c[3]}
		}
		t.cells = append(t.cells, c)
	}
	lines = append(lines, t.lines(s.theme, w)...)
	r, _ := s.selected()
	lines = append(lines, "", s.section(strings.ToUpper(string(r.State)), s.faint.Render(clean(r.Unit)), w))
	return strings.Join(append(lines, s.outcome(r, w)...), "\n")
}

// duration is how long a run took, or takes so far.
func (sh *shared) duration(r UnitRun) string {
	switch {
	case r.StartedAt.IsZero():
		return "?"
	case r.State.Live():
		return took(max(time.Duration(0), sh.now.Sub(r.StartedAt)))
	case r.EndedAt.IsZero():
		return "?"
	}
	return took(r.EndedAt.Sub(r.StartedAt))
}

// outcome says in words how a run stands, and what to do.
func (sh *shared) outcome(r UnitRun, w int) []string {
	text := clean(r.Detail)
	if r.State.Live() {
		text = first(clean(r.Status), text)
	}
	if text == "" {
		text = stateText[r.State]
	}
	var out []string
	for _, l := range sh.wrap(text, w-5) {
		out = append(out, "   "+l)
	}
	if r.Remedy != "" {
		for _, l := range sh.wrap("→ "+clean(r.Remedy), w-5) {
			out = append(out, "   "+sh.bold.Render(l))
		}
	}
	return out
}

// stateText explains each state in a sentence.
var stateText = map[RunState]string{
	RunQueued:    "waits for systemd to start it",
	RunPreflight: "checks before it starts",
	RunRunning:   "goes on",
	RunFinishing: "cleans up",
	RunOK:        "ended well",
	RunWarn:      "ended well, with warnings: the journal has them",
	RunFailed:    "failed: the journal says why",
	RunCancelled: "was cancelled",
	RunLost:      "ended without a result (reboot, or killed): it did not finish",
	RunSkipped:   "was not run at all: a condition of the unit kept it from starting",
	RunUnknown:   "it is not known how it ended",
}

// percentOf is the progress in a STATUS= line, -1 when it carries none.
func percentOf(r UnitRun) (backup.Stage, int) {
	_, stage, percent, ok := backup.ParseStatus(r.Status)
	if !ok {
		return "", -1
	}
	return stage, percent
}
