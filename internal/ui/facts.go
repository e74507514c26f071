// Facts of a set as lines, shared by the list's side pane and the details page.

package ui

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// fact is a label and its value, wrapped under itself.
func fact(t theme, label, value string, w int) []string {
	const labelWidth = 13
	var out []string
	for i, l := range wrap(value, w-labelWidth-5) {
		if i > 0 {
			label = ""
		}
		out = append(out, "   "+t.faint.Render(fit(label, labelWidth))+" "+l)
	}
	return out
}

func factLines(sh *shared, s *backup.Set, w int) []string {
	var out []string
	add := func(label, value string) { out = append(out, fact(sh.theme, label, value, w)...) }
	m := setMark(s)
	out = append(out, "   "+sh.faint.Render(fit("State", 13))+" "+sh.mark(m)+"  "+kindText(s))
	add("Database", orUnknown(s.Database))
	add("ID", orUnknown(s.ID))
	if s.Problem != "" {
		add("Problem", clean(s.Problem))
	}
	if s.Hold != nil {
		add("Held", clean(s.Hold.String()))
	}
	if sh.now.Before(s.LockedUntil) {
		add("Locked", "by the store until "+whenFull(sh.Zone, s.LockedUntil))
	}
	if s.Signature != "" {
		add("Signature", clean(string(s.Signature)))
	}
	add("Finished", whenFull(sh.Zone, s.FinishedAt)+", "+ago(sh.now, s.FinishedAt))
	if s.Manifest != nil {
		manifestFacts(sh, s, add)
	} else {
		add("Stored", size(s.StoredSize))
	}
	add("Class", first(clean(s.Class), "?"))
	add("Key", clean(s.Dir))
	return out
}

func kindText(s *backup.Set) string {
	switch s.Kind {
	case backup.KindLegacy:
		return "left by a shell script; never pruned"
	case backup.KindIncomplete:
		return "never finished; cannot be restored"
	case backup.KindNative:
	}
	return ""
}

func manifestFacts(sh *shared, s *backup.Set, add func(label, value string)) {
	m := s.Manifest
	add("Recover to", whenFull(sh.Zone, m.StartedAt))
	add("Restore takes", restoreTimeText(sh, s))
	add("Took", took(m.FinishedAt.Sub(m.StartedAt))+", started by "+orUnknown(m.Trigger))
	add("Made by", fmt.Sprintf("%s on %s (%s)", orUnknown(m.Tool), orUnknown(m.Host), orUnknown(m.Instance)))
	add("Server", fmt.Sprintf("PostgreSQL %s, %s, %s", orUnknown(m.Server.Version), size(m.Server.SizeBytes), orUnknown(m.Server.Encoding)))
	add("Data", fmt.Sprintf("%s dumped, %s stored%s", size(rawSize(s)), size(s.StoredSize), ratio(rawSize(s), s.StoredSize)))
	if m.Summary.Scanned {
		add("Holds", fmt.Sprintf("%s, %s rows, %s large objects", plural(m.Summary.Tables, "table"), count(m.Summary.Rows), count(m.Summary.LargeObjects)))
	} else {
		add("Holds", "? the archive was not scanned")
	}
	globals := "none in this backup"
	if m.Globals != nil {
		globals = "roles and tablespaces, " + size(m.Globals.SizeBytes)
	}
	add("Globals", globals)
	if s.Encrypted() {
		add("Encrypted", "age, "+plural(len(m.Encryption.Recipients), "recipient"))
	} else {
		add("Encrypted", "by the store: "+first(clean(m.Dump.SSE), "?"))
	}
	add("SHA-256", clean(m.Dump.SHA256))
	for _, warning := range m.Warnings {
		add("Warning", clean(warning))
	}
}

func ratio(raw, stored int64) string {
	if raw <= 0 || stored <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%d%%)", stored*100/raw)
}

func proofLines(sh *shared, s *backup.Set, w int) []string {
	level, at := s.Proven()
	note := sh.warn.Render("not proven")
	if level > backup.LevelNone {
		note = sh.good.Render(level.String()) + sh.faint.Render(" "+ago(sh.now, at))
	}
	out := []string{"", sh.section("PROOF", note, w)}
	for i, p := range s.Proofs {
		if i == 5 {
			return append(out, sh.faint.Render(fmt.Sprintf("   … %d older", len(s.Proofs)-i)))
		}
		m, what := markOK, fmt.Sprintf("%s, %s rows, took %s", size(p.Bytes), count(p.Rows), took(p.FinishedAt.Sub(p.StartedAt)))
		if !p.OK {
			m, what = markFail, clean(p.Error)
		}
		head := "   " + fit(sh.mark(m), 6) + " " + fit(orUnknown(p.Kind), 8) + " " + fit(when(sh.Zone, p.FinishedAt), 17)
		indent := 37
		if w < indent+24 { // no room beside it
			out, head, indent = append(out, head), strings.Repeat(" ", 9), 10
		}
		for _, l := range wrap(what, w-indent-1) {
			out = append(out, head+" "+l)
			head = strings.Repeat(" ", indent-1)
		}
		for _, n := range p.NotProven {
			out = append(out, sh.faint.Render("          not proven: "+clean(n)))
		}
	}
	if len(s.Proofs) == 0 && s.Kind == backup.KindNative && s.Good() {
		out = append(out, sh.faint.Render("   size and checksum confirmed by the store; v reads it back"))
	}
	return out
}
