// How the bucket screen looks: two columns of sections, one below the other where there is no room.

package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

func shellWord(text string) string { return printable.ShellWord(text) }

func (s *bucketScreen) view(w, h int) string {
	head := []string{}
	if s.asking {
		head = append(head, " "+s.theme.key.Render("if ")+s.changes.view(s.theme, w-40)+
			s.faint.Render("  enter asks · esc leaves it"))
	}
	if w < wideWidth {
		lines := append(s.harmFirst(w), append(s.money(w), append([]string{""}, s.setup(w)...)...)...)
		return strings.Join(append(head, s.pager.view(s.theme, lines, w, h-len(head))...), "\n")
	}
	lw := w * 3 / 5
	left := s.pager.view(s.theme, s.money(lw), lw, h-len(head))
	return strings.Join(append(head, s.sideBySide(left, s.setup(w-lw-1), lw, w-lw-1, h-len(head))...), "\n")
}

// harmFirst names, where the settings are below the edge of the screen, what must not be missed there. Who asks what if
// wants the answer in that place.
func (s *bucketScreen) harmFirst(w int) []string {
	if s.asked != "" || !slices.ContainsFunc(s.buckets.value, func(b BucketView) bool { return len(b.Harms) > 0 }) {
		return nil
	}
	return append(s.marked(markFail, "the bucket's lifecycle rules harm backups: see SETTINGS below", w), "")
}

// money is what it costs, will cost, and how it grew.
func (s *bucketScreen) money(w int) []string {
	lines := []string{s.section("COST A MONTH", s.buckets.note(s.shared, "bucket"), w)}
	if s.buckets.err != nil {
		lines = append(lines, s.trouble(s.buckets.err, w)...)
	}
	for i := range s.buckets.value {
		lines = append(lines, s.costs(&s.buckets.value[i], w)...)
	}
	lines = append(append(lines, ""), s.projection(w)...)
	return append(append(lines, ""), s.growth(w)...)
}

// costs is the table of one bucket, with its sum.
func (s *bucketScreen) costs(b *BucketView, w int) []string {
	var out []string
	if len(s.buckets.value) > 1 {
		out = append(out, "   "+clean(b.Place))
	}
	if len(b.Costs) == 0 {
		return append(out, s.faint.Render("   no backups"))
	}
	cols := []column{
		{"JOB", 12, false},
		{"DATABASE", 0, false},
		{"CLASS", 12, false},
		{"SETS", 5, true},
		{"STORED", 9, true},
		{"A MONTH", 9, true},
	}
	narrow := w < tableWidth-8
	if narrow {
		cols = []column{{"DATABASE", 0, false}, {"CLASS", 12, false}, {"STORED", 9, true}, {"A MONTH", 9, true}}
	}
	t := table{cols: cols, selected: -1, dim: s.buckets.stale()}
	var sum float64
	var bytes int64
	var sets int
	known := true
	for _, c := range fewTenants(b.Costs) {
		row := []string{
			clean(c.Job), ofTenant(c.Database, c.Schema), clean(c.Class), fmt.Sprint(c.Sets), readable.Size(c.Bytes),
			usdOr(c.USD, c.Known),
		}
		if narrow {
			row = []string{row[1], row[2], row[4], row[5]}
		}
		t.cells = append(t.cells, row)
		if c.Known {
			sum += c.USD
		}
		known = known && c.Known
		bytes, sets = bytes+c.Bytes, sets+c.Sets
	}
	out = append(out, t.lines(s.theme, w)...)
	total := fmt.Sprintf("%s, %s: %s", plural(sets, "backup"), readable.Size(bytes), sumText(sum, known))
	out = append(out, "   "+s.bold.Render(total))
	return append(out, fact(s.theme, "Prices", orUnknown(b.Prices), w)...)
}

// sumText is what all of it costs as far as prices are known. Next to nothing is no bound worth naming.
func sumText(sum float64, known bool) string {
	switch {
	case known:
		return usd(sum) + " a month"
	case sum < 0.01:
		return "cost not known; prices are missing"
	}
	return "more than " + usd(sum) + " a month; not every price is known"
}

// usdOr is a price, or that it is not known.
func usdOr(v float64, known bool) string {
	if !known {
		return "?"
	}
	return usd(v)
}

// projection is what a month will cost, as it goes on and by other rules.
func (s *bucketScreen) projection(w int) []string {
	note := s.faint.Render("as it goes on; f asks what if")
	if s.asked != "" {
		note = s.faint.Render("if " + clean(s.asked))
	}
	lines := []string{s.section("WHAT A MONTH WILL COST", note, w)}
	if s.projects.err != nil {
		return append(lines, s.trouble(s.projects.err, w)...)
	}
	if !s.projects.have {
		return append(lines, s.faint.Render("   reading …"))
	}
	cols := []column{{"DATABASE", 0, false}}
	for _, m := range ProjectedMonths {
		cols = append(cols, column{head: fmt.Sprintf("IN %d MO", m), width: 9, right: true})
	}
	if s.asked != "" {
		cols = append(cols, column{head: "IF SO", width: 9, right: true})
	}
	t := table{cols: cols, selected: -1}
	notes := []string{}
	for _, p := range together(s.projects.value) {
		row := []string{ofTenant(p.Database, p.Schema)}
		for i := range ProjectedMonths {
			row = append(row, usdAt(p.GoesOn, i))
		}
		if s.asked != "" {
			row = append(row, usdAt(p.IfSo, len(ProjectedMonths)-1))
		}
		t.cells = append(t.cells, row)
		if p.Note != "" {
			notes = append(notes, fact(s.theme, ofTenant(p.Database, p.Schema), clean(p.Note), w)...)
		}
	}
	if len(t.cells) == 0 {
		return append(lines, s.faint.Render("   no jobs"))
	}
	return append(append(lines, t.lines(s.theme, w)...), notes...)
}

