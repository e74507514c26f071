// The picker: a backup's schemas and tables with rows and bytes, of which some are picked with space.
// What these need to exist is found by the preflight, not here.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type picker struct {
	*shared
	rows
	set    backup.Set
	picked picked
	tables []TableView
	have   bool
	err    error
	asker  asker
	done   func(picked)
}

func newPicker(sh *shared, s backup.Set, before picked, done func(picked)) *picker {
	return &picker{shared: sh, set: s, picked: before.with(), done: done}
}

func (p *picker) name() string { return "Tables" }

func (p *picker) enter(ctx context.Context) tea.Cmd {
	switch {
	case p.Sources.Catalogue == nil:
		p.err = p.missing("catalogue")
		return nil
	case p.set.Manifest == nil:
		p.err = fault.New(fault.NotFound, "what this backup holds was not recorded",
			"Name the tables on the command line: `"+p.cliLine()+"`.", nil)
		return nil
	}
	return p.asker.ask(ctx, p.update, readContents(p.Sources.Catalogue, p.set))
}

func (p *picker) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(contentsMsg); ok {
		p.tables = slices.Concat(m.contents.Tables, m.contents.Others)
		p.err = m.err
		p.have = m.err == nil
		slices.SortStableFunc(p.tables, func(a, b TableView) int { return strings.Compare(a.Schema, b.Schema) })
		p.picked.sum(p.tables)
	}
	return nil
}

// pick is one row: a table, or with no name a whole schema.
type pick struct{ TableView }

func (k pick) whole() bool { return k.Ref == "" }

// shown are the rows that the filter leaves; a schema stays with its tables.
func (p *picker) shown() (out []pick) {
	schema := -1 // row of the current one
	for i, t := range p.tables {
		if i == 0 || t.Schema != p.tables[i-1].Schema {
			schema = -1
		}
		if !p.matches(t.Schema + "." + t.Name) {
			continue
		}
		if schema < 0 {
			schema = len(out)
			out = append(out, pick{p.schemaOf(t.Schema)})
		}
		out = append(out, pick{t})
	}
	return out
}

func (p *picker) schemaOf(name string) TableView {
	all := TableView{Schema: name}
	for _, t := range p.tables {
		if t.Schema == name && t.Kind == "" {
			all.Rows, all.Bytes = plus(all.Rows, t.Rows), plus(all.Bytes, t.Bytes)
		}
	}
	return all
}

func (p *picker) selected() (pick, bool) { return rowAt(p.shown(), p.at) }

func (p *picker) keys() []binding {
	none := ""
	if p.picked.none() {
		none = "nothing is picked: space picks"
	}
	return append([]binding{
		{
			keys: []string{" "}, label: "space", short: "pick", help: "pick this table or schema, or unpick it",
			run: p.toggle,
		},
		{keys: []string{"enter"}, short: "go on", help: "on to the target with what is picked", off: none, run: p.finish},
		{keys: []string{"esc"}, short: "back", help: "clear the filter; back, what was picked before stays", run: p.leave},
	}, p.moves()...)
}

func (p *picker) toggle() tea.Cmd {
	k, ok := p.selected()
	switch {
	case !ok:
		return nil
	case k.whole():
		p.picked.toggleSchema(k.Schema)
	case p.picked.schema[k.Schema]: // which is more than its tables: functions, types
		return say(toneWarn, "its whole schema is picked; space on the schema unpicks it")
	default:
		p.picked.toggleTable(k.TableView)
	}
	p.picked.sum(p.tables)
	p.move(1)
	return nil
}

func (p *picker) finish() tea.Cmd {
	p.done(p.picked)
	return p.post(popMsg{p})
}

func (p *picker) leave() tea.Cmd {
	if p.filter != "" {
		p.setFilter("")
		return nil
	}
	return p.post(popMsg{p})
}

func (p *picker) copyText() string {
	k, _ := p.selected()
	return cmp.Or(k.Ref, k.Schema)
}

func (p *picker) cliLine() string {
	return p.RestoreCommand + " restore " + p.word(&p.set) + " --to NEWDB --table TABLE"
}

func (p *picker) view(w, h int) string {
	lines := []string{p.section("WHAT COMES BACK", p.chosenText(), w)}
	switch {
	case p.err != nil:
		return strings.Join(append(lines, p.trouble(p.err, w)...), "\n")
	case !p.have:
		return strings.Join(append(lines, p.faint.Render("   reading …")), "\n")
	case len(p.tables) == 0:
		return strings.Join(append(lines, "   this backup holds no tables"), "\n")
	}
	all := p.shown()
	from, to := p.window(len(all), h-len(lines)-1)
	t := table{
		cols: []column{{"", 3, false}, {"TABLE", 0, false}, {"ROWS", 13, true}, {"BYTES", 8, true}}, selected: p.at - from,
	}
	for _, k := range all[from:to] {
		t.cells = append(t.cells, p.cells(k))
	}
	return strings.Join(append(lines, t.lines(p.theme, w)...), "\n")
}

func (p *picker) cells(k pick) []string {
	mark, name := "[ ]", "  "+clean(k.Schema)+"."+clean(k.Name)
	if k.whole() {
		name = p.bold.Render(clean(k.Schema)) + p.faint.Render("  whole schema")
	}
	switch {
	case k.whole() && p.picked.schema[k.Schema], !k.whole() && p.picked.has(k.TableView):
		mark = "[x]"
	}
	if k.Kind != "" {
		return []string{mark, name, clean(k.Kind), ""}
	}
	return []string{mark, name, count(k.Rows), readable.Size(k.Bytes)}
}

func (p *picker) chosenText() string {
	if p.picked.none() {
		return p.faint.Render("space picks · / filters · enter continues")
	}
	return p.good.Render(fmt.Sprintf("%d picked", len(p.picked.schema)+len(p.picked.table))) +
		p.faint.Render(" · "+count(p.picked.rows)+" rows, "+readable.Size(p.picked.bytes)+" · "+p.picked.text())
}
