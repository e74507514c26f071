// Facts of a set as lines, shared by the list's side pane and the details page: first what decides
// whether it can be restored, then how it was made.

package ui

import (
	"cmp"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// fact is a label and its value, wrapped under itself.
func fact(t theme, label, value string, w int) []string {
	const labelWidth = 13
	var out []string
	for i, l := range t.wrap(value, w-labelWidth-5) {
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
	if text := s.Archive.Text(); text != "" {
		add("Archive", clean(archiveText(sh, s)))
	}
	if s.At != "" {
		add("Place", "copy "+clean(s.At)+"; the main bucket does not answer")
	}
	for i, c := range s.Copies {
		label := ""
		if i == 0 {
			label = "Copies"
		}
		add(label, clean(c.String()))
	}
	if s.Hold != nil {
		add("Held", clean(s.Hold.String()))
	}
	if s.Acknowledged != nil {
		add("Lost", clean(s.Acknowledged.String()))
	}
	if !s.LockedUntil.IsZero() {
		add("Locked", lockText(sh, s))
	}
	if s.Signature != "" {
		add("Signature", signatureText[s.Signature])
	}
	add("Finished", whenFull(sh.Zone, s.FinishedAt)+", "+ago(sh.now, s.FinishedAt))
	if text := objectiveText(sh, s); text != "" {
		add("Objective", text)
	}
	if m := s.Manifest; m != nil {
		add("Recover to", whenFull(sh.Zone, m.StartedAt))
		add("Restore takes", restoreTimeText(sh, s))
		for _, warning := range m.Warnings {
			add("Warning", clean(warning))
		}
	}
	return out
}

// madeLines is how a set was made and where it lies.
func madeLines(sh *shared, s *backup.Set, w int) []string {
	out := []string{"", sh.section("MADE", "", w)}
	add := func(label, value string) { out = append(out, fact(sh.theme, label, value, w)...) }
	if s.Manifest != nil {
		manifestFacts(s, add)
	} else {
		add("Stored", readable.Size(s.StoredSize))
	}
	add("Class", cmp.Or(clean(s.Class), "?"))
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
	if s.Good() {
		return ""
	}
	return "counts for nothing and is never restored"
}

// signatureText says what each state of a signature means.
var signatureText = map[backup.Signature]string{
	backup.SignatureGood: "signed, by a key that is configured here",
	backup.SignatureMissing: "UNSIGNED: anybody who may write to the bucket can have put it there; `pgbtui restore ID " +
		"--accept-unsigned …` takes it anyway",
	backup.SignatureForged: "FORGED: altered after it was signed, or signed by " +
		"somebody else; find out who writes to the bucket",
}

// lockText is the store's object lock on a set.
func lockText(sh *shared, s *backup.Set) string {
	text := "by the store until " + whenFull(sh.Zone, s.LockedUntil)
	if m := s.Manifest; m != nil && m.Dump.LockMode != "" {
		text += ", " + clean(m.Dump.LockMode)
	}
	if !sh.now.Before(s.LockedUntil) {
		text += ", which is over"
	}
	return text
}

// objectiveText holds the newest good set of a job against the job's objective; "" for others.
func objectiveText(sh *shared, s *backup.Set) string {
	for _, d := range assess(sh) {
		if d.newest == nil || d.newest.Dir != s.Dir || d.job.RPO == 0 {
			continue
		}
		word := "met"
		if sh.now.Sub(s.FinishedAt) > d.job.RPO {
			word = "MISSED"
		}
		return word + ": at most " + readable.Age(d.job.RPO) + " old, " + d.job.RPOFrom
	}
	return ""
}

func manifestFacts(s *backup.Set, add func(label, value string)) {
	m := s.Manifest
	add("Took", readable.Took(m.FinishedAt.Sub(m.StartedAt))+", started by "+orUnknown(m.Trigger))
	add("Made by", fmt.Sprintf("%s on %s (%s)", orUnknown(m.Tool), orUnknown(m.Host), orUnknown(m.Instance.String())))
	add("Server",
		fmt.Sprintf("PostgreSQL %s, %s, %s", orUnknown(m.Server.Version), readable.Size(m.Server.SizeBytes),
			orUnknown(m.Server.Encoding)))
	add("Data",
		fmt.Sprintf("%s dumped, %s stored%s", readable.Size(rawSize(s)), readable.Size(s.StoredSize),
			ratio(rawSize(s), s.StoredSize)))
	if m.Summary.Scanned {
		add("Holds",
			fmt.Sprintf("%s, %s rows, %s large objects", plural(m.Summary.Tables, "table"), count(m.Summary.Rows),
				count(m.Summary.LargeObjects)))
	} else {
		add("Holds", "? the archive was not scanned")
	}
	if p := m.Partial; p != nil {
		add("Partial", clean(p.String()+p.Names()))
	}
	globals := "none in this backup"
	if m.Globals != nil {
		globals = "roles and tablespaces, " + readable.Size(m.Globals.SizeBytes)
	}
	add("Globals", globals)
	if s.Encrypted() {
		add("Encrypted", "age, "+plural(len(m.Encryption.Recipients), "recipient"))
	} else {
		add("Encrypted", "by the store: "+cmp.Or(clean(m.Dump.SSE), "?"))
	}
	add("SHA-256", clean(m.Dump.SHA256))
	if n := len(m.Streams); n > 0 {
		add("Streams", fmt.Sprintf("%d objects; `pgbtui show ID` has the SHA-256 of each", n+1))
	}
	if m.Previous != nil {
		add("Follows", clean(m.Previous.ID))
	}
}

func ratio(raw, stored int64) string {
	if raw <= 0 || stored <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%d%%)", stored*100/raw)
}
