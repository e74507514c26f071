// How the wizard looks. Source and target stay on top of every step.

package ui

import (
	"cmp"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

func (w *wizard) view(width, h int) string {
	lines := w.top(width)
	switch w.step {
	case stepWay:
		lines = append(lines, w.wayLines(width)...)
	case stepTarget:
		lines = append(lines, w.targetLines(width)...)
	case stepOptions:
		lines = append(lines, w.optionLines(width)...)
	case stepPlan:
		lines = append(lines, w.planLines(width, h-len(lines))...)
	}
	return strings.Join(lines, "\n")
}

// top is where the wizard stands, source and target.
func (w *wizard) top(width int) []string {
	var steps []string
	for i, s := range []string{"what", "target", "options", "plan and checks"} {
		switch {
		case i < w.step:
			steps = append(steps, w.good.Render("✓ "+s))
		case i == w.step:
			steps = append(steps, w.bold.Render("▶ "+s))
		default:
			steps = append(steps, w.faint.Render("· "+s))
		}
	}
	lines := []string{w.section("RESTORE", strings.Join(steps, "  "), width)}
	lines = append(lines, fact(w.theme, "From", sourceText(w.shared, &w.set), width)...)
	if w.step > stepWay {
		lines = append(lines, fact(w.theme, "Into", w.targetText(), width)...)
	}
	return append(lines, "")
}

// sourceText is a set as the one that comes back: how old, and what is known of it.
func sourceText(sh *shared, s *backup.Set) string {
	known := "proof " + proofText(sh, s)
	if s.Signature != "" {
		known += ", " + clean(string(s.Signature))
	}
	if s.At != "" {
		known += ", at copy " + clean(s.At)
	}
	return orUnknown(s.Database) + ", " + age(sh.now, s.FinishedAt) + " old, " + known + ", " + clean(s.ID)
}

func (w *wizard) targetText() string {
	text := cmp.Or(clean(w.target.text()), "?") + " on " + onServer(w.shared)
	switch by := ways[w.way]; {
	case by.live:
		return text + ", in its place"
	case by.parts:
		return text + ": " + w.picked.text()
	}
	return text
}

func onServer(sh *shared) string {
	return orUnknown(joinNonEmpty(" ", sh.Identity.Host, sh.Identity.Cluster))
}

func (w *wizard) planLines(width, h int) []string {
	p := &w.preflight
	first, rest := p.lines(w.shared, width)
	lines := append([]string{w.section("CHECKS", p.note(w.shared), width)}, first...)
	lines = append(lines, "", w.section("PLAN", w.faint.Render("nothing is changed before you press Restore"), width))
	lines = append(lines, costLines(w.shared, w.request(), p.plan, width)...)
	lines = append(lines, fact(w.theme, "Starts", "postgres-restore@….service", width)...)
	lines = append(lines, fact(w.theme, "Same as", restoreLine(w.shared, w.request()), width)...)
	lines = append(lines, rest...)
	var wrong []string
	if w.err != nil {
		wrong = w.trouble(w.err, width)
	}
	lines = p.pager.view(w.theme, lines, width, max(3, min(len(lines), h-2-len(wrong))))
	return append(append(lines, wrong...), "", "   "+w.runButtons())
}

func (w *wizard) runButtons() string {
	if w.busy {
		return w.theme.busy.Render("▶ asking systemd …")
	}
	if why := w.dead(); why != "" {
		return w.reverse.Render("[ Cancel ]") + w.faint.Render("     Restore    ("+why+")")
	}
	return w.buttons("Cancel", "Restore", w.yes)
}
