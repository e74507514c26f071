package systemd

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Timers that follow a configuration: what is wanted of each timer, compared with what is there, and what would be
// changed. Rules:
//
//   - times become a drop-in of the timer that is marked as ours; no other drop-in is ever written, changed or removed
//   - a timer of ours that nobody wants any more is switched off, and loses that drop-in; other people's units stay
//   - looking changes nothing and needs no rights; applying is in applytimers.go

// TimerWish is what is wanted of one timer.
type TimerWish struct {
	Timer    string   // its name
	Job      string   // whose it is
	On       bool     // enabled and running
	Calendar []string // OnCalendar= expressions; none: those of the installed unit
	Jitter   *time.Duration
	Why      string // it is off, for people
}

// TimerChange is one timer as it is, as it is to be, and the steps between.
type TimerChange struct {
	Timer  string
	Job    string
	Wanted bool // a job has it; else it is left over
	On     bool // it is to be on
	Why    string
	State  TimerState // as it is

	Before Timing // by systemd; none where it is not loaded
	After  Timing // by the files, once the steps are done

	Write   string // the drop-in to write; "" is none
	Remove  string // the drop-in to remove; "" is none
	Enable  bool
	Disable bool
	Reload  bool // systemd has not read what is on the disk

	ByHand  []string // drop-ins of others that set its times as well
	Trouble string   // what keeps it from being as it should; nothing of ours changes that
	Remedy  string

	Due time.Time // a run that starts as soon as the steps are done, since it is overdue by the new times; zero: none

	text string // of the drop-in
}

// Timing is when a timer fires.
type Timing struct {
	Calendar []string
	Jitter   time.Duration
}

// Changes reports whether anything is to be done.
func (c *TimerChange) Changes() bool {
	return c.Write != "" || c.Remove != "" || c.Enable || c.Disable || c.Reload
}

// TimerPlan is what timers are to become, sorted by name.
type TimerPlan struct {
	Timers []TimerChange
}

// Changes reports whether anything is to be done.
func (p *TimerPlan) Changes() bool {
	return slices.ContainsFunc(p.Timers, func(c TimerChange) bool { return c.Changes() })
}

// Troubles are the timers that cannot become what is wanted.
func (p *TimerPlan) Troubles() (troubled []TimerChange) {
	for _, c := range p.Timers {
		if c.Trouble != "" {
			troubled = append(troubled, c)
		}
	}
	return troubled
}

// TimerPlanOptions are the inputs of PlanTimers.
type TimerPlanOptions struct {
	Wishes []TimerWish
	// Whole says that the wishes are all: other timers of ours, for jobs, are left over.
	Whole bool
	Now   time.Time
}

// PlanTimers compares timers with what is wanted of them. An expression that systemd does not understand is an error.
func PlanTimers(ctx context.Context, bus *Bus, o TimerPlanOptions) (*TimerPlan, error) {
	wishes := withWatchWish(o.Wishes)
	var names []string
	for _, w := range wishes {
		names = append(names, w.Timer)
	}
	found, err := bus.timersLike(ctx, Patterns(), names...)
	if err != nil {
		return nil, err
	}
	o.Wishes = wishes
	return planTimers(ctx, root(""), found, o)
}

// withWatchWish adds the watch: one that had to be switched on apart would be off where it is needed.
func withWatchWish(wishes []TimerWish) []TimerWish {
	if !slices.ContainsFunc(wishes, func(w TimerWish) bool { return w.On }) {
		return wishes
	}
	return append(slices.Clone(wishes), TimerWish{Timer: WatchTimer, On: true})
}

func planTimers(ctx context.Context, r root, found []Timer, o TimerPlanOptions) (*TimerPlan, error) {
	plan := &TimerPlan{}
	for _, t := range found {
		wished := slices.IndexFunc(o.Wishes, func(w TimerWish) bool { return w.Timer == t.Name })
		if wished < 0 {
			if left, is := leftOver(r, t, o.Whole); is {
				plan.Timers = append(plan.Timers, left)
			}
			continue
		}
		one, err := wanted(ctx, r, t, o.Wishes[wished], o.Now)
		if err != nil {
			return nil, err
		}
		plan.Timers = append(plan.Timers, one)
	}
	// A drop-in may be all that a sync which was killed has left of a timer.
	for _, path := range ownDropIns(r) {
		timer := strings.TrimSuffix(filepath.Base(filepath.Dir(path)), ".d")
		if o.Whole && !slices.ContainsFunc(plan.Timers, func(c TimerChange) bool { return c.Timer == timer }) {
			plan.Timers = append(plan.Timers, TimerChange{Timer: timer, Job: jobOfTimer(timer), State: TimerOff, Remove: path})
		}
	}
	slices.SortStableFunc(plan.Timers, func(a, b TimerChange) int { return strings.Compare(a.Timer, b.Timer) })
	return plan, nil
}

