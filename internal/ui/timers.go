// Screen 4, Timers: next and last, calendar text and the next five times, what differs from a
// timer that simply runs; and databases that no timer backs up.

package ui

import (
	"cmp"
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type timersScreen struct {
	*shared
	rows
}

func newTimers(sh *shared) *timersScreen { return &timersScreen{shared: sh} }

func (s *timersScreen) name() string                  { return "Timers" }
func (s *timersScreen) enter(context.Context) tea.Cmd { return nil }
func (s *timersScreen) update(tea.Msg) tea.Cmd        { return nil }

func (s *timersScreen) shown() []Timer {
	var out []Timer
	for _, t := range s.timers.value {
		if s.matches(t.Unit + " " + t.Database + " " + t.Problem) {
			out = append(out, t)
		}
	}
	return out
}

func (s *timersScreen) selected() (Timer, bool) { return rowAt(s.shown(), s.at) }

func (s *timersScreen) keys() []binding {
	t, ok := s.selected()
	none := ""
	if !ok {
		none = "no timer is selected"
	}
	return append([]binding{
		{
			keys: []string{"b"}, short: "run now", help: "start what this timer starts, now", off: cmp.Or(s.denied(), none),
			run: func() tea.Cmd { return askRun(s.shared, t) },
		},
		{
			keys: []string{"w", "e"}, label: "w", short: "journal", help: "journal of what it starts", off: none,
			run: func() tea.Cmd {
				return s.post(pushMsg{newJournal(s.shared, JournalQuery{Unit: t.Service, MaxPriority: 7})})
			},
		},
		{
			keys: []string{"enter", "o"}, label: "enter", short: "last run", help: "the live or last run of what it starts",
			off: none,
			run: func() tea.Cmd { return s.post(pushMsg{newRunView(s.shared, t.Service)}) },
		},
	}, s.moves()...)
}

func (s *timersScreen) copyText() string { t, _ := s.selected(); return t.Unit }
func (s *timersScreen) cliLine() string {
	if t, ok := s.selected(); ok {
		return "systemctl status " + printable.ShellWord(t.Unit)
	}
	return ""
}

// timerMark is a timer's state.
func timerMark(t Timer) mark {
	switch t.State {
	case TimerOff:
		return markOff
	case TimerMissed:
		return mark{glyph: "◷", word: "MISSED", rank: 4, tone: toneWarn}
	case TimerMasked:
		return mark{glyph: "–", word: "MASKED", rank: 3, tone: toneWarn}
	case TimerStopped, TimerUnsaved:
		return mark{glyph: "!", word: strings.ToUpper(string(t.State)), rank: 3, tone: toneWarn}
	case TimerFailed, TimerMissing, TimerBroken:
		return mark{glyph: "✗", word: strings.ToUpper(string(t.State)), rank: 5, tone: toneBad}
	case TimerOn:
		switch {
		case t.Problem != "":
			return markWarn
		case !t.Next.IsZero():
			return markOK
		}
	}
	return markUnknown
}

func (s *timersScreen) view(w, h int) string {
	if w >= wideWidth {
		lw := w * 3 / 5
		t, ok := s.selected()
		return strings.Join(s.sideBySide(s.list(lw, h), s.detail(t, ok, w-lw-1), lw, w-lw-1, h), "\n")
	}
	t, ok := s.selected()
	detail := s.detail(t, ok, w)
	lines := s.list(w, max(5, h-len(detail)-1))
	return strings.Join(append(append(lines, ""), detail...), "\n")
}

func (s *timersScreen) list(w, h int) []string {
	all := s.shown()
	lines := []string{s.section("TIMERS", s.timers.note(s.shared, "systemd"), w)}
	if s.timers.err != nil {
		lines = append(lines, s.trouble(s.timers.err, w)...)
	}
	bare := s.withoutTimer()
	if len(all) == 0 && s.timers.have && len(bare) == 0 {
		return append(lines, s.faint.Render("   no timers; sudo pgbtui units install makes them"))
	}
	cols := []column{{"STATE", 9, false}, {"TIMER", 0, false}, {"NEXT", 16, false}, {"IN", 10, true}, {"LAST", 9, true}}
	if w < 72 {
		cols = []column{{"STATE", 9, false}, {"TIMER", 0, false}, {"IN", 10, true}, {"LAST", 9, true}}
	}
	from, to := s.window(len(all), h-len(lines)-1-len(bare))
	t := table{cols: cols, selected: s.at - from, dim: s.timers.stale()}
	for _, x := range all[from:to] {
		c := []string{s.mark(timerMark(x)), timerTitle(x), when(s.Zone, x.Next), until(s.now, x.Next), age(s.now, x.Last)}
		if x.Next.IsZero() && !x.Active {
			c[2], c[3] = "–", "–"
		}
		if x.Last.IsZero() {
			c[4] = "never"
		}
		if r, ok := s.runOf(x.Service); ok && r.State == RunFailed {
			c[4] = markFail.glyph + " " + c[4] // the state is the timer's; what it started may be worse
		}
		if w < 72 {
			c = append(c[:2], c[3:]...)
		}
		t.cells = append(t.cells, c)
	}
	if len(t.cells) > 0 {
		lines = append(lines, t.lines(s.theme, w)...)
	}
	return append(lines, bare...)
}

func timerTitle(t Timer) string {
	return strings.TrimSuffix(clean(t.Unit), ".timer")
}

// withoutTimer names configured databases that nothing backs up by itself.
func (s *timersScreen) withoutTimer() []string {
	var out []string
	for _, d := range assess(s.shared) {
		if d.hasJob && s.timers.have && d.timer == nil && s.matches(d.title) {
			out = append(out, " "+s.mark(markWarn)+"   "+clean(d.title)+
				s.faint.Render("  no timer → sudo pgbtui units install"))
		}
	}
	return out
}

func (s *timersScreen) detail(t Timer, ok bool, w int) []string {
	if !ok {
		return nil
	}
	lines := []string{s.section("SELECTED", s.faint.Render(clean(t.Unit)), w)}
	add := func(label, value string) { lines = append(lines, fact(s.theme, label, value, w)...) }
	if t.Problem != "" {
		add("Problem", clean(t.Problem)+" → "+clean(t.Remedy))
	}
	add("State",
		orUnknown(string(t.State))+"; "+orUnknown(t.Enabled)+", "+
			map[bool]string{true: "active", false: "not active"}[t.Active])
	add("Calendar", orUnknown(strings.Join(t.Calendar, "; ")))
	add("Starts", orUnknown(t.Service)+because(actionText[t.Action]))
	var five []string
	for i, at := range t.Upcoming {
		if i < 5 {
			five = append(five, when(s.Zone, at))
		}
	}
	add("Next five", orUnknown(strings.Join(five, ", ")))
	add("Last", lastRun(s.shared, t))
	jitter := "none"
	if t.Jitter > 0 {
		jitter = "up to " + readable.Took(t.Jitter)
	}
	catchUp := "no: a missed run is skipped"
	if t.Persistent {
		catchUp = "yes, at the next boot"
	}
	add("Delay", jitter+", accuracy "+readable.Took(t.Accuracy))
	add("Catches up", catchUp)
	if len(t.Overridden) > 0 {
		add("Overridden", clean(strings.Join(t.Overridden, ", ")))
	}
	return lines
}

func lastRun(sh *shared, t Timer) string {
	text := "never"
	if !t.Last.IsZero() {
		text = whenFull(sh.Zone, t.Last) + ", " + ago(sh.now, t.Last)
	}
	if r, ok := sh.runOf(t.Service); ok {
		text += ": " + runMark(r.State).text()
	}
	return text
}
