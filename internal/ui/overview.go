// Screen 1, Overview: per database whether it can be recovered, to when, how that is known; what
// is wrong and what to do; what runs, what is next, the last 14 days, the bucket.

package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

type overview struct {
	*shared
	rows
}

func newOverview(sh *shared) *overview { return &overview{shared: sh} }

func (o *overview) name() string                  { return "Overview" }
func (o *overview) enter(context.Context) tea.Cmd { return nil }
func (o *overview) update(tea.Msg) tea.Cmd        { return nil }
func (o *overview) lively() bool                  { return len(o.liveRuns()) > 0 }

// selected is the database under the cursor.
func (o *overview) selected() (database, bool) {
	all := o.shown()
	if o.at < 0 || o.at >= len(all) {
		return database{}, false
	}
	return all[o.at], true
}

func (o *overview) shown() []database {
	var out []database
	for _, d := range assess(o.shared) {
		if o.matches(d.name) {
			out = append(out, d)
		}
	}
	return out
}

func (o *overview) keys() []binding {
	d, ok := o.selected()
	noSet, noJob := "no good backup of this database", ""
	if ok && d.newest != nil {
		noSet = ""
	}
	if !ok || !d.hasJob {
		noJob = "no job is configured for this database"
	}
	with := func(open func(*shared, backup.Set) tea.Cmd) func() tea.Cmd {
		return func() tea.Cmd { return open(o.shared, *d.newest) }
	}
	return append([]binding{
		{keys: []string{"b"}, short: "back up", help: "back this database up now", off: first(o.denied(), noJob),
			run: func() tea.Cmd { return askBackup(o.shared, d.job) }},
		{keys: []string{"v"}, short: "verify", help: "verify its newest backup: read everything back", off: first(o.denied(), noSet), run: with(askVerify)},
		{keys: []string{"R"}, short: "restore", help: "restore its newest backup into a new database", off: noSet, run: with(askRestore)},
		{keys: []string{"enter", "o"}, label: "enter", short: "details", help: "its newest backup", off: noSet,
			run: func() tea.Cmd { return send(pushMsg{newDetails(o.shared, *d.newest)}) }},
		{keys: []string{"tab"}, short: "backups", help: "its backups", run: func() tea.Cmd { return send(gotoMsg(1)) }},
	}, o.moves()...)
}

func (o *overview) copyText() string { d, _ := o.selected(); return d.name }
func (o *overview) cliLine() string  { return "pgbtui status" }

func (o *overview) view(w, h int) string {
	all := o.shown()
	if w >= wideWidth {
		lw := w * 3 / 5
		left := append(o.databases(all, lw, max(4, h/2)), o.wrong(all, lw)...)
		right := o.aside(all, w-lw-1)[1:]
		return strings.Join(o.sideBySide(left, right, lw, w-lw-1, h), "\n")
	}
	lines := o.databases(all, w, max(4, h/2))
	lines = append(lines, o.wrong(all, w)...)
	return strings.Join(append(lines, o.aside(all, w)...), "\n")
}

func (o *overview) databases(all []database, w, h int) []string {
	lines := []string{o.section("DATABASES", o.sets.note(o.shared, "bucket"), w)}
	if o.sets.err != nil {
		lines = append(lines, o.trouble(o.sets.err, w)...)
	}
	if len(all) == 0 {
		return append(lines, o.faint.Render("   none configured and none in the bucket"))
	}
	cols := []column{{"STATE", 7, false}, {"DATABASE", 0, false}, {"RECOVER TO", 16, false}, {"AGE", 7, true}, {"PROOF", 16, false}, {"RESTORE", 8, true}}
	if w < 76 {
		cols = []column{{"STATE", 7, false}, {"DATABASE", 0, false}, {"RECOVER TO", 16, false}, {"AGE", 7, true}}
	}
	from, to := o.window(len(all), h-len(lines)-1)
	t := table{cols: cols, selected: o.at - from, dim: o.sets.stale()}
	for _, d := range all[from:to] {
		to, old := "–", "–"
		if !d.known {
			to, old = "?", "?"
		} else if d.newest != nil {
			to, old = when(o.Zone, d.recoverTo()), age(o.now, d.newest.FinishedAt)
		}
		proof, rto := "–", "–"
		if !d.known || d.newest != nil {
			proof, rto = proofText(o.shared, d.newest), restoreTime(d.newest)
		}
		cells := []string{o.mark(d.mark), orUnknown(d.name), to, old, proof, rto}
		t.cells = append(t.cells, cells[:len(cols)])
	}
	return append(lines, t.lines(o.theme, w)...)
}

