// Screen 3, Runs: what runs, and then every run that systemd, the journal or the bucket remembers, newest first.

package ui

import (
	"cmp"
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type runsScreen struct {
	*shared
	rows
	past pastRuns
	ctx  context.Context
	all  []UnitRun // of the readings of the feeds that are counted in of
	of   [3]int

	usual map[kindOfRun]usualTime
	live  int // runs that went on when the history was read
}

func newRuns(sh *shared) *runsScreen { return &runsScreen{shared: sh} }

func (s *runsScreen) name() string { return "Runs" }
func (s *runsScreen) lively() bool { return len(s.liveRuns()) > 0 }

func (s *runsScreen) enter(ctx context.Context) tea.Cmd {
	s.ctx = ctx
	return s.readHistory("")
}

func (s *runsScreen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case historyMsg:
		return s.tookHistory(msg)
	case fedMsg: // a run began or ended
		if len(s.liveRuns()) == s.live {
			return nil
		}
		s.live = len(s.liveRuns())
		return s.readHistory("")
	}
	return nil
}

// runTitle names a run for people: "backup of sales", "restore of sales to sales_copy", "drill of
// 20261122T020000Z-1a2b3c" where only the set is known.
func runTitle(r UnitRun) string {
	switch {
	case r.Action == "watch":
		return "watch over this host"
	case r.Action == "cluster status":
		return "look at the clusters"
	case r.Action == "alert test":
		return "test of the alerts"
	case r.Replaces && r.Database == "":
		return "putting back of " + clean(r.Target)
	case r.Replaces:
		return "replacement of " + clean(r.Target)
	}
	t := cmp.Or(clean(r.Action), "run") + " of " + cmp.Or(clean(r.Database), clean(r.Job), clean(r.Target), clean(r.Unit))
	if r.Action == "restore" && r.Target != "" {
		t += " to " + clean(r.Target)
	}
	return t
}

// shown is the list, what runs first. It is put together when something was read, not for each key.
func (s *runsScreen) shown() []UnitRun {
	if of := [3]int{s.runs.reading, s.past.reading, s.sets.reading}; of != s.of {
		s.all, s.of = s.history(&s.past), of
		s.usual = usualTimes(s.all)
	}
	if s.filter == "" {
		return s.all
	}
	var out []UnitRun
	for _, r := range s.all {
		if s.matches(r.Unit + " " + s.runTitle(r) + " " + string(r.State) + " " + r.Set) {
			out = append(out, r)
		}
	}
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
			keys: []string{"enter", "o"}, label: "enter", short: "open",
			help: "this run: progress, facts, last lines; an older one's lines", off: none,
			run: func() tea.Cmd { return s.open(r) },
		},
		{
			keys: []string{"s"}, short: "set", help: "the set that this run made or read", off: cmp.Or(none, s.noSet(r)),
			run: func() tea.Cmd { return s.openSet(r) },
		},
	}, runKeys(s.shared, r, none)...), s.further()...)
}

// further are the moves, which read on at the end.
func (s *runsScreen) further() []binding {
	table := s.moves()
	for i, b := range table {
		table[i].run = func() tea.Cmd { return tea.Batch(b.run(), s.furtherHistory()) }
	}
	return table
}

// current reports whether systemd still knows the run: it is the unit's newest.
func (sh *shared) current(r UnitRun) bool {
	now, ok := sh.runOf(r.Unit)
	return ok && now.Invocation == r.Invocation
}

func (s *runsScreen) open(r UnitRun) tea.Cmd {
	switch {
	case s.current(r):
		return s.post(pushMsg{newRunView(s.shared, r.Unit)})
	case r.Unit == "" && s.noSet(r) == "":
		return s.openSet(r)
	}
	return s.post(pushMsg{newJournal(s.shared, linesOf(r))})
}

// linesOf are a run's own lines in the journal.
func linesOf(r UnitRun) JournalQuery {
	return JournalQuery{Unit: r.Unit, Invocation: r.Invocation, MaxPriority: 7}
}

// noSet is why a run's set cannot be shown, or "".
func (s *runsScreen) noSet(r UnitRun) string {
	if r.Set == "" {
		return "this run made or read no set that is known"
	}
	if s.setOf(r) == nil {
		return "set " + clean(r.Set) + " is no longer in the bucket"
	}
	return ""
}

func (s *runsScreen) setOf(r UnitRun) *backup.Set {
	for i := range s.sets.value {
		if set := &s.sets.value[i]; set.ID == r.Set && s.ours(set) && (r.Database == "" || set.Database == r.Database) {
			return set
		}
	}
	return nil
}

func (s *runsScreen) openSet(r UnitRun) tea.Cmd {
	return s.post(pushMsg{newDetails(s.shared, *s.setOf(r))})
}

// runKeys act on one run.
func runKeys(sh *shared, r UnitRun, none string) []binding {
	noCancel, noLines := none, none
	if none == "" && r.Invocation == "" && r.Unit == "" {
		noLines = "its lines in the journal are not known"
	}
	switch {
	case none != "":
	case sh.Write.Cancel == nil:
		noCancel = cmp.Or(sh.denied(), "not available here")
	case !r.State.Live():
		noCancel = "it does not run"
	}
	noAgain := cmp.Or(none, sh.denied())
	switch {
	case noAgain != "":
	case !sh.current(r):
		noAgain = "a newer run of its unit is further up"
	case !r.Again:
		noAgain = "it is carried out once; start a new one"
	case r.State.Live():
		noAgain = "it is running"
	}
	return []binding{
		{
			keys: []string{"b"}, short: "run again",
			help: "start it once more, now; systemd's count of starts is cleared first", off: noAgain,
			run: func() tea.Cmd { return askAgain(sh, r) },
		},
		{
			keys: []string{"w", "e"}, label: "w", short: "journal", help: "journal of this run", off: noLines,
			run: func() tea.Cmd {
				return sh.post(pushMsg{newJournal(sh, linesOf(r))})
			},
		},
		{
			keys: []string{"X"}, short: "cancel", help: "cancel this run", off: noCancel,
			run: func() tea.Cmd { return askCancel(sh, r) },
		},
	}
}

