// What all screens see: options, theme, the time of the last tick, and the feeds (bucket, units,
// timers, what the watch told) that the shell reads for everybody. Screens only look at it.

package ui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type shared struct {
	Options
	theme
	now    time.Time
	sets   feed[[]backup.Set]
	runs   feed[[]UnitRun]
	timers feed[[]Timer]
	told   feed[[]Incident]
	cover  feed[[]Uncovered]
	goals  feed[map[string]Objective] // of jobs, by name
	judged judgement
	posted []tea.Msg       // to the shell, taken at the end of each Update
	asked  map[string]bool // units started from here, to tell how they ended
}

// feed is one source's last data, its age, and since when it fails.
type feed[T any] struct {
	value T
	have  bool
	at    time.Time // of value
	err   error
	since time.Time // of the first failure in a row
	tried time.Time
	asker asker

	reading int // counts what was put, for what is worked out of the values
}

func (f *feed[T]) put(now time.Time, v T, err error) {
	f.tried = now
	f.reading++
	if err == nil {
		f.value = v
		f.have = true
		f.at = now
		f.err = nil
		return
	}
	if f.err == nil {
		f.since = now
	}
	f.err = err
}

// note is the pane's age, or what is wrong with its source and since when.
func (f *feed[T]) note(sh *shared, what string) string {
	switch {
	case f.err != nil && f.have:
		return sh.bad.Render("✗ "+what+" fails since "+since(sh, f.since)) +
			sh.faint.Render(" · shown: "+ago(sh.now, f.at))
	case f.err != nil:
		return sh.bad.Render("✗ " + what + " cannot be read")
	case !f.have:
		return sh.faint.Render("reading " + what + " …")
	}
	return sh.faint.Render(what + " " + ago(sh.now, f.at))
}

// unread reports whether a feed has neither data nor an error yet.
func (f *feed[T]) unread() bool { return !f.have && f.err == nil }

func since(sh *shared, t time.Time) string {
	if sh.now.Sub(t) > 20*time.Hour {
		return when(sh.Zone, t)
	}
	return t.In(sh.Zone).Format("15:04 MST")
}

// stale dims lines whose source fails.
func (f *feed[T]) stale() bool { return f.err != nil && f.have }

// errorLine is an error and its remedy in one line, safe for the screen.
func errorLine(err error) string {
	text := clean(err.Error())
	if r := fault.Remedy(err); r != "" {
		text += " → " + clean(r)
	}
	return text
}

// errMissing stands in for a source that was not given.
var errMissing = errors.New("not available here")

func (sh *shared) missing(source string) error {
	if err := sh.Sources.Missing[source]; err != nil {
		return err
	}
	return errMissing
}

// liveRuns are those going on, in the order of the list.
func (sh *shared) liveRuns() []UnitRun {
	var live []UnitRun
	for _, r := range sh.runs.value {
		if r.State.Live() {
			live = append(live, r)
		}
	}
	return live
}

func (sh *shared) runOf(unit string) (UnitRun, bool) {
	for _, r := range sh.runs.value {
		if r.Unit == unit {
			return r, true
		}
	}
	return UnitRun{}, false
}

// word is how the verbs take a set: by its ID among this host's own, else by its whole address.
func (sh *shared) word(s *backup.Set) string {
	if sh.ours(s) {
		return printable.ShellWord(s.ID)
	}
	return printable.ShellWord(s.Address().String())
}

// jobNamed is the configured job of a name.
func (sh *shared) jobNamed(name string) (Job, bool) {
	for _, j := range sh.Jobs {
		if j.Name == name {
			return j, true
		}
	}
	return Job{}, false
}

// denied is why nothing can be changed from here, or "".
func (sh *shared) denied() string {
	if sh.Write.Actions != nil {
		return ""
	}
	if sh.Write.Denied != "" {
		return sh.Write.Denied
	}
	return "read-only"
}

// Messages of the feeds.
type (
	setsMsg struct {
		sets []backup.Set
		err  error
	}
	timersMsg struct {
		timers []Timer
		err    error
	}
	goalsMsg struct{ goals map[string]Objective }
	toldMsg  struct {
		open []Incident
		err  error
	}
	coverMsg struct{ uncovered []Uncovered }
	runsMsg  struct {
		runs []UnitRun
		from <-chan []UnitRun // nil: the watch could not be made, or ended
		err  error
	}
	watchAgainMsg struct{}
)

var errBusLost = fault.New(fault.Unavailable, "ui: watch units: the connection to systemd ended",
	"Wait: it is tried again every ten seconds.", nil)

func readSets(c Catalogue) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg {
		sets, err := c.Sets(ctx)
		return setsMsg{sets, err}
	}
}

func readContents(c Catalogue, set backup.Set) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg {
		contents, err := c.Contents(ctx, set)
		return contentsMsg{contents, err}
	}
}

func readTimers(t Timers) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg {
		timers, err := t.Timers(ctx)
		return timersMsg{timers, err}
	}
}

func readGoals(o Objectives) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg { return goalsMsg{o.Objectives(ctx)} }
}

func readTold(src Told) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg {
		open, err := src.Open(ctx)
		return toldMsg{open, err}
	}
}

func readCover(src Coverage) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg { return coverMsg{src.Uncovered(ctx)} }
}

func watchUnits(u Units) func(context.Context) tea.Msg {
	return func(ctx context.Context) tea.Msg {
		ch, err := u.Watch(ctx)
		if err != nil {
			return runsMsg{err: err}
		}
		return nextRuns(ch)
	}
}

func nextRuns(ch <-chan []UnitRun) tea.Msg {
	runs, ok := <-ch
	if !ok {
		return runsMsg{err: errBusLost}
	}
	return runsMsg{runs: runs, from: ch}
}
