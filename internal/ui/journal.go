// Screen 5, Journal: entries of our units by unit, run, priority and age. Reads pages by cursor
// and follows; never more than journalKeeps entries at a time.

package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

const (
	journalPage  = 200
	journalKeeps = 5000
)

// spans are what s goes through.
var spans = []struct {
	word string
	back time.Duration
}{{"all time", 0}, {"last hour", time.Hour}, {"last day", 24 * time.Hour}, {"last week", 7 * 24 * time.Hour}}

type journalScreen struct {
	*shared
	rows
	query   JournalQuery
	fixed   bool // shows one run or unit: a page, not the tab
	span    int
	entries []Entry
	more    bool
	reading bool
	err     error
	readAt  time.Time // of the last page or batch
	follow  bool      // the cursor stays at the end
	asker   asker
	older   asker
	ctx     context.Context
}

type (
	pageMsg struct {
		page   JournalPage
		err    error
		follow <-chan []Entry // nil: none
	}
	olderMsg struct {
		page JournalPage
		err  error
	}
	batchMsg struct {
		entries []Entry
		follow  <-chan []Entry // nil: it ended
	}
)

func newJournal(sh *shared, q JournalQuery) *journalScreen {
	fixed := q.Unit != "" || q.Invocation != ""
	if q.MaxPriority == 0 {
		q.MaxPriority = 7
	}
	q.Limit = journalPage
	return &journalScreen{shared: sh, query: q, fixed: fixed, follow: true}
}

func (j *journalScreen) name() string { return "Journal" }

func (j *journalScreen) enter(ctx context.Context) tea.Cmd {
	j.ctx = ctx
	return j.read()
}

// read starts over with the newest page of the query.
func (j *journalScreen) read() tea.Cmd {
	if j.Sources.Journal == nil {
		j.err = j.missing("journal")
		return nil
	}
	j.older.stop()
	j.reading = true
	q := j.query
	if back := spans[j.span].back; back > 0 {
		q.Since = j.now.Add(-back)
	}
	return j.asker.ask(j.ctx, j.update, pageThenFollow(j.Sources.Journal, q))
}

// pageThenFollow reads the newest page and follows from its last entry.
func pageThenFollow(src Journal, q JournalQuery) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg {
		page, err := src.Page(ctx, q)
		if err != nil {
			return pageMsg{err: err}
		}
		if n := len(page.Entries); n > 0 {
			q.After = page.Entries[n-1].Cursor
		}
		follow, err := src.Follow(ctx, q)
		return pageMsg{page: page, err: err, follow: follow}
	}
}

// followMore waits for the next batch; nil when there is nothing to follow.
func followMore(a *asker, to func(tea.Msg) tea.Cmd, ch <-chan []Entry) tea.Cmd {
	if ch == nil {
		return nil
	}
	return a.more(to, func() tea.Msg {
		entries, ok := <-ch
		if !ok {
			ch = nil
		}
		return batchMsg{entries, ch}
	})
}

func (j *journalScreen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case pageMsg:
		j.reading = false
		if j.err = msg.err; msg.err == nil || len(msg.page.Entries) > 0 {
			j.entries = msg.page.Entries
			j.more = msg.page.More
			j.readAt = j.now
		}
		j.toEnd()
		return followMore(&j.asker, j.update, msg.follow)
	case batchMsg:
		j.entries, j.readAt = append(j.entries, msg.entries...), j.now
		if over := len(j.entries) - journalKeeps; over > 0 {
			j.entries, j.more = slices.Clone(j.entries[over:]), true
			j.at = max(0, j.at-over)
		}
		j.toEnd()
		return followMore(&j.asker, j.update, msg.follow)
	case olderMsg:
		j.reading = false
		if j.err = msg.err; msg.err == nil {
			j.entries, j.more = append(slices.Clone(msg.page.Entries), j.entries...), msg.page.More
			j.at += len(msg.page.Entries)
			j.top += len(msg.page.Entries)
		}
	}
	return nil
}

func (j *journalScreen) toEnd() {
	if j.follow {
		j.n = len(j.shown())
		j.at = max(0, j.n-1)
	}
}

// readOlder reads the page before the oldest entry.
func (j *journalScreen) readOlder() tea.Cmd {
	if j.reading || !j.more || len(j.entries) == 0 || len(j.entries) >= journalKeeps {
		return nil
	}
	j.reading = true
	q, src := j.query, j.Sources.Journal
	q.Before = j.entries[0].Cursor
	return j.older.ask(j.ctx, j.update, func(ctx context.Context) tea.Msg {
		page, err := src.Page(ctx, q)
		return olderMsg{page, err}
	})
}

