// Details of one backup: facts, evidence, stages, contents, and the commands that restore it
// without pgbtui. Two columns from 120 cells; tab moves between them.

package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type details struct {
	*shared
	set      backup.Set
	contents ContentsView
	have     bool
	err      error
	asker    asker
	panes    [2]pager
	pane     int
	wide     bool
}

type contentsMsg struct {
	contents ContentsView
	err      error
}

func newDetails(sh *shared, s backup.Set) *details { return &details{shared: sh, set: s} }

func (d *details) name() string {
	return orUnknown(d.set.Database) + " " + when(d.Zone, d.set.FinishedAt)
}

func (d *details) enter(ctx context.Context) tea.Cmd {
	if d.Sources.Catalogue == nil || d.set.Manifest == nil {
		return nil
	}
	return d.asker.ask(ctx, d.update, readContents(d.Sources.Catalogue, d.set))
}

func (d *details) update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(contentsMsg); ok {
		d.contents = m.contents
		d.err = m.err
		d.have = m.err == nil
	}
	return nil
}

// current is the set as the bucket's last reading has it: proofs come later than the page.
func (d *details) current() *backup.Set {
	for i := range d.sets.value {
		if s := &d.sets.value[i]; s.ID == d.set.ID && s.Dir == d.set.Dir {
			return s
		}
	}
	return &d.set
}

func (d *details) keys() []binding {
	s := d.current()
	noJournal := ""
	if s.Manifest == nil || s.Manifest.InvocationID == "" {
		noJournal = "this backup names no run"
	}
	p := &d.panes[d.pane]
	return append(append(setKeys(d.shared, s), []binding{
		{
			keys: []string{"w", "e"}, label: "w", short: "journal", help: "journal of the run that made it", off: noJournal,
			run: func() tea.Cmd {
				return d.post(pushMsg{newJournal(d.shared, JournalQuery{Invocation: s.Manifest.InvocationID, MaxPriority: 7})})
			},
		},
		{
			keys: []string{"tab"}, help: "the other pane", off: d.onePane(),
			run: func() tea.Cmd { d.pane = 1 - d.pane; return nil },
		},
	}...), p.moves()...)
}

func (d *details) onePane() string {
	if d.wide {
		return ""
	}
	return "two panes need 120 columns"
}

func (d *details) filterText() string { return d.panes[d.pane].find }
func (d *details) setFilter(s string) { d.panes[d.pane].search(s) }
func (d *details) jump(by int)        { d.panes[d.pane].next(by) }
func (d *details) copyText() string   { return d.set.ID }
func (d *details) cliLine() string    { return "pgbtui show " + d.word(&d.set) }

func (d *details) view(w, h int) string {
	if d.wide = w >= wideWidth; d.wide {
		lw := w / 2
		left := d.panes[0].view(d.theme, d.facts(lw), lw, h)
		right := d.panes[1].view(d.theme, d.holds(w-lw-1), w-lw-1, h)
		return strings.Join(d.sideBySide(left, right, lw, w-lw-1, h), "\n")
	}
	d.pane = 0
	return strings.Join(d.panes[0].view(d.theme, append(d.facts(w), d.holds(w)...), w, h), "\n")
}

func (d *details) facts(w int) []string {
	s := d.current()
	lines := []string{d.section("BACKUP", d.sets.note(d.shared, "bucket"), w)}
	lines = append(lines, factLines(d.shared, s, w)...)
	lines = append(lines, proofLines(d.shared, s, w)...)
	lines = append(lines, madeLines(d.shared, s, w)...)
	if m := s.Manifest; m != nil && len(m.Stages) > 0 {
		lines = append(lines, "", d.section("STAGES", "", w))
		for _, st := range m.Stages {
			lines = append(lines,
				fmt.Sprintf("   %-12s %8s", clean(string(st.Stage)), readable.Took(time.Duration(st.Seconds*float64(time.Second)))))
		}
	}
	return lines
}

// holds is contents and the way to restore without pgbtui.
func (d *details) holds(w int) []string {
	lines := d.contentLines(w)
	if d.Sources.Catalogue == nil || !d.set.Good() {
		return lines
	}
	lines = append(lines, "", d.section("RESTORE WITHOUT PGBTUI", "", w))
	for _, c := range d.Sources.Catalogue.Recipe(d.set) {
		for i, l := range d.wrap(clean(c), w-5) {
			lines = append(lines, strings.Repeat(" ", 3+2*min(i, 1))+l)
		}
	}
	return lines
}

func (d *details) contentLines(w int) []string {
	head := d.section("CONTENTS", "", w)
	switch {
	case d.err != nil:
		return append([]string{"", head}, d.trouble(d.err, w)...)
	case d.set.Manifest == nil:
		return []string{"", head, "   ? no manifest, so unknown until it is verified"}
	case !d.have:
		return []string{"", head, d.faint.Render("   reading …")}
	}
	c := d.contents
	lines := []string{"", d.section("CONTENTS", d.faint.Render(plural(len(c.Tables), "table")), w)}
	for _, f := range [][2]string{
		{"Extensions", strings.Join(c.Extensions, ", ")}, {"Roles", strings.Join(c.Roles, ", ")},
	} {
		if f[1] != "" {
			lines = append(lines, fact(d.theme, f[0], clean(f[1]), w)...)
		}
	}
	if len(c.Tables) == 0 {
		return lines
	}
	t := table{cols: []column{{"  SCHEMA.TABLE", 0, false}, {"ROWS", 14, true}, {"BYTES", 9, true}}, selected: -1}
	for _, r := range c.Tables {
		t.cells = append(t.cells,
			[]string{"  " + clean(r.Schema) + "." + clean(r.Name), count(r.Rows), readable.Size(r.Bytes)})
	}
	return append(lines, t.lines(d.theme, w)...)
}
