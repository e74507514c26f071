// The page before retention is carried out by hand: tier 3. In reverse colours, so that nobody takes it
// for another; the number of backups that go has to be typed, as `prune --confirm` wants it.
//
// The unit decides again, and refuses a plan that looks wrong. So does this page, right before it asks
// for the unit: a plan that changed since it was read is shown again, not carried out.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type pruneGate struct {
	typedGate
	job   Job
	plan  PrunePlan
	pager pager
}

func (g *pruneGate) name() string { return "Delete" }

func (g *pruneGate) enter(ctx context.Context) tea.Cmd {
	g.ctx = ctx
	return nil
}

func (g *pruneGate) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(startedMsg); ok {
		return g.asked(g, m)
	}
	return nil
}

// dead is why the button does nothing, or "".
func (g *pruneGate) dead() string {
	switch n := strconv.Itoa(g.plan.Removes()); {
	case g.denied() != "":
		return g.denied()
	case g.input.text() == "":
		return "type the number"
	case g.input.text() != n:
		return "that is not the number"
	}
	return ""
}

func (g *pruneGate) keys() []binding {
	return append([]binding{
		{
			keys: []string{"enter"}, short: "delete", help: "do it, once the number is typed", off: cmp.Or(g.waits(), g.dead()),
			run: g.press,
		},
		g.leaving(g, "nothing was deleted"),
	}, g.pager.moves()...)
}

func (g *pruneGate) press() tea.Cmd {
	g.busy, g.err = true, nil
	src := g.Sources.Retention
	act := g.Write.Actions
	job := g.job
	want := g.plan.Removes()
	// The request outlives the page: leaving it must not leave a start half asked for.
	return g.start.ask(context.WithoutCancel(g.ctx), g.update, func(ctx context.Context) tea.Msg {
		plan, err := src.Plan(ctx, job)
		if err == nil && (plan.Removes() != want || len(plan.Doubts) > 0) {
			err = fault.New(fault.Refused,
				fmt.Sprintf("ui: delete: the plan has changed: %d backups would go now", plan.Removes()),
				"Leave this page and check the plan again (r).", nil)
		}
		if err != nil {
			return startedMsg{err: err}
		}
		s, err := act.Start(ctx, Service{Unit: job.Prune, What: "prune", Target: job.Database})
		return startedMsg{s, err}
	})
}

func (g *pruneGate) cliLine() string { return "systemctl start " + printable.ShellWord(g.job.Prune) }

func (g *pruneGate) view(w, h int) string {
	title := fmt.Sprintf("DELETE %s OF %s ON %s", strings.ToUpper(plural(g.plan.Removes(), "backup")),
		clean(g.job.Database), orUnknown(g.Identity.Place))
	return dangerPage{title: title, lines: g.facts(w), foot: g.foot(w, g.prompt())}.view(g.theme, &g.pager, w, h)
}

func (g *pruneGate) facts(w int) (lines []string) {
	add := func(label, value string) { lines = append(lines, fact(g.theme, label, value, w)...) }
	add("Starts", clean(g.job.Prune)+"; it decides again by the same rules")
	add("Rules", clean(g.plan.Rules))
	add("Comes to", g.plan.comesTo())
	add("Then", "They cannot be brought back from here; a bucket with versions keeps them hidden.")
	add("Same as", g.cliLine())
	lines = append(lines, "")
	for _, l := range g.plan.lines(g.shared) {
		if l.mark == markDelete {
			lines = append(lines,
				"   "+l.mark.text()+"  "+clean(l.id)+"  "+fitRight(readable.Size(l.bytes), 8)+"  "+clean(l.reason))
		}
	}
	return lines
}

// prompt is the number that is typed, and why enter does nothing yet.
func (g *pruneGate) prompt() string {
	state := "enter: delete"
	if why := g.dead(); why != "" {
		state = "(" + why + ")"
	}
	return fmt.Sprintf("  Type %d, the number of backups that go: %s   %s", g.plan.Removes(), g.input.plain(), state)
}
