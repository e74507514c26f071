// Screen 7, Doctor: what backups and restores stand on, checked: the worst first, each with what was tried and
// seen, why it matters and what to do.
//
// Rules: nothing is checked until somebody asks, since checks write to the bucket and start a unit; what was found
// stays, with its age, until the next look; a check that nobody could look at is never shown as well.

package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type doctorScreen struct {
	*shared
	rows
	ctx    context.Context
	found  feed[[]Checkup]
	asker  asker
	going  string // what is looked at now: a check, "all", or ""
	notice string // what the source says besides
}

func newDoctor(sh *shared) *doctorScreen { return &doctorScreen{shared: sh} }

func (s *doctorScreen) name() string { return "Doctor" }

func (s *doctorScreen) enter(ctx context.Context) tea.Cmd {
	s.ctx = ctx
	s.asker.stop() // what was under way ended when the screen was left
	s.going = ""
	return nil
}

// examinedMsg is what a look came to.
type examinedMsg struct {
	only string
	exam Examination
	err  error
}

func (s *doctorScreen) update(tea.Msg) tea.Cmd { return nil }

// examine looks at one check, or at all; inUnit: also from the unit in which backups run.
func (s *doctorScreen) examine(only string, inUnit bool) tea.Cmd {
	s.going = cmp.Or(only, "all")
	doctor := s.Sources.Doctor
	return s.asker.ask(s.ctx, s.examined, func(ctx context.Context) tea.Msg {
		exam, err := doctor.Examine(ctx, only, inUnit)
		return examinedMsg{only: only, exam: exam, err: err}
	})
}

// examined takes the answer in: of one check, that check's alone.
func (s *doctorScreen) examined(msg tea.Msg) tea.Cmd {
	m, ok := msg.(examinedMsg)
	if !ok {
		return nil
	}
	s.going = ""
	if errors.Is(m.err, context.Canceled) { // the screen was left
		return nil
	}
	if m.err != nil {
		s.found.put(s.now, nil, m.err)
		return nil
	}
	s.notice = m.exam.Notice
	all := worstChecks(m.exam.Checks)
	if m.only != "" { // in its place, under the cursor
		all = replaced(s.found.value, m.exam.Checks)
	}
	s.found.put(s.now, all, nil)
	return nil
}

// worstChecks puts the checks of all jobs by their results, and leaves equals in their order.
func worstChecks(all []Checkup) []Checkup {
	weight := map[string]int{CheckFail: 0, CheckWarn: 1, CheckUnknown: 2, CheckOK: 3}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Checkup) int { return cmp.Compare(weight[a.Result], weight[b.Result]) })
	return all
}

// replaced are checks with newer ones in the places of those of the same job and ID.
func replaced(old, newer []Checkup) []Checkup {
	all := append([]Checkup(nil), old...)
	for _, n := range newer {
		at := -1
		for i := range all {
			if all[i].ID == n.ID && all[i].Job == n.Job && all[i].Database == n.Database {
				at = i
			}
		}
		if at < 0 {
			all = append(all, n)
		} else {
			all[at] = n
		}
	}
	return all
}

func (s *doctorScreen) shown() []Checkup {
	var out []Checkup
	for _, c := range s.found.value {
		if s.matches(c.ID + " " + c.Job + " " + c.Result + " " + c.Seen) {
			out = append(out, c)
		}
	}
	return out
}

func (s *doctorScreen) selected() (Checkup, bool) { return rowAt(s.shown(), s.at) }

// cannot is why nothing can be looked at now, or "".
func (s *doctorScreen) cannot() string {
	switch {
	case s.Sources.Doctor == nil:
		return errorLine(s.missing("doctor"))
	case s.going != "":
		return "it is looking already"
	}
	return ""
}