func usdAt(months []float64, i int) string {
	if i >= len(months) {
		return "?"
	}
	return usd(months[i])
}

// grownMonths is how far the growth looks back.
const grownMonths = 6

// growth is the size of the newest good backup of each database at the end of each of the last months, together.
func (s *bucketScreen) growth(w int) []string {
	lines := []string{s.section("GROWTH", s.faint.Render("one backup of each database, stored"), w)}
	months := make([]int64, grownMonths)
	most := int64(0)
	for i := range months {
		end := time.Date(s.now.In(s.Zone).Year(), s.now.In(s.Zone).Month()-time.Month(grownMonths-2-i), 1, 0, 0, 0, 0, s.Zone)
		months[i] = s.sizeAt(end)
		most = max(most, months[i])
	}
	if most == 0 {
		return append(lines, s.faint.Render("   no backups"))
	}
	width := max(10, min(40, w-28))
	for i, size := range months {
		at := time.Date(s.now.In(s.Zone).Year(), s.now.In(s.Zone).Month()-time.Month(grownMonths-1-i), 1, 0, 0, 0, 0, s.Zone)
		text := readable.Size(size)
		if size == 0 {
			text = "none"
		}
		lines = append(lines, "   "+s.faint.Render(at.Format("Jan 2006"))+" "+s.bar(int(100*size/most), width)+" "+text)
	}
	return lines
}

// sizeAt is what the newest good backup of each database had before a time, together.
func (s *bucketScreen) sizeAt(end time.Time) (sum int64) {
	seen := map[string]bool{}
	for i := range s.sets.value { // newest first
		set := &s.sets.value[i]
		of := set.Instance + "/" + set.Database
		if seen[of] || !set.Good() || !set.FinishedAt.Before(end) {
			continue
		}
		seen[of] = true
		sum += set.StoredSize
	}
	return sum
}

// setup is how the buckets are set up, and what lies there besides good sets.
func (s *bucketScreen) setup(w int) []string {
	var lines []string
	for i := range s.buckets.value {
		b := &s.buckets.value[i]
		lines = append(lines, s.section("SETTINGS", s.faint.Render(clean(b.Place)+", "+orUnknown(b.Region)), w))
		lines = append(lines, s.posture(b, w)...)
		lines = append(append(lines, ""), s.left(b, w)...)
	}
	lines = append(lines, s.copies(w)...)
	return append(append(lines, ""), s.archives(w)...)
}

func (s *bucketScreen) posture(b *BucketView, w int) []string {
	if b.PostureErr != nil {
		return s.marked(markUnknown, "not known: "+errorLine(b.PostureErr), w)
	}
	var out []string
	for _, setting := range b.Settings {
		out = append(out, fact(s.theme, setting[0], clean(setting[1]), w)...)
	}
	for _, harm := range b.Harms {
		out = append(out, s.marked(markFail, harm, w)...)
	}
	for _, differs := range b.Differs {
		out = append(out, s.marked(markWarn, differs, w)...)
	}
	switch {
	case len(b.Differs) > 0:
		out = append(out, s.marked(mark{glyph: "→", word: "→"}, "pgbtui aws bucket apply makes these changes", w)...)
	case len(b.Harms) == 0:
		out = append(out, "   "+s.mark(markOK)+" as the jobs want it")
	}
	return out
}

// marked is a sentence behind a glyph, wrapped under itself.
func (s *bucketScreen) marked(m mark, text string, w int) (out []string) {
	glyph := s.style(m.tone).Render(m.glyph)
	for _, l := range s.wrap(clean(text), w-6) {
		out = append(out, "   "+glyph+" "+l)
		glyph = " "
	}
	return out
}

// left is what runs left behind that never committed.
func (s *bucketScreen) left(b *BucketView, w int) []string {
	lines := []string{s.section("LEFT BEHIND", "", w)}
	for _, l := range b.Left {
		text := clean(l.What) + ", " + ago(s.now, l.At)
		if l.Bytes >= 0 {
			text += ", " + readable.Size(l.Bytes) + ", " + usdOr(l.USD, l.Known) + " a month"
		}
		lines = append(lines, s.marked(markOff, text, w)...)
	}
	if b.LeftErr != nil {
		lines = append(lines, s.marked(markUnknown, "open uploads are not known: "+errorLine(b.LeftErr), w)...)
	}
	switch {
	case len(b.Left) > 0:
		return append(lines, s.faint.Render("   retention removes what is older than a day"))
	case b.LeftErr == nil:
		return append(lines, s.faint.Render("   nothing"))
	}
	return lines
}

// archives are the sets that lie in an archive class.
func (s *bucketScreen) archives(w int) []string {
	lines := []string{s.section("ARCHIVED", s.sets.note(s.shared, "list"), w)}
	all := s.archived()
	for i, set := range all {
		if i == 8 {
			lines = append(lines, s.faint.Render("   "+plural(len(all)-i, "more backup")))
			break
		}
		lines = append(lines, s.marked(markOff, set.Database+" "+set.ID+": "+archiveText(s.shared, set), w)...)
	}
	if len(all) == 0 {
		return append(lines, s.faint.Render("   no backup lies in an archive class"))
	}
	return append(lines, s.faint.Render("   t lists them, T there thaws one"))
}
