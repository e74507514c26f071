// One run: stages, progress, what it uses against the unit's limits, its last journal lines.
// The console only looks at it; leaving changes nothing.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// tailLines is how many journal entries a run view keeps.
const tailLines = 50

type runView struct {
	*shared
	unit  string
	tail  []Entry
	err   error
	asker asker
	ctx   context.Context
	of    string // the invocation whose lines are shown

	result    *RestoreResult // of a restore that is over
	resultErr error
	results   asker
	pager     pager
}

func newRunView(sh *shared, unit string) *runView { return &runView{shared: sh, unit: unit} }

func (v *runView) name() string {
	if r, ok := v.runOf(v.unit); ok {
		return v.runTitle(r)
	}
	return clean(v.unit)
}

func (v *runView) lively() bool {
	r, ok := v.runOf(v.unit)
	return ok && r.State.Live()
}

func (v *runView) enter(ctx context.Context) tea.Cmd {
	v.ctx = ctx
	r, _ := v.runOf(v.unit)
	v.of = r.Invocation
	return tea.Batch(v.readResult(),
		readTail(v, ctx, JournalQuery{Unit: v.unit, Invocation: r.Invocation, MaxPriority: 7, Limit: tailLines}))
}

// readTail reads the last lines, then follows.
func readTail(v *runView, ctx context.Context, q JournalQuery) tea.Cmd {
	j := v.Sources.Journal
	if j == nil {
		v.err = v.missing("journal")
		return nil
	}
	return v.asker.ask(ctx, v.update, pageThenFollow(j, q))
}

func (v *runView) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case fedMsg:
		if r, ok := v.runOf(v.unit); ok && r.Invocation != v.of && v.ctx != nil {
			v.result, v.resultErr = nil, nil
			return v.enter(v.ctx) // another run of this unit began
		}
		return v.readResult()
	case resultMsg:
		v.result, v.resultErr = msg.result, msg.err
	case pageMsg:
		v.tail, v.err = msg.page.Entries, msg.err
		return followMore(&v.asker, v.update, msg.follow)
	case batchMsg:
		v.tail = append(v.tail, msg.entries...)
		v.tail = v.tail[max(0, len(v.tail)-tailLines):]
		return followMore(&v.asker, v.update, msg.follow)
	}
	return nil
}

func (v *runView) keys() []binding {
	r, ok := v.runOf(v.unit)
	none := ""
	if !ok {
		none = "systemd has forgotten this run"
	}
	esc := binding{
		keys: []string{"esc"}, short: "back, it continues", help: "back; the run continues",
		run: func() tea.Cmd { return v.post(popMsg{v}) },
	}
	if ok && !r.State.Live() {
		esc.short, esc.help = "back", "back"
	}
	table := append(append([]binding{esc}, v.undoKey()...), runKeys(v.shared, r, none)...)
	if r.Action != "restore" || r.State.Live() {
		return table
	}
	return append(table, v.pager.moves()...) // its result is long
}

func (v *runView) copyText() string { return v.unit }
func (v *runView) cliLine() string  { return "systemctl status " + printable.ShellWord(v.unit) }

func (v *runView) view(w, h int) string {
	r, ok := v.runOf(v.unit)
	if !ok {
		return v.section("RUN", v.runs.note(v.shared, "systemd"), w) + "\n   " + clean(v.unit) +
			"\n   " + v.unknownYet()
	}
	top := v.standing(r, w)
	if result := v.resultLines(r, w); len(result) > 0 {
		top = append(append(top, result...), v.facts(r, w)...)
		return strings.Join(v.pager.view(v.theme, append(top, v.lastLines(w, tailLines)...), w, h), "\n")
	}
	top = append(top, v.facts(r, w)...)
	return strings.Join(append(top, v.lastLines(w, h-len(top))...), "\n")
}

// lastLines are as many of the run's last journal entries as there is room for.
func (v *runView) lastLines(w, h int) []string {
	lines := append([]string{}, "", v.section("LAST LINES", v.faint.Render("w opens the journal"), w))
	if v.err != nil {
		lines = append(lines, v.trouble(v.err, w)...)
	}
	room := max(1, h-len(lines))
	for _, e := range v.tail[max(0, len(v.tail)-room):] {
		lines = append(lines, entryLine(v.shared, e, w, false))
	}
	return lines
}