// trouble is a source's error and its remedy, wrapped.
func (t theme) trouble(err error, w int) []string {
	var out []string
	for i, l := range wrap(errorLine(err), w-5) {
		if i == 3 {
			break
		}
		out = append(out, "   "+t.bad.Render(l))
	}
	return out
}

func (o *overview) wrong(all []database, w int) []string {
	var lines []string
	for _, src := range []struct {
		name string
		err  error
	}{{"timers and units", o.runs.err}, {"timers", o.timers.err}} {
		if src.err != nil && (len(lines) == 0) {
			lines = append(lines, " "+o.bad.Render("✗ "+src.name+"  ")+errorLine(src.err))
		}
	}
	for _, d := range all {
		for _, p := range d.problems {
			lines = append(lines, o.problemLines(d.name, p, w)...)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{"", o.section("WRONG NOW", "", w)}, lines...)
}

func (o *overview) problemLines(name string, p problem, w int) []string {
	head := o.style(p.mark.tone).Render(p.mark.glyph+" "+clean(name)) + "  "
	one := " " + head + p.what + o.faint.Render(" → "+p.remedy)
	if cells(one) <= w {
		return []string{one}
	}
	out := []string{}
	for i, l := range wrap(p.what, w-5-cells(clean(name))) {
		if i == 0 {
			out = append(out, " "+head+l)
		} else if i < 3 {
			out = append(out, "   "+l)
		}
	}
	return append(out, o.faint.Render("   → "+p.remedy))
}

// aside is what runs, what is next, the last days and the bucket.
func (o *overview) aside(all []database, w int) []string {
	var lines []string
	if live := o.liveRuns(); len(live) > 0 {
		lines = append(lines, "", o.section("RUNNING", o.faint.Render("a opens it"), w))
		for _, r := range live {
			lines = append(lines, o.runLines(r, w)...)
		}
	}
	lines = append(lines, "", o.section("NEXT", o.timers.note(o.shared, "timers"), w), o.next(w))
	lines = append(lines, "", o.section("LAST 14 DAYS", "", w))
	for _, d := range all {
		if len(all) <= 6 || d.mark.rank > 0 {
			lines = append(lines, "   "+fit(clean(d.name), 20)+" "+lastDays(o.shared, d.name, 14))
		}
	}
	lines = append(lines, "", o.section("BUCKET", o.faint.Render(clean(o.Identity.Place)), w), "   "+o.bucket())
	return lines
}

func (o *overview) next(w int) string {
	var soon *Timer
	for i := range o.timers.value {
		t := &o.timers.value[i]
		if !t.Next.IsZero() && (soon == nil || t.Next.Before(soon.Next)) {
			soon = t
		}
	}
	if soon == nil {
		if o.timers.have {
			return "   " + o.warn.Render("! no timer will start anything")
		}
		return "   ?"
	}
	return fit(fmt.Sprintf("   %s  %s  %s", when(o.Zone, soon.Next), until(o.now, soon.Next), clean(soon.Unit)), w)
}

func (o *overview) bucket() string {
	if !o.sets.have {
		return "?"
	}
	var bytes int64
	var ours, other int
	for i := range o.sets.value {
		s := &o.sets.value[i]
		if o.ours(s) {
			ours++
			bytes += s.StoredSize
		} else {
			other++
		}
	}
	text := plural(ours, "backup") + ", " + size(bytes)
	if other > 0 {
		text += fmt.Sprintf("; %d of other hosts", other)
	}
	return text
}

// runLines is a live run in two lines: what, and how far.
func (o *overview) runLines(r UnitRun, w int) []string {
	_, _, percent, ok := backup.ParseStatus(r.Status)
	if !ok {
		percent = -1
	}
	elapsed := "?"
	if !r.StartedAt.IsZero() {
		elapsed = took(max(time.Duration(0), o.now.Sub(r.StartedAt)))
	}
	bar := o.bar(percent, min(20, w/4))
	return []string{
		"   " + o.mark(runMark(r.State)) + "  " + runTitle(r) + o.faint.Render("  for "+elapsed),
		"   " + bar + " " + first(clean(r.Status), string(r.State)),
	}
}