func (s *runsScreen) copyText() string { r, _ := s.selected(); return r.Unit }
func (s *runsScreen) cliLine() string {
	if r, ok := s.selected(); ok {
		return "systemctl status " + printable.ShellWord(r.Unit)
	}
	return ""
}

func (s *runsScreen) view(w, h int) string {
	all := s.shown()
	lines := []string{s.section("RUNS", s.runs.note(s.shared, "systemd")+s.pastNote(), w)}
	if s.runs.err != nil {
		lines = append(lines, s.trouble(s.runs.err, w)...)
	}
	if s.past.err != nil && h > 20 {
		lines = append(lines, s.trouble(s.past.err, w)...)
	}
	if len(all) == 0 {
		if s.runs.have {
			lines = append(lines, s.faint.Render("   no run is known; 2 shows what is in the bucket"))
		}
		return strings.Join(lines, "\n")
	}
	r, _ := s.selected()
	below := append(s.runFacts(r, w), s.outcome(r, w)...)
	from, to := s.window(len(all), h-len(lines)-max(5, min(3+len(below), h/2)))
	t := table{cols: runColumns(w), selected: s.at - from, dim: s.runs.stale()}
	for _, r := range all[from:to] {
		t.cells = append(t.cells, s.cells(r, w))
	}
	lines = append(lines, t.lines(s.theme, w)...)
	lines = append(lines, "",
		s.section(strings.ToUpper(string(r.State)), s.faint.Render(cmp.Or(clean(r.Unit), "known from the bucket")), w))
	return strings.Join(append(lines, below...), "\n")
}

// runsWide is from where a list of runs has room for what its last lines say as well.
const runsWide = 100

func runColumns(w int) []column {
	if w < tableWidth {
		return []column{{"STATE", 11, false}, {"RUN", 0, false}, {"AGE", 7, true}, {"TOOK", 7, true}}
	}
	cols := []column{{"STATE", 11, false}, {"RUN", 0, false}, {"STARTED", 16, false}, {"TOOK", 7, true}}
	if w >= runsWide {
		cols = append(cols, column{head: "USUAL", width: 7, right: true})
	}
	return append(cols, column{head: "BYTES", width: 8, right: true}, column{head: "BY", width: 8, right: false})
}

func (s *runsScreen) cells(r UnitRun, w int) []string {
	out := []string{s.mark(runMark(r.State)), s.runTitle(r)}
	if w < tableWidth {
		return append(out, age(s.now, r.StartedAt), s.duration(r))
	}
	out = append(out, when(s.Zone, r.StartedAt), s.duration(r))
	if u, ok := s.usual[r.kind()]; ok && w >= runsWide {
		out = append(out, readable.Took(u.median))
	} else if w >= runsWide {
		out = append(out, "")
	}
	bytes := ""
	if r.Bytes > 0 {
		bytes = readable.Size(r.Bytes)
	}
	return append(out, bytes, orUnknown(r.Trigger))
}

// pastNote says how far the history reaches.
func (s *runsScreen) pastNote() string {
	switch {
	case s.past.err != nil:
		return s.faint.Render(" · ") + s.bad.Render("✗ the journal cannot be read") +
			s.faint.Render(", older ones are the bucket's")
	case s.past.asked && !s.past.have:
		return s.faint.Render(" · reading the journal …")
	case s.past.more:
		return s.faint.Render(" · older ones follow below")
	}
	return ""
}

// runFacts hold a run against those of its kind, and name its set.
func (s *runsScreen) runFacts(r UnitRun, w int) []string {
	var facts []string
	if u, ok := s.usual[r.kind()]; ok {
		facts = append(facts,
			"took "+s.duration(r)+", usually "+readable.Took(u.median)+" (median of "+plural(u.runs, "good run")+")")
	}
	if r.Set != "" {
		facts = append(facts, "set "+clean(r.Set))
	}
	if r.Bytes > 0 {
		facts = append(facts, readable.Size(r.Bytes))
	}
	var out []string
	for _, l := range wrap(strings.Join(facts, " · "), w-5) {
		if l != "" {
			out = append(out, "   "+s.faint.Render(l))
		}
	}
	return out
}

// duration is how long a run took, or takes so far.
func (sh *shared) duration(r UnitRun) string {
	switch {
	case r.StartedAt.IsZero():
		return "?"
	case r.State.Live():
		return readable.Took(max(time.Duration(0), sh.now.Sub(r.StartedAt)))
	case r.EndedAt.IsZero():
		return "?"
	}
	return readable.Took(r.EndedAt.Sub(r.StartedAt))
}

// outcome says in words how a run stands, and what to do.
func (sh *shared) outcome(r UnitRun, w int) []string {
	r = sh.explained(r)
	text := clean(r.Detail)
	if r.State.Live() {
		text = cmp.Or(clean(r.Status), text)
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
	RunRunning:   "running",
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