func (v *runView) unknownYet() string {
	if v.asked[v.unit] {
		return v.busy.Render("▶ QUEUED") + "  asked systemd to start it"
	}
	return "? systemd knows no run of this unit"
}

// standing is how it stands, in words and as a bar.
func (v *runView) standing(r UnitRun, w int) []string {
	stage, percent := percentOf(r)
	lines := []string{
		v.section(strings.ToUpper(cmp.Or(r.Action, "run")), v.runs.note(v.shared, "systemd"), w),
		"   " + v.mark(runMark(r.State)) + "  " + v.bold.Render(v.runTitle(r)),
	}
	if r.State.Live() {
		if r.Action != "" {
			lines = append(lines, "   "+v.stages(r, stage))
		}
		text := "?"
		if percent >= 0 {
			text = fmt.Sprintf("%d%%", percent)
		}
		lines = append(lines, "", "   "+v.bar(percent, min(60, w-14))+"  "+v.bold.Render(text))
	}
	return append(append(lines, v.outcome(r, w)...), "")
}

func (v *runView) facts(r UnitRun, w int) []string {
	lines := fact(v.theme, "Unit", clean(r.Unit), w)
	started := when(v.Zone, r.StartedAt) + ", " + ago(v.now, r.StartedAt) + ", by " + orUnknown(r.Trigger)
	lines = append(lines, fact(v.theme, "Started", started, w)...)
	lines = append(lines, fact(v.theme, "Took", joinNonEmpty(", ", v.duration(r), attempt(r)), w)...)
	if r.State.Live() {
		lines = append(lines, fact(v.theme, "Uses", uses(r), w)...)
	}
	return lines
}

func attempt(r UnitRun) string {
	if r.Attempt < 2 {
		return ""
	}
	if r.Attempts < r.Attempt {
		return fmt.Sprintf("attempt %d", r.Attempt)
	}
	return fmt.Sprintf("attempt %d of %d", r.Attempt, r.Attempts)
}

func uses(r UnitRun) string {
	mem := readable.Size(r.Memory) + " memory"
	if r.MemoryHigh > 0 {
		mem += " of " + readable.Size(r.MemoryHigh)
	}
	cpu := "? CPU"
	if r.CPU > 0 {
		cpu = r.CPU.Round(time.Second).String() + " CPU"
	}
	return mem + ", " + cpu
}

// stageLists are the stages of each action in their order.
var stageLists = map[string][]backup.Stage{
	"backup": {
		backup.StageLock, backup.StagePreflight, backup.StageGlobals, backup.StageDump,
		backup.StageConfirm, backup.StageCommit, backup.StageRetention,
	},
	"verify": {backup.StageRead, backup.StageDecode},
	"drill": {
		backup.StageServer, backup.StagePreflight, backup.StageGlobals, backup.StageCreate, backup.StageRestore,
		backup.StageFinish, backup.StageCompare, backup.StageCheck,
	},
	"restore": {backup.StagePreflight, backup.StageCreate, backup.StageRestore, backup.StageFinish, backup.StageCompare},
}

// stages shows the stages with those that are done and the one that goes on.
func (v *runView) stages(r UnitRun, now backup.Stage) string {
	list := stageLists[r.Action]
	if r.Action == "restore" && r.Replaces {
		list = append(slices.Clone(list), backup.StageSwap)
	}
	at := slices.Index(list, now)
	var parts []string
	for i, s := range list {
		switch {
		case i < at:
			parts = append(parts, v.good.Render("✓ "+string(s)))
		case i == at:
			parts = append(parts, v.busy.Render("▶ "+string(s)))
		default:
			parts = append(parts, v.faint.Render("· "+string(s)))
		}
	}
	if at < 0 && now != "" {
		parts = append(parts, v.busy.Render("▶ "+clean(string(now))))
	}
	return strings.Join(parts, " ")
}