func (j *journalScreen) shown() []Entry {
	if j.filter == "" {
		return j.entries
	}
	var out []Entry
	for _, e := range j.entries {
		if j.matches(e.Message + " " + e.Unit) {
			out = append(out, e)
		}
	}
	return out
}

func (j *journalScreen) selected() (Entry, bool) { return rowAt(j.shown(), j.at) }

func (j *journalScreen) keys() []binding {
	e, ok := j.selected()
	none := ""
	if !ok {
		none = "no entry is selected"
	}
	fixed := ""
	if j.fixed {
		fixed = "this page shows one run"
	}
	table := []binding{
		{
			keys: []string{"f"}, short: "follow", help: "follow: stay at the newest entry",
			run: func() tea.Cmd { j.follow = !j.follow; j.toEnd(); return nil },
		},
		{
			keys: []string{"enter", "o"}, label: "enter", short: "fields", help: "all fields of this entry", off: none,
			run: func() tea.Cmd { return j.post(boxMsg{newEntryBox(j.shared, e)}) },
		},
		{keys: []string{"p"}, short: "priority", help: "all, or warnings and worse, or errors", run: j.nextPriority},
		{keys: []string{"u"}, short: "unit", help: "the next unit", off: fixed, run: j.nextUnit},
		{keys: []string{"s"}, short: "since", help: "all time, last hour, day, week", run: j.nextSpan},
	}
	for _, b := range j.moves() {
		run := b.run
		b.run = func() tea.Cmd {
			run()
			j.follow = j.follow && j.at == j.n-1
			if j.at == 0 {
				return j.readOlder()
			}
			return nil
		}
		table = append(table, b)
	}
	return table
}

func (j *journalScreen) nextPriority() tea.Cmd {
	j.query.MaxPriority = map[int]int{7: 4, 4: 3, 3: 7}[j.query.MaxPriority]
	return j.read()
}

func (j *journalScreen) nextSpan() tea.Cmd {
	j.span = (j.span + 1) % len(spans)
	return j.read()
}

// nextUnit goes through the units that are known from runs and timers; after the last, all.
func (j *journalScreen) nextUnit() tea.Cmd {
	units := []string{""}
	for _, t := range j.timers.value {
		units = append(units, t.Service)
	}
	for _, r := range j.runs.value {
		units = append(units, r.Unit)
	}
	slices.Sort(units)
	units = slices.Compact(units)
	j.query.Unit = units[(slices.Index(units, j.query.Unit)+1)%len(units)]
	return j.read()
}

func (j *journalScreen) copyText() string { e, _ := j.selected(); return e.Message }

func (j *journalScreen) cliLine() string {
	args := []string{"journalctl"}
	switch {
	case j.query.Invocation != "":
		args = append(args, "_SYSTEMD_INVOCATION_ID="+printable.ShellWord(j.query.Invocation))
	case j.query.Unit != "":
		args = append(args, "-u", printable.ShellWord(j.query.Unit))
	default:
		args = append(args, "-u", "'postgres-*'")
	}
	if j.query.MaxPriority < 7 {
		args = append(args, fmt.Sprintf("-p %d", j.query.MaxPriority))
	}
	return strings.Join(args, " ")
}

func (j *journalScreen) view(w, h int) string {
	all := j.shown()
	lines := []string{j.section("JOURNAL", j.note(), w)}
	if j.err != nil {
		lines = append(lines, j.trouble(j.err, w)...)
	}
	if len(all) == 0 {
		if j.err == nil && !j.reading {
			lines = append(lines, j.faint.Render("   no entries match"))
		}
		return strings.Join(lines, "\n")
	}
	from, to := j.window(len(all), h-len(lines))
	for i, e := range all[from:to] {
		lines = append(lines, entryLine(j.shared, e, w, from+i == j.at))
	}
	return strings.Join(lines, "\n")
}

func (j *journalScreen) note() string {
	parts := []string{
		cmp.Or(clean(j.query.Unit), "all our units"),
		map[int]string{7: "every priority", 4: "warnings and worse", 3: "errors"}[j.query.MaxPriority], spans[j.span].word,
	}
	if j.query.Invocation != "" {
		parts[0] = "one run"
	}
	switch {
	case j.reading:
		parts = append(parts, "reading …")
	case j.err != nil:
		parts = append(parts, "✗ fails")
	case j.follow:
		parts = append(parts, "following")
	default:
		parts = append(parts, "read "+ago(j.now, j.readAt))
	}
	return j.faint.Render(strings.Join(parts, " · "))
}
