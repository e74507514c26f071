package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// What the timers of a plan will do: next times, clock changes, overlaps, and what stays of jobs that are gone. What
// cannot be found out is a note: the plan holds without it.

type jsonClockChange struct {
	Timer    string     `json:"timer"`
	Calendar string     `json:"calendar"`
	At       time.Time  `json:"at"`
	Wall     string     `json:"wall"`
	Zone     string     `json:"zone"`
	NextAt   *time.Time `json:"nextAt"`
}

type jsonOverlap struct {
	Jobs         []string  `json:"jobs"`
	SameDatabase bool      `json:"sameDatabase"`
	FirstAt      time.Time `json:"firstAt"`
	Count        int       `json:"count,omitempty"` // of runs that meet, of one database
}

type jsonRemovedJob struct {
	Job         string `json:"job"`
	Sets        int    `json:"sets"`
	StoredBytes int64  `json:"storedBytes"`
	Now         string `json:"now"` // the job that has them by formerly; "" is none
}

const (
	nextTimes = 5
	// overlapDays is how far ahead overlaps are looked for: a month's end is in it.
	overlapDays = 35
)

// look fills the outlook in.
func (out *jsonSync) look(ctx context.Context, c *config.Config, plan *systemd.TimerPlan, o *jobsSyncOptions) {
	now := o.env.now()
	var runs []systemd.Runs
	sets, setsErr := o.find.all(ctx, "")
	if setsErr != nil {
		out.note("the bucket was not read, so how long backups take, and what there is of jobs that are gone, " +
			"is not known: " + oneLine(setsErr))
	}
	for i := range plan.Timers {
		change := &plan.Timers[i]
		if !change.On {
			continue
		}
		starts, err := out.upcoming(ctx, &out.Timers[i], now)
		if err != nil {
			out.note(change.Timer + ": the next times are not known: " + oneLine(err))
			continue
		}
		if _, _, backs := systemd.JobOf(change.Timer); backs {
			runs = append(runs, systemd.Runs{
				Name: change.Job, Starts: starts, Lasts: change.After.Jitter + lastedOf(sets, change.Job),
			})
		}
	}
	out.overlap(c, runs)
	if setsErr == nil {
		out.removed(c, plan, sets)
	}
}

func (out *jsonSync) note(text string) { out.Notes = append(out.Notes, text) }

// upcoming are the times of a timer of the next weeks; the first of them, and its clock changes, are put down.
func (out *jsonSync) upcoming(ctx context.Context, one *jsonSyncTimer, now time.Time) (all []time.Time, err error) {
	until := now.AddDate(0, 0, overlapDays)
	for _, expression := range one.After.Calendar {
		times, err := systemd.CalendarUntil(ctx, expression, now, until)
		if err != nil {
			return nil, err
		}
		all = append(all, times...)
		next, err := systemd.CalendarFrom(ctx, expression, now, nextTimes)
		if err != nil {
			return nil, err
		}
		one.Next = append(one.Next, next...)
		changes, err := systemd.ClockChanges(ctx, expression, now, time.Local)
		if err != nil {
			return nil, err
		}
		for _, change := range changes {
			out.Clocks = append(out.Clocks, clockJSON(one.Timer, expression, change))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	slices.SortFunc(one.Next, time.Time.Compare)
	one.Next = slices.CompactFunc(one.Next, time.Time.Equal)
	one.Next = one.Next[:min(nextTimes, len(one.Next))]
	return slices.CompactFunc(all, time.Time.Equal), nil
}

func clockJSON(timer, expression string, change systemd.ClockChange) jsonClockChange {
	one := jsonClockChange{
		Timer: timer, Calendar: expression, At: change.At.UTC(), Wall: change.Wall, Zone: change.Zone,
	}
	if !change.Next.IsZero() {
		next := change.Next.UTC()
		one.NextAt = &next
	}
	return one
}

// lastedOf is how long the newest run of a job took, of a job of several databases all of them together.
func lastedOf(sets []backup.Set, job string) (sum time.Duration) {
	seen := map[string]bool{}
	for i := range sets { // newest first
		s := &sets[i]
		place := s.Instance + "/" + s.Database
		if s.Job != job || s.Manifest == nil || seen[place] {
			continue
		}
		seen[place] = true
		sum += max(0, s.Manifest.FinishedAt.Sub(s.Manifest.StartedAt))
	}
	return sum
}

// overlap puts down pairs of one database, which take turns, and the time at which most jobs may run at once.
func (out *jsonSync) overlap(c *config.Config, runs []systemd.Runs) {
	for _, o := range systemd.Overlaps(runs) {
		if first, err := c.Job(o.Names[0]); err == nil && slices.Contains(first.Beside, o.Names[1]) {
			out.Overlaps = append(out.Overlaps, jsonOverlap{
				Jobs: o.Names[:], SameDatabase: true, FirstAt: o.First.UTC(), Count: o.Count,
			})
		}
	}
	at, names := systemd.Busiest(runs)
	if len(names) < 2 || len(names) == 2 && len(out.Overlaps) > 0 {
		return
	}
	out.Overlaps = append(out.Overlaps, jsonOverlap{Jobs: names, FirstAt: at.UTC()})
}

// removed counts what there is of jobs whose timers go.
func (out *jsonSync) removed(c *config.Config, plan *systemd.TimerPlan, sets []backup.Set) {
	for i := range plan.Timers {
		name := plan.Timers[i].Job
		known := slices.ContainsFunc(c.Jobs, func(j config.Job) bool { return j.Name == name })
		told := slices.ContainsFunc(out.Removed, func(r jsonRemovedJob) bool { return r.Job == name })
		if plan.Timers[i].Wanted || name == "" || known || told {
			continue
		}
		out.Removed = append(out.Removed, removedJob(c, name, sets))
	}
}

func removedJob(c *config.Config, name string, sets []backup.Set) jsonRemovedJob {
	one := jsonRemovedJob{Job: name}
	for _, j := range c.Jobs {
		if slices.Contains(j.Formerly, name) {
			one.Now = j.Name
		}
	}
	for i := range sets {
		s := &sets[i]
		own := slices.ContainsFunc(c.Jobs, func(j config.Job) bool { return j.Instance == s.Instance })
		if s.Manifest == nil || s.Job != name || !own {
			continue
		}
		one.Sets++
		one.StoredBytes += s.StoredSize
	}
	return one
}

// consequence is what somebody agrees to, in a sentence.
func (out *jsonSync) consequence() string {
	var on, off, files int
	starts := ""
	for _, one := range out.Timers {
		for _, step := range one.Steps {
			switch step {
			case "switch on":
				on++
			case "switch off":
				off++
			default:
				files++
			}
		}
		if one.DueAt != nil {
			starts = " What is overdue by the new times starts at once."
		}
	}
	return fmt.Sprintf("This switches %d timers on and %d off, and changes %d drop-ins.%s", on, off, files, starts)
}