func (s *doctorScreen) keys() []binding {
	c, ok := s.selected()
	none := ""
	if !ok {
		none = "no check is selected"
	}
	off := s.cannot()
	return append([]binding{
		{
			keys: []string{"enter", "o"}, label: "enter", short: "evidence", off: none,
			help: "all of this check: tried, seen, why, what to do",
			run:  func() tea.Cmd { return s.post(pushMsg{&checkPage{shared: s.shared, check: c}}) },
		},
		{
			keys: []string{"t"}, short: "try all",
			help: "look at everything; it writes objects beside the sets, and removes them",
			off:  off, run: func() tea.Cmd { return s.examine("", false) },
		},
		{
			keys: []string{"u"}, short: "in the unit", off: cmp.Or(off, s.denied()),
			help: "look at everything, also from the unit in which backups run, and show where the two differ",
			run:  func() tea.Cmd { return s.examine("", true) },
		},
		{
			keys: []string{"e"}, short: "this again", help: "look at this check again", off: cmp.Or(none, off),
			run: func() tea.Cmd { return s.examine(c.ID, false) },
		},
		{
			keys: []string{"s"}, short: "save report", help: "write a file for a ticket, without secrets",
			off: cmp.Or(off, s.nothingYet()), run: s.report,
		},
	}, s.moves()...)
}

func (s *doctorScreen) nothingYet() string {
	if !s.found.have {
		return "nothing was looked at yet"
	}
	return ""
}

// report has the source write the file.
func (s *doctorScreen) report() tea.Cmd {
	doctor, ctx := s.Sources.Doctor, s.ctx
	return func() tea.Msg {
		file, err := doctor.Report(ctx)
		if err != nil {
			return toastMsg{errorLine(err), toneBad}
		}
		return toastMsg{"written: " + clean(file) + "; names of hosts and databases are in it, secrets are not", toneGood}
	}
}

// copyText is all that was found, for a message to somebody else; secrets are taken out where it was found.
func (s *doctorScreen) copyText() string {
	var b strings.Builder
	for _, c := range s.shown() {
		fmt.Fprintf(&b, "%s %s: %s\n", c.Result, c.ID, clean(c.Seen))
		if c.Remedy != "" && c.Result != CheckOK {
			fmt.Fprintf(&b, "  %s\n", clean(c.Remedy))
		}
	}
	return strings.TrimSpace(b.String())
}

func (s *doctorScreen) cliLine() string { return "pgbtui doctor" }

// checkupMark is a check's result.
func checkupMark(result string) mark {
	switch result {
	case CheckOK:
		return markOK
	case CheckWarn:
		return markWarn
	case CheckFail:
		return markFail
	}
	return markUnknown
}

func (s *doctorScreen) view(w, h int) string {
	lines := []string{s.section("DOCTOR", s.note(), w)}
	if s.found.err != nil {
		lines = append(lines, s.trouble(s.found.err, w)...)
	}
	if s.Sources.Doctor == nil {
		return strings.Join(append(lines, s.trouble(s.missing("doctor"), w)...), "\n")
	}
	all := s.shown()
	if len(all) == 0 {
		text := "   nothing was looked at yet: t tries everything, u also from the unit in which backups run"
		switch {
		case s.found.have && s.filter != "":
			text = "   no check matches"
		case s.going != "":
			text = "   looking: PostgreSQL, the store, each key's calls, the bucket, the units …"
		}
		for _, l := range s.wrap(strings.TrimSpace(text), w-5) {
			lines = append(lines, "   "+s.faint.Render(l))
		}
		return strings.Join(lines, "\n")
	}
	c, _ := s.selected()
	below := s.below(c, w)
	if room := h - len(lines) - 7; len(below) > room {
		below = below[:max(0, room)]
	}
	from, to := s.window(len(all), h-len(lines)-2-len(below))
	t := table{
		cols:     []column{{"RESULT", 7, false}, {"CHECK", s.idWidth(w), false}, {"SEEN", 0, false}},
		selected: s.at - from, dim: s.found.stale(),
	}
	for _, c := range all[from:to] {
		t.cells = append(t.cells, []string{s.mark(checkupMark(c.Result)), s.title(c), differing(c) + clean(c.Seen)})
	}
	lines = append(lines, t.lines(s.theme, w)...)
	return strings.Join(append(append(lines, ""), below...), "\n")
}

