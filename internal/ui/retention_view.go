// How the plan of a prune looks: what it comes to and why somebody should look, then set by set.

package ui

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

func (p *retentionPage) view(w, h int) string {
	note := p.faint.Render("a preview, nothing was deleted")
	switch {
	case p.err != nil:
		return strings.Join(append([]string{p.section("RETENTION", p.bad.Render("✗ cannot be planned"), w)},
			p.trouble(p.err, w)...),
			"\n")
	case !p.have:
		return p.section("RETENTION", p.faint.Render("reading every backup of "+clean(p.job.Database)+" …"), w)
	}
	lines := append([]string{p.section("RETENTION", note, w)}, p.summary(w, h)...)
	all := p.shown()
	if len(all) == 0 {
		return strings.Join(append(lines, "", p.faint.Render("   no backups")), "\n")
	}
	foot := []string{""}
	if l, ok := p.selected(); ok {
		foot = append(foot, fact(p.theme, "Why", clean(l.reason), w)...)
	}
	cols := []column{{"STATE", 8, false}, {"BACKUP", 23, false}, {"AGE", 7, true}, {"STORED", 8, true}, {"WHY", 0, false}}
	if w < tableWidth {
		cols = []column{{"STATE", 8, false}, {"BACKUP", 23, false}, {"AGE", 7, true}, {"WHY", 0, false}}
	}
	from, to := p.window(len(all), h-len(lines)-1-len(foot))
	t := table{cols: cols, selected: p.at - from}
	for _, l := range all[from:to] {
		c := []string{p.mark(l.mark), clean(l.id), l.age, readable.Size(l.bytes), clean(l.reason)}
		if w < tableWidth {
			c = append(c[:3], c[4])
		}
		t.cells = append(t.cells, c)
	}
	return strings.Join(append(append(lines, t.lines(p.theme, w)...), foot...), "\n")
}

// summary is what the plan comes to, by which rules, and what is odd about it.
func (p *retentionPage) summary(w, h int) (lines []string) {
	rules := "no rule is set: no backup is ever deleted"
	if p.plan.Rules != "" {
		rules = clean(p.plan.Rules) + "; " + p.plan.By
	}
	lines = append(lines, fact(p.theme, "Rules", rules, w)...)
	lines = append(lines, fact(p.theme, "Comes to", p.plan.comesTo(), w)...)
	if hidden := p.plan.Hidden; h > 12 && hidden != nil && hidden.Versions+hidden.Markers > 0 {
		lines = append(lines, fact(p.theme, "Hidden", fmt.Sprintf("%s, %s, and %s: a lifecycle rule for noncurrent "+
			"versions removes them",
			plural(hidden.Versions, "old version"), readable.Size(hidden.Bytes), plural(hidden.Markers, "delete marker")), w)...)
	}
	for _, n := range p.plan.Notes {
		lines = append(lines, fact(p.theme, "Note", clean(n), w)...)
	}
	for _, d := range p.plan.Doubts {
		for _, l := range p.wrap("! guarded: "+clean(d), w-4) {
			lines = append(lines, "   "+p.warn.Render(l))
		}
	}
	if len(p.plan.Doubts) > 0 {
		lines = append(lines, "   "+p.bold.Render(p.cliLine())+p.faint.Render("  carries it out (Y copies it)"))
	}
	return lines
}

// comesTo counts what stays and what goes.
func (p *PrunePlan) comesTo() string {
	var bytes int64
	for _, d := range p.Decisions {
		if d.Delete {
			bytes += d.Set.StoredSize
		}
	}
	text := fmt.Sprintf("%d kept, %d deleted", len(p.Decisions)-p.Removes(), p.Removes())
	if p.Removes() > 0 {
		text += " (" + readable.Size(bytes) + ")"
	}
	gone, left := 0, int64(0)
	for _, l := range p.Leftovers {
		if l.Remove {
			gone, left = gone+1, left+max(0, l.Bytes)
		}
	}
	if len(p.Leftovers) > 0 {
		text += fmt.Sprintf(", %d of %s (%s)", gone, plural(len(p.Leftovers), "leftover"), readable.Size(left))
	}
	return text
}
