// Screen 1, Overview: per database whether it can be recovered, to when, how that is known; what
// is wrong and what to do; what runs, what is next, the last 14 days, the bucket.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
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
func (o *overview) selected() (database, bool) { return rowAt(o.shown(), o.at) }

func (o *overview) shown() []database {
	var out []database
	for _, d := range assess(o.shared) {
		if o.matches(d.title) {
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
		{
			keys: []string{"b"}, short: "back up", help: "back this database up now", off: cmp.Or(o.denied(), noJob),
			run: func() tea.Cmd { return askBackup(o.shared, d.job) },
		},
		{
			keys: []string{"v"}, short: "verify", help: "verify its newest backup: read everything back",
			off: cmp.Or(o.denied(), noSet), run: with(asking(ProveReadable)),
		},
		{
			keys: []string{"d"}, short: "drill", help: "drill its newest backup: restore it into a server of its own, compare",
			off: cmp.Or(o.denied(), noSet), run: with(asking(ProveRestored)),
		},
		restoreKey("restore its newest backup into a new database", noSet, with(askRestore)),
		{
			keys: []string{"enter", "o"}, label: "enter", short: "details", help: "its newest backup", off: noSet,
			run: func() tea.Cmd { return o.post(pushMsg{newDetails(o.shared, *d.newest)}) },
		},
		retentionKey(o.shared, d.job, d.hasJob),
		{
			keys: []string{"w"}, help: "all that is wrong, with its remedies", off: o.nothingWrong(),
			run: func() tea.Cmd { return o.post(pushMsg{&wrongPage{shared: o.shared, of: o}}) },
		},
		{keys: []string{"tab"}, short: "backups", help: "its backups", run: func() tea.Cmd { return o.post(gotoMsg(1)) }},
	}, o.moves()...)
}

func asking(how Proving) func(*shared, backup.Set) tea.Cmd {
	return func(sh *shared, s backup.Set) tea.Cmd { return askProve(sh, how, s) }
}

func (o *overview) copyText() string { d, _ := o.selected(); return d.name }
func (o *overview) cliLine() string  { return "pgbtui status" }

func (o *overview) view(w, h int) string {
	all := o.shown()
	if w >= wideWidth {
		lw := max(tableWidth, w*3/5)
		left := append(o.databases(all, lw, max(4, h/2)), o.wrong(all, lw)...)
		right := o.aside(all, w-lw-1)[1:]
		return strings.Join(o.sideBySide(left, right, lw, w-lw-1, h), "\n")
	}
	lines, aside := o.databases(all, w, max(4, h/2)), o.aside(all, w)
	wrong := o.wrong(all, w)
	if room := max(5, h-len(lines)-len(squeeze(slices.Clone(aside), 0))); len(squeeze(slices.Clone(wrong), 0)) > room {
		wrong = squeeze(wrong, room)
		rest := len(wrong) - room + 1
		wrong = append(wrong[:room-1],
			"   "+o.theme.key.Render("w")+o.faint.Render(fmt.Sprintf(" shows all of it: %s more", plural(rest, "line"))))
	}
	return strings.Join(squeeze(append(append(lines, wrong...), aside...), h), "\n")
}

// squeeze gives up the blank lines when there is no room for them.
func squeeze(lines []string, h int) []string {
	for i := len(lines) - 1; i >= 0 && len(lines) > h; i-- {
		if lines[i] == "" {
			lines = slices.Delete(lines, i, i+1)
		}
	}
	return lines
}

func (o *overview) databases(all []database, w, h int) []string {
	lines := []string{o.section("DATABASES", o.sets.note(o.shared, "bucket"), w)}
	if o.sets.err != nil {
		lines = append(lines, o.trouble(o.sets.err, w)...)
	}
	if len(all) == 0 {
		return append(lines, o.faint.Render("   none configured and none in the bucket"))
	}
	cols := []column{
		{"STATE", 7, false},
		{"DATABASE", 0, false},
		{"RECOVER TO", 16, false},
		{"AGE", 7, true},
		{"PROOF", 16, false},
		{"RESTORE", 8, true},
	}
	if w < tableWidth {
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
			proof, rto = proofText(o.shared, d.newest), restoreTime(o.shared, d.newest)
		}
		cells := []string{o.mark(d.mark), orUnknown(d.title), to, old, proof, rto}
		t.cells = append(t.cells, cells[:len(cols)])
	}
	return append(lines, t.lines(o.theme, w)...)
}

