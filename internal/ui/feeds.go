// The shell's reading: when each feed is read, and what its answers change.

package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// How old the feeds may get.
const (
	setsEvery   = 5 * time.Minute
	timersEvery = time.Minute
	toldEvery   = 10 * time.Second // small files of this host: an alert is there a second after the run that failed
	retryEvery  = time.Minute
	watchAgain  = 10 * time.Second
)

func (r *root) readAll() tea.Cmd {
	return tea.Batch(r.readGoals(), r.readSets(), r.readTimers(), r.readTold(), r.readCover(), r.watchUnits())
}

func (r *root) readGoals() tea.Cmd {
	if r.Sources.Objectives == nil {
		return nil
	}
	return r.goals.asker.ask(r.ctx, r.fed, readGoals(r.Sources.Objectives))
}

func (r *root) readSets() tea.Cmd {
	absent := r.Sources.Catalogue == nil
	return r.sets.read(r, absent, r.missing("catalogue"), readSets(r.Sources.Catalogue))
}

func (r *root) readTimers() tea.Cmd {
	absent := r.Sources.Timers == nil
	return r.timers.read(r, absent, r.missing("timers"), readTimers(r.Sources.Timers))
}

// readTold says nothing of a host without a watch of its own.
func (r *root) readTold() tea.Cmd {
	absent := r.Sources.Told == nil
	return r.told.read(r, absent, r.Sources.Missing["told"], readTold(r.Sources.Told))
}

// read asks a feed's source once more. Where it is absent, missing says why, if anything is to be said.
func (f *feed[T]) read(r *root, absent bool, missing error, ask func(context.Context) tea.Msg) tea.Cmd {
	if absent {
		var nothing T
		f.put(r.now, nothing, missing)
		return nil
	}
	f.tried = r.now
	return f.asker.ask(r.ctx, r.fed, ask)
}

func (r *root) readCover() tea.Cmd {
	if r.Sources.Coverage == nil {
		return nil
	}
	r.cover.tried = r.now
	return r.cover.asker.ask(r.ctx, r.fed, readCover(r.Sources.Coverage))
}

func (r *root) watchUnits() tea.Cmd {
	if r.Sources.Units == nil {
		r.runs.put(r.now, nil, r.missing("units"))
		return nil
	}
	return r.runs.asker.ask(r.ctx, r.fed, watchUnits(r.Sources.Units))
}

// refreshDue reads again what has become old.
func (r *root) refreshDue() tea.Cmd {
	var cmds []tea.Cmd
	old := func(tried time.Time, err error, every time.Duration) bool {
		if err != nil {
			every = min(every, retryEvery)
		}
		return r.now.Sub(tried) >= every
	}
	if r.Sources.Catalogue != nil && old(r.sets.tried, r.sets.err, setsEvery) {
		cmds = append(cmds, r.readSets())
	}
	if r.Sources.Timers != nil && old(r.timers.tried, r.timers.err, timersEvery) {
		cmds = append(cmds, r.readTimers())
	}
	if r.Sources.Told != nil && old(r.told.tried, r.told.err, toldEvery) {
		cmds = append(cmds, r.readTold())
	}
	if r.Sources.Coverage != nil && old(r.cover.tried, nil, timersEvery) {
		cmds = append(cmds, r.readCover())
	}
	return tea.Batch(cmds...)
}

// fed takes the answers of the feeds. A failing source keeps its last data.
func (r *root) fed(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case setsMsg:
		if msg.err != nil && len(msg.sets) > 0 && msg.sets[0].At != "" && !r.sets.have {
			r.sets.put(r.now, msg.sets, nil) // those of a copy, to restore from; the error stays on the screen
		}
		r.sets.put(r.now, msg.sets, msg.err)
		if r.JobsIn != nil && msg.err == nil {
			r.Jobs = r.JobsIn(msg.sets)
		}
		if r.toast.text == readingAgain {
			r.toast = toastMsg{} // it was read
		}
		return r.readTold() // which holds the sets against what this host remembers
	case goalsMsg:
		r.goals.put(r.now, msg.goals, nil)
	case timersMsg:
		r.timers.put(r.now, msg.timers, msg.err)
	case toldMsg:
		r.told.put(r.now, msg.open, msg.err)
	case coverMsg:
		r.cover.put(r.now, msg.uncovered, nil)
	case runsMsg:
		return r.fedRuns(msg)
	}
	return nil
}

func (r *root) fedRuns(msg runsMsg) tea.Cmd {
	before := r.runs.value
	if msg.err != nil {
		r.runs.put(r.now, nil, msg.err)
		return tea.Tick(watchAgain, func(time.Time) tea.Msg { return watchAgainMsg{} })
	}
	first := !r.runs.have
	r.runs.put(r.now, msg.runs, nil)
	next := r.runs.asker.more(r.fed, func() tea.Msg { return nextRuns(msg.from) })
	next = tea.Batch(next, r.page().update(fedMsg{}))
	if first {
		return next
	}
	return tea.Batch(next, r.tellEnds(before))
}

// tellEnds reads the bucket and timers again when a run began or ended, and says how it ended. A short run can begin
// and end between two lists: then only its invocation is new.
func (r *root) tellEnds(before []UnitRun) tea.Cmd {
	known := map[string]UnitRun{}
	for _, b := range before {
		known[b.Unit] = b
	}
	var cmds []tea.Cmd
	for _, now := range r.runs.value {
		was := known[now.Unit]
		if was.State.Live() == now.State.Live() && was.Invocation == now.Invocation {
			continue
		}
		if len(cmds) == 0 {
			cmds = append(cmds, r.readTimers())
		}
		if !now.State.Live() {
			m := runMark(now.State)
			cmds = append(cmds, r.readSets(), say(m.tone, m.text(), "  ", r.runTitle(now)))
		}
	}
	return tea.Batch(cmds...)
}
