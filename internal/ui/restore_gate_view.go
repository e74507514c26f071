// How the page looks that changes a live database.

package ui

import (
	"cmp"
	"fmt"
	"strings"
)

func (g *gate) view(w, h int) string {
	first, rest := g.preflight.lines(g.shared, w)
	checks := append([]string{g.section("CHECKS", g.preflight.note(g.shared), w)}, first...)
	lines := append(append(g.facts(w), ""), checks...)
	if h < 16 { // what keeps it from going on comes first
		lines = append(append(checks, ""), g.facts(w)...)
	}
	lines = append(lines, "")
	if g.request.Swap == "" {
		lines = append(lines, costLines(g.shared, g.request, g.preflight.plan, w)...)
	}
	lines = append(append(lines, fact(g.theme, "Same as", restoreLine(g.shared, g.request), w)...), rest...)
	return dangerPage{title: g.title(), lines: lines, foot: g.foot(w, g.prompt()...)}.view(g.theme, &g.preflight.pager, w,
		h)
}

func (g *gate) title() string {
	live := clean(g.request.live()) + " ON " + onServer(g.shared)
	if g.request.DataOnly {
		return "PUT ROWS INTO THE LIVE DATABASE " + live
	}
	if g.request.Swap != "" {
		return "PUT BACK WHAT WAS LIVE BEFORE IN THE PLACE OF " + live
	}
	return "REPLACE THE LIVE DATABASE " + live
}

func (g *gate) facts(w int) (lines []string) {
	add := func(label, value string) { lines = append(lines, fact(g.theme, label, value, w)...) }
	live := clean(g.request.live())
	if g.request.DataOnly {
		add("From", sourceText(g.shared, &g.request.Set))
		add("Then",
			"its tables of these names have the rows of the backup, all or none; nothing else is changed, and nothing takes "+
				"them out again")
		return lines
	}
	if g.request.Swap != "" {
		add("By", cmp.Or(clean(g.request.With), "the newest "+live+"_before_<time>"))
		add("Kept", live+" as it is now, as "+live+"_undone_<time>; what was written since then is only there")
	} else {
		add("By", sourceText(g.shared, &g.request.Set))
		add("Kept", live+" as it is now, as "+live+"_before_<time>; what was written since the backup is only there")
	}
	ends := "are left alone: while somebody is connected nothing is replaced (tab ends them)"
	if g.request.Terminate {
		ends = "are ENDED in the end: open transactions are lost, clients see an error"
	}
	add("Connections", ends)
	return lines
}

// prompt is the name that is typed, and why enter does nothing yet.
func (g *gate) prompt() []string {
	state, what := "enter: "+strings.ToLower(g.verb()), "replace it"
	switch {
	case g.request.Swap != "":
		what = "put back what was before"
	case g.request.DataOnly:
		what = "put the rows in"
	}
	if why := g.dead(); why != "" {
		state = "(" + why + ")"
	}
	return []string{fmt.Sprintf("  Type %s to %s: %s", clean(g.request.live()), what, g.input.plain()), "  " + state}
}
