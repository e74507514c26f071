// How the wizard looks. Source and target stay on top of every step.

package ui

import (
	"fmt"
	"slices"
	"strings"
)

func (w *wizard) view(width, h int) string {
	lines := w.top(width)
	switch w.step {
	case stepTarget:
		lines = append(lines, w.targetLines(width)...)
	case stepOptions:
		lines = append(lines, w.optionLines(width)...)
	case stepPlan:
		lines = append(lines, w.planLines(width, h-len(lines))...)
	case stepRun:
		lines = append(lines, w.resultLines(width)...)
	}
	return strings.Join(lines, "\n")
}

// top is where the wizard stands, source and target.
func (w *wizard) top(width int) []string {
	var steps []string
	for i, s := range []string{"target", "options", "plan and checks", "run"} {
		switch {
		case i < w.step:
			steps = append(steps, w.good.Render("✓ "+s))
		case i == w.step:
			steps = append(steps, w.bold.Render("▶ "+s))
		default:
			steps = append(steps, w.faint.Render("· "+s))
		}
	}
	source := fmt.Sprintf("%s, %s old, %s", orUnknown(w.set.Database), age(w.now, w.set.FinishedAt), clean(w.set.ID))
	target := first(clean(w.target.text), "?") + " on " + orUnknown(joinNonEmpty(" ", w.Identity.Host, w.Identity.Cluster))
	lines := []string{w.section("RESTORE INTO A NEW DATABASE", "", width), "   " + strings.Join(steps, "  ")}
	lines = append(lines, fact(w.theme, "From", source, width)...)
	return append(lines, append(fact(w.theme, "Into", target, width), "")...)
}

func (w *wizard) targetLines(width int) []string {
	lines := []string{
		w.section("NAME OF THE NEW DATABASE", "", width),
		"   " + w.target.view(w.theme), "",
	}
	state := w.good.Render("✓ free")
	switch {
	case w.badTarget() != "":
		state = w.bad.Render("✗ " + w.badTarget())
	case w.nameErr != nil:
		state = w.warn.Render("? not checked yet: the plan checks again")
	case !w.namesOK:
		state = w.faint.Render("? asking the server which names exist …")
	}
	lines = append(lines, "   "+state, "", w.faint.Render("   The live database is not touched. Any name PostgreSQL takes will do."))
	if w.nameErr != nil {
		lines = append(lines, w.trouble(w.nameErr, width)...)
	}
	return lines
}

func (w *wizard) optionLines(width int) []string {
	globals, about := "no", "roles and tablespaces are left as they are"
	if w.globals {
		globals, about = "yes", "missing roles and tablespaces are made first"
	}
	if !w.hasGlobals() {
		globals, about = "no", "this backup holds none"
	}
	jobs, aboutJobs := "1", "streamed, needs no disk space"
	if w.jobs > 1 {
		jobs, aboutJobs = fmt.Sprint(w.jobs), "parallel; the dump is first spooled to disk"
	}
	lines := []string{w.section("OPTIONS", "", width)}
	for i, o := range [][3]string{{"Globals", globals, about}, {"Jobs", jobs, aboutJobs}} {
		l := fit(fmt.Sprintf("   %-10s  %-4s  %s", o[0], o[1], o[2]), width)
		if i == w.option {
			l = w.reverse.Render(l)
		}
		lines = append(lines, l)
	}
	return append(lines, "", w.faint.Render("   → and h change · enter shows the plan"))
}

func (w *wizard) planLines(width, h int) []string {
	lines := append([]string{w.section("CHECKS", w.checkNote(), width)}, w.checkLines(width)...)
	lines = append(lines, "", w.section("PLAN", w.faint.Render("nothing is changed before you press Restore"), width))
	lines = append(lines, fact(w.theme, "Moves", "reads "+size(w.set.StoredSize)+", writes "+size(rawSize(&w.set))+" and the indexes", width)...)
	lines = append(lines, fact(w.theme, "Takes", restoreTimeText(w.shared, &w.set), width)...)
	lines = append(lines, fact(w.theme, "Starts", "postgres-restore@….service", width)...)
	lines = append(lines, fact(w.theme, "Same as", restoreLine(w.request()), width)...)
	var wrong []string
	if w.err != nil {
		wrong = w.trouble(w.err, width)
	}
	lines = w.pager.view(w.theme, lines, width, max(3, min(len(lines), h-2-len(wrong))))
	return append(append(lines, wrong...), "", "   "+w.runButtons())
}

