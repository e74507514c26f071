// What can be known before a restore starts, as the unit itself finds it: the checks, what a part
// brings and leaves out, and what has to be fetched. The wizard's last page and the page that replaces
// a live database hold one.

package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type preflight struct {
	plan    Plan
	checked bool
	err     error
	asker   asker
	pager   pager
}

type planMsg struct {
	plan Plan
	err  error
}

// ask begins anew: what was found before says nothing any more.
func (p *preflight) ask(ctx context.Context, sh *shared, r RestoreRequest, to func(tea.Msg) tea.Cmd) tea.Cmd {
	p.plan = Plan{}
	p.checked = false
	p.err = nil
	planner := sh.Sources.Planner
	if planner == nil {
		p.err = sh.missing("planner")
		return nil
	}
	return p.asker.ask(ctx, to, func(ctx context.Context) tea.Msg {
		plan, err := planner.Preflight(ctx, r)
		return planMsg{plan, err}
	})
}

func (p *preflight) got(msg planMsg) {
	p.plan = msg.plan
	p.err = msg.err
	p.checked = msg.err == nil
}

// green reports whether every check passed.
func (p *preflight) green() bool {
	return p.checked && !slices.ContainsFunc(p.plan.Checks, func(c restore.Check) bool { return !c.OK })
}

// dead is why the plan may not be carried out, or "".
func (p *preflight) dead() string {
	switch {
	case p.err != nil:
		return "the checks could not be made"
	case !p.checked:
		return "the checks are still running"
	case !p.green():
		return "a check failed"
	}
	return ""
}

func (p *preflight) note(sh *shared) string {
	switch {
	case p.err != nil:
		return sh.bad.Render("✗ could not be made")
	case !p.checked:
		return sh.busy.Render("▶ checking …")
	case p.plan.Left:
		return sh.warn.Render("! none made here") + sh.faint.Render("; the unit makes them before it starts")
	case p.green():
		return sh.good.Render("✓ all passed") + sh.faint.Render("; the unit checks again before it starts")
	}
	return sh.bad.Render("✗ not yet")
}

// lines are the checks with their remedies: first what a person has to know, then, below the plan, what
// is as it should be.
func (p *preflight) lines(sh *shared, width int) (first, rest []string) {
	if p.err != nil {
		return sh.trouble(p.err, width), nil
	}
	for _, c := range worstFirst(p.plan.Checks) {
		switch {
		case !c.OK || c.Warn || slices.Contains([]string{"target", "with", "connections"}, c.Name):
			first = append(first, checkLines(sh, c, width)...)
		default:
			rest = append(rest, checkLines(sh, c, width)...)
		}
	}
	if len(rest) > 0 {
		rest = append([]string{"", sh.section("CHECKED TOO", "", width)}, rest...)
	}
	return first, rest
}

func checkLines(sh *shared, c restore.Check, width int) (out []string) {
	text := clean(c.Detail)
	if c.Name != "" {
		text = clean(c.Name) + ": " + text
	}
	if c.Remedy != "" && (!c.OK || c.Warn) {
		text += " → " + clean(c.Remedy)
	}
	for i, l := range sh.wrap(text, width-14) {
		head := strings.Repeat(" ", 10)
		if i == 0 {
			head = "   " + fit(sh.mark(checkMark(c)), 7)
		}
		out = append(out, head+l)
	}
	return out
}

func checkMark(c restore.Check) mark {
	switch {
	case !c.OK:
		return markFail
	case c.Warn:
		return markWarn
	}
	return markOK
}

// worstFirst keeps what failed in sight on a small screen, and then what it is about.
func worstFirst(checks []restore.Check) []restore.Check {
	sorted := slices.Clone(checks)
	rank := func(c restore.Check) int {
		if c.Name == "target" {
			return 2*checkMark(c).rank + 1
		}
		return 2 * checkMark(c).rank
	}
	slices.SortStableFunc(sorted, func(a, b restore.Check) int { return rank(b) - rank(a) })
	return sorted
}

// costLines are what comes, what it moves and how long that takes.
func costLines(sh *shared, r RestoreRequest, plan Plan, width int) []string {
	set := &r.Set
	if len(r.Tables)+len(r.Schemas) == 0 && !r.SchemaOnly {
		lines := fact(sh.theme, "Moves",
			"reads "+readable.Size(set.StoredSize)+", writes "+readable.Size(rawSize(set))+" and the indexes", width)
		return append(lines, fact(sh.theme, "Takes", restoreTimeText(sh, set), width)...)
	}
	p := plan.Portion
	if p == nil {
		return fact(sh.theme, "Fetches", "? not known before the checks", width)
	}
	lines := fact(sh.theme, "Fetches", fetches(p), width)
	for _, list := range []struct {
		label string
		items []restore.Item
	}{{"Chosen", p.Chosen}, {"With it", p.Brought}, {"Left out", p.LeftOut}} {
		if len(list.items) > 0 {
			lines = append(lines, fact(sh.theme, list.label, itemsText(list.items), width)...)
		}
	}
	return lines
}

// fetches is what of the stored dump has to be read.
func fetches(p *restore.Portion) string {
	if p.Whole != "" {
		return "the whole dump, " + readable.Size(p.StoredBytes) + ": " + clean(p.Whole)
	}
	return readable.Size(p.FetchBytes) + " of " + readable.Size(p.StoredBytes) + ", by ranges"
}

// mostItems is how many objects are named; all of them are in `restore --check`.
const mostItems = 100

func itemsText(items []restore.Item) string {
	var names []string
	for i, item := range items {
		if i == mostItems {
			names = append(names, fmt.Sprintf("and %d more", len(items)-i))
			break
		}
		names = append(names, clean(item.String()))
	}
	return fmt.Sprintf("%d: %s", len(items), strings.Join(names, ", "))
}