// trouble is a source's error and its remedy, wrapped.
func (t theme) trouble(err error, w int) []string {
	var out []string
	for i, l := range t.wrap(errorLine(err), w-5) {
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
	}{{"units", o.runs.err}, {"timers", o.timers.err}} {
		if src.err != nil {
			lines = append(lines, " "+o.bad.Render("✗ "+src.name))
			lines = append(lines, o.trouble(src.err, w)...)
		}
	}
	if o.told.err != nil {
		lines = append(lines, " "+o.warn.Render("! watch")+o.faint.Render("  what it has told cannot be read"))
		lines = append(lines, o.trouble(o.told.err, w)...)
	}
	host := hostProblems(o.shared)
	for rank := markFail.rank; rank > 0; rank-- { // the worst first
		for _, p := range host {
			if p.mark.rank == rank && o.matches(p.subject) {
				lines = append(lines, o.problemLines(p.subject, p.problem, w)...)
			}
		}
		for _, d := range all {
			for _, p := range d.problems {
				if p.mark.rank == rank {
					lines = append(lines, o.problemLines(d.title, p, w)...)
				}
			}
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
	said := o.wrap(strings.Repeat("x", cells(head)-2)+p.what, w-4) // the first line begins behind the head
	said[0] = said[0][cells(head)-2:]
	for i, l := range said {
		switch {
		case i == 0:
			out = append(out, " "+head+l)
		case i == 3 && len(said) > 4:
			out = append(out, "   "+fit(l, w-6)+" …")
		case i < 4:
			out = append(out, "   "+l)
		}
	}
	for i, l := range o.wrap("→ "+p.remedy, w-4) {
		if i < 2 {
			out = append(out, o.faint.Render("   "+l))
		}
	}
	return out
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
	lines = append(lines, "")
	for i, d := range all {
		if i < 6 {
			lines = append(lines, o.label("14 DAYS", i == 0)+fit(clean(d.title), 18)+" "+lastDays(o.shared, d.sets, 14))
		}
	}
	lines = append(lines, o.labelled("NEXT", o.next(), o.timers.note(o.shared, "timers"), w)...)
	return append(lines, o.labelled("BUCKET", o.bucket(), o.faint.Render(clean(o.Identity.Place)), w)...)
}

// labelled is one line, or in a pane beside the databases as many as it takes.
func (o *overview) labelled(label, text, note string, w int) (lines []string) {
	if w >= minWidth {
		return []string{o.label(label, true) + text + o.faint.Render("  · ") + note}
	}
	for i, l := range o.wrap(ansi.Strip(text), w-cells(o.label(label, true))) {
		lines = append(lines, o.label(label, i == 0)+l)
	}
	return append(lines, o.label(label, false)+note)
}

// label heads a line that is a section of its own.
func (o *overview) label(text string, show bool) string {
	if !show {
		text = ""
	}
	return " " + o.head.Render(fit(text, 8)) + " "
}

func (o *overview) next() string {
	var soon *Timer
	for i := range o.timers.value {
		t := &o.timers.value[i]
		if t.Action == "backup" && !t.Next.IsZero() && (soon == nil || t.Next.Before(soon.Next)) {
			soon = t
		}
	}
	switch {
	case soon != nil:
		return clean(cmp.Or(soon.Database, timerTitle(*soon))) + " " + until(o.now, soon.Next) + ", " +
			when(o.Zone, soon.Next)
	case o.timers.have:
		return o.warn.Render("! no timer will start anything")
	}
	return "?"
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
	text := plural(ours, "backup") + ", " + readable.Size(bytes)
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
		elapsed = readable.Took(max(time.Duration(0), o.now.Sub(r.StartedAt)))
	}
	bar := o.bar(percent, min(20, w/4))
	return []string{
		"   " + o.mark(runMark(r.State)) + "  " + o.runTitle(r) + o.faint.Render("  for "+elapsed),
		"   " + bar + " " + cmp.Or(clean(r.Status), string(r.State)),
	}
}