func (w *wizard) checkNote() string {
	switch {
	case w.planErr != nil:
		return w.bad.Render("✗ could not be made")
	case !w.checked:
		return w.going("checking …")
	case w.green() && !slices.ContainsFunc(w.checks, func(c Check) bool { return !c.Warn }):
		return w.warn.Render("! none made here") + w.faint.Render("; the unit makes them before it starts")
	case w.green():
		return w.good.Render("✓ all passed") + w.faint.Render("; the unit checks again before it starts")
	}
	return w.bad.Render("✗ not yet")
}

func (w *wizard) going(text string) string { return w.theme.busy.Render("▶ " + text) }

func (w *wizard) checkLines(width int) []string {
	if w.planErr != nil {
		return w.trouble(w.planErr, width)
	}
	var out []string
	for _, c := range worstFirst(w.checks) {
		m, tail := markOK, ""
		switch {
		case !c.OK:
			m = markFail
		case c.Warn:
			m = markWarn
		}
		if c.Remedy != "" && (!c.OK || c.Warn) {
			tail = " → " + clean(c.Remedy)
		}
		for i, l := range wrap(clean(c.What)+tail, width-14) {
			head := strings.Repeat(" ", 10)
			if i == 0 {
				head = "   " + fit(w.mark(m), 7)
			}
			out = append(out, head+l)
		}
	}
	return out
}

// worstFirst keeps what failed in sight on a small screen.
func worstFirst(checks []Check) []Check {
	rank := func(c Check) int {
		switch {
		case !c.OK:
			return 0
		case c.Warn:
			return 1
		}
		return 2
	}
	sorted := slices.Clone(checks)
	slices.SortStableFunc(sorted, func(a, b Check) int { return rank(a) - rank(b) })
	return sorted
}

func (w *wizard) runButtons() string {
	if w.busy {
		return w.going("asking systemd …")
	}
	if why := w.dead(); why != "" {
		return w.reverse.Render("[ Cancel ]") + w.faint.Render("     Restore    ("+why+")")
	}
	return w.buttons("Cancel", "Restore", w.yes)
}

// resultLines is the run, and once it ended, what to do next.
func (w *wizard) resultLines(width int) []string {
	r, ok := w.runOf(w.unit)
	lines := []string{w.section("RUN", w.faint.Render(clean(w.unit)), width)}
	if !ok {
		return append(lines, "   "+w.going("asked systemd to start it"), "", w.faint.Render("   Closing the console loses nothing: a shows this run again."))
	}
	lines = append(lines, "   "+w.mark(runMark(r.State))+"  "+w.faint.Render("for "+w.duration(r)))
	if r.State.Live() {
		_, percent := percentOf(r)
		lines = append(lines, "", "   "+w.bar(percent, min(60, width-14)))
	}
	lines = append(lines, w.outcome(r, width)...)
	if r.State.Live() {
		return append(lines, "", w.faint.Render("   Closing the console loses nothing: a shows this run again."))
	}
	lines = append(lines, "", w.section("NEXT", "", width))
	for _, l := range w.nextSteps(r.State) {
		for _, part := range wrap(l, width-5) {
			lines = append(lines, "   "+part)
		}
	}
	return lines
}

// nextSteps are exact commands; names are quoted for the shell, and by psql for SQL.
func (w *wizard) nextSteps(s RunState) []string {
	target := quote(w.target.text)
	switch s {
	case RunOK, RunWarn:
		return []string{
			"Look at it:     PGDATABASE=" + target + " psql",
			"Back to before: dropdb -- " + target,
			"The live database " + orUnknown(w.set.Database) + " was not touched.",
		}
	default:
		return []string{
			"Why:            journalctl -u " + quote(w.unit),
			"Clean up:       dropdb --if-exists -- " + target,
			"The live database " + orUnknown(w.set.Database) + " was not touched.",
		}
	}
}
