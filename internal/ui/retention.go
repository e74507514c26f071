// What retention would do with the sets of one job, and why: the preview of a prune, which changes
// nothing. What would go stands first. D carries it out, on a page of its own.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type retentionPage struct {
	*shared
	rows
	job   Job
	plan  PrunePlan
	have  bool
	err   error
	asker asker
}

type prunePlanMsg struct {
	plan PrunePlan
	err  error
}

// askRetention shows the plan of a database's job.
func askRetention(sh *shared, j Job) tea.Cmd {
	return sh.post(pushMsg{&retentionPage{shared: sh, job: j}})
}

// retentionKey is the row of a key table that shows the plan for a database.
func retentionKey(sh *shared, job Job, ok bool) binding {
	if !ok && len(sh.Jobs) == 1 {
		job, ok = sh.Jobs[0], true
	}
	off := ""
	if !ok {
		off = "no job is configured for this database"
	}
	return binding{
		keys: []string{"p"}, short: "retention", help: "what retention would delete, and why; changes nothing", off: off,
		run: func() tea.Cmd { return askRetention(sh, job) },
	}
}

func readPlan(sh *shared, j Job) func(context.Context) tea.Msg {
	src := sh.Sources.Retention
	return func(ctx context.Context) tea.Msg {
		plan, err := src.Plan(ctx, j)
		return prunePlanMsg{plan, err}
	}
}

func (p *retentionPage) name() string {
	return "Retention of " + clean(cmp.Or(p.job.Subject, p.job.Name))
}

func (p *retentionPage) enter(ctx context.Context) tea.Cmd {
	if p.Sources.Retention == nil {
		p.err = p.missing("retention")
		return nil
	}
	p.have, p.err = false, nil
	return p.asker.ask(ctx, p.update, readPlan(p.shared, p.job))
}

func (p *retentionPage) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(prunePlanMsg); ok {
		p.plan = m.plan
		p.err = m.err
		p.have = m.err == nil
	}
	return nil
}

// judged is one line of a plan: a set, or what a run left.
type judged struct {
	set    *backup.Set // nil for what was left
	mark   mark
	id     string
	age    string
	bytes  int64
	reason string
}

var (
	markKeep   = mark{glyph: "✓", word: "KEEP", rank: 0, tone: toneGood}
	markDelete = mark{glyph: "✗", word: "DELETE", rank: 1, tone: toneWarn}
	markLeft   = mark{glyph: "–", word: "LEFT", rank: 0, tone: toneFaint}
)

// lines are those of a plan, what would go first.
func (p *PrunePlan) lines(sh *shared) (all []judged) {
	if p.Pruning == nil {
		return nil
	}
	for i := range p.Decisions {
		d := &p.Decisions[i]
		m := markKeep
		if d.Delete {
			m = markDelete
		}
		all = append(all,
			judged{
				set: &d.Set, mark: m, id: d.Set.ID, age: age(sh.now, d.Set.FinishedAt), bytes: d.Set.StoredSize, reason: d.Reason,
			})
	}
	for i := range p.Leftovers {
		l := &p.Leftovers[i]
		m, cost := markLeft, ""
		if l.Remove {
			m = markDelete
		}
		if usd, known := p.MonthlyUSD(l); known {
			cost = fmt.Sprintf(", about $%.2f a month", max(0.01, usd))
		}
		all = append(all,
			judged{
				mark: m, id: l.Run, age: age(sh.now, l.Last), bytes: l.Bytes, reason: string(l.Kind) + cost + ": " + l.Reason,
			})
	}
	slices.SortStableFunc(all, func(a, b judged) int { return b.mark.rank - a.mark.rank })
	return all
}

func (p *retentionPage) shown() (out []judged) {
	for _, l := range p.plan.lines(p.shared) {
		if p.matches(l.id + " " + l.mark.word + " " + l.reason) {
			out = append(out, l)
		}
	}
	return out
}

func (p *retentionPage) selected() (judged, bool) { return rowAt(p.shown(), p.at) }

func (p *retentionPage) keys() []binding {
	l, _ := p.selected()
	noSet := ""
	if l.set == nil {
		noSet = "no backup is selected"
	}
	return append([]binding{
		{
			keys: []string{"enter", "o"}, label: "enter", short: "details", help: "everything about this backup", off: noSet,
			run: func() tea.Cmd { return p.post(pushMsg{newDetails(p.shared, *l.set)}) },
		},
		{
			keys: []string{"K"}, short: "hold", help: "hold it: no rule deletes it; again: release it",
			off: cmp.Or(p.denied(), noSet, noManifest(l.set)),
			run: func() tea.Cmd { return askHold(p.shared, *l.set) },
		},
		{
			keys: []string{"D"}, short: "delete",
			help: "carry the plan out: a page of its own asks for the number of backups that go", off: p.noPrune(),
			run: func() tea.Cmd {
				return p.post(pushMsg{&pruneGate{typedGate: typedGate{shared: p.shared, under: p}, job: p.job, plan: p.plan}})
			},
		},
	}, p.moves()...)
}

// noPrune is why the plan cannot be carried out from here, or "".
func (p *retentionPage) noPrune() string {
	switch {
	case p.denied() != "":
		return p.denied()
	case !p.have:
		return "the plan is not known yet"
	case p.job.Several:
		return "the unit prunes all databases of the job: the command line prunes this one (Y copies the line)"
	case len(p.plan.Doubts) > 0:
		return "it looks wrong: only the command line carries it out (Y copies the line)"
	case p.plan.Removes() == 0 && !slices.ContainsFunc(p.plan.Leftovers,
		func(l retention.Leftover) bool { return l.Remove }):
		return "nothing would be deleted"
	}
	return ""
}

func (p *retentionPage) copyText() string { l, _ := p.selected(); return l.id }

// cliLine shows the plan, or carries out one that only the command line may.
func (p *retentionPage) cliLine() string {
	line := "sudo pgbtui prune --job " + printable.ShellWord(p.job.Name)
	if p.job.Several {
		line += " --database " + printable.ShellWord(p.job.Database)
	}
	if p.have && len(p.plan.Doubts) > 0 {
		return line + fmt.Sprintf(" --confirm %d", p.plan.Removes())
	}
	return line + " --dry-run"
}
