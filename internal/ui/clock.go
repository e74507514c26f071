// The one clock: a tick a second while a screen shows seconds, else one at each full minute, so
// that an idle console sends and wakes next to nothing.

package ui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

const toastFor = 8 * time.Second

type tickMsg struct{ id int }

// ticker is the tick that is under way.
type ticker struct {
	id int
	at time.Time // zero: none
}

// schedule makes sure that a tick comes when somebody can see the next change.
func (r *root) schedule() tea.Cmd {
	now := r.Now()
	at := r.nextTick(now)
	if !r.ticks.at.IsZero() && !at.Before(r.ticks.at) {
		return nil
	}
	r.ticks.id++
	r.ticks.at = at
	id := r.ticks.id
	return tea.Tick(at.Sub(now), func(time.Time) tea.Msg { return tickMsg{id} })
}

func (r *root) nextTick(now time.Time) time.Time {
	at := now.Truncate(time.Minute).Add(time.Minute)
	if l, ok := r.page().(lively); ok && l.lively() && r.frozen.IsZero() {
		at = now.Truncate(time.Second).Add(time.Second)
	}
	if !r.until.IsZero() && r.until.Before(at) {
		at = r.until
	}
	if !at.After(now) {
		at = now.Add(time.Second)
	}
	return at
}

func (r *root) tick(msg tickMsg) tea.Cmd {
	if msg.id != r.ticks.id {
		return nil
	}
	r.ticks.at = time.Time{}
	r.now = r.clock()
	if !r.until.IsZero() && !r.Now().Before(r.until) {
		r.toast, r.until = toastMsg{}, time.Time{}
	}
	if !r.frozen.IsZero() {
		return nil
	}
	return r.refreshDue()
}

// freeze stops live updates and the clock, or lets them go on with what was held back.
func (r *root) freeze() tea.Cmd {
	if r.frozen.IsZero() {
		r.frozen = r.Now()
		return nil
	}
	r.frozen = time.Time{}
	r.now = r.Now()
	var cmds []tea.Cmd
	for _, a := range r.held {
		cmds = append(cmds, r.answered(a))
	}
	r.held = nil
	return tea.Batch(cmds...)
}
