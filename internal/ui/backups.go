// Screen 2, Backups: every backup in the bucket, newest first; native, legacy and incomplete
// ones, of every instance. From 120 columns the selected one's facts stand beside the list.

package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type backups struct {
	*shared
	rows
	order int
	last  listed
}

// listed is the list as it was worked out last, and of what: a bucket may hold ten thousand sets,
// and a frame asks several times.
type listed struct {
	reading, order int
	filter         string
	sets           []*backup.Set
}

// orders are the ways to sort; each is stable over newest first.
var orders = []struct {
	word string
	less func(a, b *backup.Set) int
}{
	{"newest first", func(a, b *backup.Set) int { return b.FinishedAt.Compare(a.FinishedAt) }},
	{"by database", func(a, b *backup.Set) int { return strings.Compare(a.Database, b.Database) }},
	{"largest first", func(a, b *backup.Set) int { return int(min(1, max(-1, b.StoredSize-a.StoredSize))) }},
	{"worst first", func(a, b *backup.Set) int { return setMark(b).rank - setMark(a).rank }},
}

func newBackups(sh *shared) *backups { return &backups{shared: sh} }

func (b *backups) name() string                  { return "Backups" }
func (b *backups) enter(context.Context) tea.Cmd { return nil }
func (b *backups) update(tea.Msg) tea.Cmd        { return nil }

func (b *backups) shown() []*backup.Set {
	if l := &b.last; l.sets != nil && l.reading == b.sets.reading && l.order == b.order && l.filter == b.filter {
		return l.sets
	}
	out := []*backup.Set{}
	for i := range b.sets.value {
		s := &b.sets.value[i]
		if b.matches(s.Database + " " + s.ID + " " + s.Instance + " " + setMark(s).word + archiveWord(s)) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, orders[0].less)
	slices.SortStableFunc(out, orders[b.order].less)
	b.last = listed{reading: b.sets.reading, order: b.order, filter: b.filter, sets: out}
	return out
}

func (b *backups) selected() *backup.Set {
	all := b.shown()
	if b.at < 0 || b.at >= len(all) {
		return nil
	}
	return all[b.at]
}

func (b *backups) keys() []binding {
	s := b.selected()
	var job Job
	var ok bool
	if s != nil {
		job, ok = b.jobOf(s)
	}
	return append(append([]binding{
		{
			keys: []string{"enter", "o"}, label: "enter", short: "details", help: "everything about this backup", off: noSet(s),
			run: func() tea.Cmd { return b.post(pushMsg{newDetails(b.shared, *s)}) },
		},
	}, setKeys(b.shared, s)...), append([]binding{
		retentionKey(b.shared, job, ok),
		{keys: []string{"s"}, short: "sort", help: "sort: newest, database, size, worst", run: func() tea.Cmd {
			b.order = (b.order + 1) % len(orders)
			return nil
		}},
	}, b.moves()...)...)
}

func noSet(s *backup.Set) string {
	if s == nil {
		return "no backup is selected"
	}
	return ""
}

// setKeys act on one set, wherever it is shown.
func setKeys(sh *shared, s *backup.Set) []binding {
	bad := noSet(s)
	if s != nil && !s.Good() {
		bad = "this backup cannot be used: " + cmp.Or(clean(s.Problem), "it was never finished")
	}
	job, noJob := Job{}, noSet(s)
	if s != nil {
		var ok bool
		if job, ok = sh.jobOf(s); !ok {
			noJob = sh.noJobOf(s)
		}
	}
	keys := []binding{
		{
			keys: []string{"v"}, short: "verify", help: "verify: read everything back and decode it",
			off: cmp.Or(sh.denied(), bad),
			run: func() tea.Cmd { return askProve(sh, ProveReadable, *s) },
		},
		{
			keys: []string{"d"}, short: "drill", help: "drill: restore it into a server of its own, compare, remove",
			off: cmp.Or(sh.denied(), bad, noManifest(s)),
			run: func() tea.Cmd { return askProve(sh, ProveRestored, *s) },
		},
		restoreKey("restore: all or parts, into a new database or a live one's place", unsignedOr(s, bad),
			func() tea.Cmd { return askRestore(sh, *s) }),
		{
			keys: []string{"b"}, short: "back up", help: "back this database up now", off: cmp.Or(sh.denied(), noJob),
			run: func() tea.Cmd { return askBackup(sh, job) },
		},
		{
			keys: []string{"K"}, short: "hold", help: "hold it: no rule deletes it; again: release it",
			off: cmp.Or(sh.denied(), noManifest(s)),
			run: func() tea.Cmd { return askHold(sh, *s) },
		},
	}
	if s != nil && s.Archive.Unreadable() { // first, since nothing else reads it
		keys = append([]binding{{
			keys: []string{"T"}, short: "thaw", help: "thaw it: it lies in an archive class and cannot be read",
			off: sh.denied(),
			run: func() tea.Cmd { return askThaw(sh, *s) },
		}}, keys...)
	}
	if s != nil && s.Loss() != "" {
		keys = append(keys, binding{
			keys: []string{"A"}, short: "acknowledge", help: "acknowledge what is lost of it: it is no longer reported",
			off: sh.denied(),
			run: func() tea.Cmd { return askAcknowledge(sh, *s) },
		})
	}
	return keys
}