// idWidth leaves what was seen at least as much room as the check's name.
func (s *doctorScreen) idWidth(w int) int { return min(32, max(18, w*2/5)) }

// title names the job where there are several.
func (s *doctorScreen) title(c Checkup) string {
	if len(s.Jobs) > 1 && c.Job != "" {
		return clean(c.ID + " · " + c.Job)
	}
	return clean(c.ID)
}

// differing marks a check that shell and unit see differently.
func differing(c Checkup) string {
	if c.Other == "" {
		return ""
	}
	return "differs · "
}

// note is how old what is shown is, and how it stands.
func (s *doctorScreen) note() string {
	if s.going != "" {
		return s.faint.Render("looking at " + clean(s.going) + " …")
	}
	if !s.found.have {
		return ""
	}
	count := map[string]int{}
	for _, c := range s.found.value {
		count[c.Result]++
	}
	text := fmt.Sprintf("%d FAIL, %d WARN, %d ?, %d OK · looked %s", count[CheckFail], count[CheckWarn],
		count[CheckUnknown], count[CheckOK], ago(s.now, s.found.at))
	if s.notice != "" {
		text += " · " + clean(s.notice)
	}
	return s.faint.Render(text)
}

// below is the selected check in short.
func (s *doctorScreen) below(c Checkup, w int) []string {
	lines := []string{s.section(strings.ToUpper(c.Result), s.faint.Render(clean(c.ID)), w)}
	for _, l := range s.wrap(clean(c.Seen), w-5) {
		lines = append(lines, "   "+l)
	}
	if c.Remedy != "" && c.Result != CheckOK {
		for _, l := range s.wrap("→ "+clean(c.Remedy), w-5) {
			lines = append(lines, "   "+s.bold.Render(l))
		}
	}
	return lines
}

// checkPage is one check with its evidence.
type checkPage struct {
	*shared
	check Checkup
	pager pager
}

func (p *checkPage) name() string                  { return p.check.ID }
func (p *checkPage) enter(context.Context) tea.Cmd { return nil }
func (p *checkPage) update(tea.Msg) tea.Cmd        { return nil }
func (p *checkPage) keys() []binding               { return p.pager.moves() }
func (p *checkPage) filterText() string            { return p.pager.find }
func (p *checkPage) setFilter(text string)         { p.pager.search(text) }
func (p *checkPage) jump(by int)                   { p.pager.next(by) }

// copyText is what mends it: the statement where there is one.
func (p *checkPage) copyText() string { return cmp.Or(p.check.Statement, p.check.Remedy) }

func (p *checkPage) cliLine() string {
	return "pgbtui doctor --only " + printable.ShellWord(p.check.ID)
}

func (p *checkPage) view(w, h int) string {
	return strings.Join(p.pager.view(p.theme, p.lines(w), w, h), "\n")
}

func (p *checkPage) lines(w int) []string {
	c := p.check
	lines := []string{p.section("CHECK", p.faint.Render(clean(c.ID)), w)}
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, fact(p.theme, label, value, w)...)
		}
	}
	add("Result", p.mark(checkupMark(c.Result)))
	if c.Job != "" {
		add("Job", clean(c.Job)+because(clean(c.Database)))
	}
	add("Tried", clean(c.Tried))
	add("Seen", clean(c.Seen))
	add("From", clean(c.From))
	add("Otherwise", clean(c.Other))
	add("Why", clean(c.Why))
	if c.Result != CheckOK {
		add("Remedy", clean(c.Remedy))
	}
	add("Statement", clean(c.Statement))
	add("More", clean(c.Docs))
	return lines
}
