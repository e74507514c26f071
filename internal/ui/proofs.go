// The evidence of one set: what each proof shows, and what it leaves open.

package ui

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// proofsShown is how many proofs a page shows, newest first.
const proofsShown = 5

func proofLines(sh *shared, s *backup.Set, w int) []string {
	level, at := s.Proven()
	note := sh.warn.Render("not proven")
	if level > backup.LevelNone {
		note = sh.good.Render(level.String()) + sh.faint.Render(" "+ago(sh.now, at))
	}
	out := []string{"", sh.section("PROOF", note, w)}
	for i := range s.Proofs {
		if i == proofsShown {
			return append(out, sh.faint.Render(fmt.Sprintf("   … %d older", len(s.Proofs)-i)))
		}
		out = append(out, proofOf(sh, &s.Proofs[i], w)...)
	}
	if len(s.Proofs) == 0 && s.Kind == backup.KindNative && s.Good() {
		out = append(out, sh.faint.Render("   size and checksum confirmed by the store; v reads it back"))
	}
	return out
}

// proofOf is one proof: its state, kind and time, beside or above what it shows.
func proofOf(sh *shared, p *backup.Proof, w int) (out []string) {
	m, what := markOK, proofShows(p)
	switch {
	case !p.OK:
		m, what = markFail, clean(proofFailure(p))+", after "+readable.Took(p.FinishedAt.Sub(p.StartedAt))
	case len(p.Warnings) > 0:
		m = markWarn
	}
	head := "   " + fit(sh.mark(m), 6) + " " + fit(orUnknown(p.Kind), 8) + " " + fit(when(sh.Zone, p.FinishedAt), 17)
	indent := 37
	if w < indent+24 { // no room beside it
		out = append(out, head)
		head = strings.Repeat(" ", 9)
		indent = 10
	}
	add := func(text string, style func(...string) string) {
		for _, l := range sh.wrap(text, w-indent-1) {
			out = append(out, head+" "+style(l))
			head = strings.Repeat(" ", indent-1)
		}
	}
	add(what, sh.plain.Render)
	for _, n := range p.Warnings {
		add("! "+clean(n), sh.warn.Render)
	}
	for _, n := range p.NotProven {
		add("does not prove "+clean(n), sh.faint.Render)
	}
	return out
}

// proofShows is what a good proof found: its level, what was read and compared, how long it took.
func proofShows(p *backup.Proof) string {
	parts := []string{orUnknown(p.Level) + ": "}
	if s := p.Sample; s != nil {
		parts = append(parts, fmt.Sprintf("a sample, %d of %d parts", s.Frames, s.OfFrames))
		if s.OfFrames > 0 {
			parts = append(parts, fmt.Sprintf(" (%d%%)", s.Frames*100/s.OfFrames))
		}
	} else if p.Tables > 0 || p.Rows > 0 {
		parts = append(parts, plural(p.Tables, "table")+", "+count(p.Rows)+" rows")
	} else {
		parts = append(parts, clean(p.Shown()))
	}
	if d := p.Drill; d != nil {
		parts = append(parts, fmt.Sprintf(", PostgreSQL %s, %d owners, %d grants", orUnknown(d.Server), d.Owners, d.Grants))
		if d.Expectations > 0 {
			parts = append(parts, ", "+plural(d.Expectations, "expectation")+" met")
		}
		if d.Amcheck {
			parts = append(parts, ", pg_amcheck clean")
		}
	}
	return strings.Join(append(parts,
		", "+readable.Size(p.Bytes)+" read, took "+readable.Took(p.FinishedAt.Sub(p.StartedAt)), " on "+orUnknown(p.Host)),
		"")
}

// proofFailure is why a proof failed, where its kind and its failure stand beside it.
func proofFailure(p *backup.Proof) string {
	if p.FaultKind() == backup.FaultRestore {
		return "does not restore as a whole: " + p.Why()
	}
	return p.Why()
}