func jobOfTimer(timer string) string {
	job, _, _ := ScheduledJobOf(timer)
	return job
}

// leftOver is a timer of ours that nobody wants: to be switched off, and to lose its drop-in.
func leftOver(r root, t Timer, whole bool) (TimerChange, bool) {
	_, _, ofAJob := ScheduledJobOf(t.Name)
	if !whole || !ofAJob {
		return TimerChange{}, false
	}
	c := TimerChange{
		Timer: t.Name, Job: jobOfTimer(t.Name), State: t.State,
		Before: Timing{Calendar: t.Calendar, Jitter: t.RandomizedDelay},
	}
	if path := dropInPath(t.Name); isSchedule(r, path) {
		c.Remove = path
	}
	switch t.State {
	case TimerOn, TimerStopped, TimerUnsaved, TimerFailed:
		c.Disable = t.FragmentPath == "" || WroteFile(r.path(t.FragmentPath))
	case TimerOff, TimerMasked, TimerMissing, TimerBroken:
	}
	return c, c.Changes()
}

// wanted is a timer that a job has.
func wanted(ctx context.Context, r root, t Timer, w TimerWish, now time.Time) (TimerChange, error) {
	c := TimerChange{
		Timer: t.Name, Job: w.Job, Wanted: true, On: w.On, Why: w.Why, State: t.State, Reload: t.NeedReload,
		Before: Timing{Calendar: t.Calendar, Jitter: t.RandomizedDelay},
	}
	switch t.State {
	case TimerMissing:
		if !w.On {
			return c, nil
		}
		return c, fault.New(fault.Refused, "systemd: look at "+t.Name+": there is no such unit",
			"Install the units with `sudo pgbtui units install`.", nil)
	case TimerMasked, TimerBroken:
		if w.On {
			c.Trouble = "it is " + string(t.State)
			c.Remedy = "Read `systemctl status " + printable.ShellWord(t.Name) + "`."
			if t.State == TimerMasked {
				c.Remedy = "Run `sudo systemctl unmask " + printable.ShellWord(t.Name) + "`."
			}
		}
		return c, nil
	case TimerOn:
		c.Disable = !w.On
	case TimerOff:
		c.Enable = w.On
	case TimerStopped, TimerUnsaved, TimerFailed:
		c.Enable, c.Disable = w.On, !w.On
	}
	if err := c.times(ctx, r, t, w); err != nil {
		return c, err
	}
	return c, c.overdue(ctx, t, now)
}

// times decides about the drop-in, and says which times hold then.
func (c *TimerChange) times(ctx context.Context, r root, t Timer, w TimerWish) error {
	for _, expression := range w.Calendar {
		if _, err := NormalCalendar(ctx, expression); err != nil {
			return err
		}
	}
	path := dropInPath(t.Name)
	before, err := r.read(path)
	if err != nil {
		return err
	}
	if before != nil && !isMarked(before, scheduleMarker) {
		c.Trouble = path + " was not written by pgbtui"
		c.Remedy = "Give that drop-in another name, such as schedule.conf, or remove it."
		return nil
	}
	c.text = scheduleText(w)
	switch {
	case c.text == "" && before != nil:
		c.Remove = path
	case c.text != "" && c.text != string(before):
		c.Write = path
	}
	c.After = c.effective(r, t, path)
	otherTimes := len(w.Calendar) > 0 && !slices.Equal(c.After.Calendar, w.Calendar)
	if otherTimes || w.Jitter != nil && c.After.Jitter != *w.Jitter {
		c.Trouble = fmt.Sprintf("its times are set by %s, not by the configuration", strings.Join(c.ByHand, " and "))
		c.Remedy = "Remove that drop-in, or take schedule and jitter of this timer out of the configuration."
	}
	return nil
}

// overdue finds a run that starts at once: a timer counts from its last run, by its new times.
func (c *TimerChange) overdue(ctx context.Context, t Timer, now time.Time) error {
	last := t.Last
	if last.IsZero() {
		last = t.Stamp
	}
	starts := c.Enable || c.On && (c.Write != "" || c.Remove != "" || c.Reload)
	if !starts || last.IsZero() || !t.Persistent && c.Enable {
		return nil
	}
	for _, expression := range c.After.Calendar {
		at, err := CalendarAfter(ctx, expression, last)
		if err != nil {
			return err
		}
		if !at.IsZero() && at.Before(now) && (c.Due.IsZero() || at.Before(c.Due)) {
			c.Due = at
		}
	}
	return nil
}