// unsignedOr is why a set is not restored from here. Who knows better has to say so by name.
func unsignedOr(s *backup.Set, bad string) string {
	if s != nil && s.Signature == backup.SignatureMissing && bad != "" {
		return "nobody signed it: only by pgbtui restore ID --accept-unsigned …"
	}
	return bad
}

// noManifest is why a set has no folder for what is kept beside it.
func noManifest(s *backup.Set) string {
	switch {
	case s == nil:
		return "no backup is selected"
	case s.Kind != backup.KindNative:
		return "only backups of pgbtui's own"
	}
	return ""
}

func (b *backups) copyText() string {
	if s := b.selected(); s != nil {
		return s.ID
	}
	return ""
}

func (b *backups) cliLine() string {
	if s := b.selected(); s != nil {
		return "pgbtui show " + b.word(s)
	}
	return "pgbtui list"
}

func (b *backups) view(w, h int) string {
	if w >= wideWidth {
		lw := 78
		right := []string{b.section("SELECTED", "", w-lw-1)}
		if s := b.selected(); s != nil {
			right = append(right, factLines(b.shared, s, w-lw-1)...)
			right = append(right, proofLines(b.shared, s, w-lw-1)...)
			right = append(right, madeLines(b.shared, s, w-lw-1)...)
		}
		return strings.Join(b.sideBySide(b.list(lw, h), right, lw, w-lw-1, h), "\n")
	}
	return strings.Join(b.list(w, h), "\n")
}

func (b *backups) list(w, h int) []string {
	all := b.shown()
	note := b.faint.Render(plural(len(all), "backup")+", "+orders[b.order].word+" · ") + b.sets.note(b.shared, "bucket")
	lines := []string{b.section("BACKUPS", note, w)}
	if b.sets.err != nil {
		lines = append(lines, b.trouble(b.sets.err, w)...)
	}
	if len(all) == 0 {
		return append(lines, b.empty())
	}
	state := setMarkWidth(all)
	cols := []column{
		{"STATE", state, false},
		{"DATABASE", 0, false},
		{"FINISHED", 16, false},
		{"AGE", 7, true},
		{"DATA", 8, true},
		{"STORED", 8, true},
		{"PROOF", 8, false},
	}
	if w < tableWidth {
		cols = []column{
			{"STATE", state, false}, {"DATABASE", 0, false}, {"AGE", 7, true}, {"STORED", 8, true}, {"PROOF", 8, false},
		}
	}
	from, to := b.window(len(all), h-len(lines)-1)
	t := table{cols: cols, selected: b.at - from, dim: b.sets.stale()}
	for _, s := range all[from:to] {
		t.cells = append(t.cells, b.row(s, len(cols)))
	}
	return append(lines, t.lines(b.theme, w)...)
}

func (b *backups) empty() string {
	switch {
	case b.filter != "":
		return b.faint.Render("   nothing matches; esc clears the filter")
	case b.sets.have:
		return "   The bucket holds no backups. " + b.faint.Render("1, then b, makes the first one.")
	}
	return ""
}

func (b *backups) row(s *backup.Set, n int) []string {
	level, _ := s.Proven()
	name, more := b.setTitle(s)
	if more != "" {
		name += b.faint.Render(more)
	}
	if kept := keptBy(b.shared, s); kept != "" {
		name += b.faint.Render(kept)
	}
	m := setMark(s)
	data := readable.Size(rawSize(s))
	stored := readable.Size(s.StoredSize)
	proof := level.String()
	if s.Encrypted() {
		proof += "*"
	}
	if n == 5 {
		return []string{b.mark(m), name, age(b.now, s.FinishedAt), stored, proof}
	}
	return []string{b.mark(m), name, when(b.Zone, s.FinishedAt), age(b.now, s.FinishedAt), data, stored, proof}
}

// keptBy is what stands between a set and its deletion.
func keptBy(sh *shared, s *backup.Set) (words string) {
	if s.Archive.State != "" {
		words += " " + string(s.Archive.State)
	}
	if s.Hold != nil {
		words += " held"
	}
	if sh.now.Before(s.LockedUntil) {
		words += " locked"
	}
	return words
}

// rawSize is pg_dump's stream in bytes, -1 when unknown.
func rawSize(s *backup.Set) int64 {
	if s.Manifest == nil || s.Manifest.Summary.RawBytes <= 0 {
		return -1
	}
	return s.Manifest.Summary.RawBytes
}
