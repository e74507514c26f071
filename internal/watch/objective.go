// A job's objectives where its configuration has none: its timer says how often it runs, and the timer of its drills
// how often they do.

package watch

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Where an objective comes from.
const (
	FromConfig   = "config"
	FromCalendar = "calendar" // of the timer
	FromDefault  = "default"  // no timer was there to ask
)

// Objective is a job's objectives, and where its RPO comes from.
type Objective struct {
	backup.Objectives
	RPOFrom string
}

const (
	defaultRPO = 26 * time.Hour
	// runSlack is how long a run may take before the one before it is too old.
	runSlack = 2 * time.Hour
	// drillWithin is the objective where a weekly drill is switched on: one week and a day.
	drillWithin = 8 * 24 * time.Hour
	// verifySlack is how long after a new set a daily verification has read it.
	verifySlack = 26 * time.Hour
)

// Schedule is what systemd runs for a job. The zero value is for where it cannot be asked.
type Schedule struct {
	Timer    *systemd.Timer // of its backups
	Drilled  bool           // a timer runs drills of its sets
	Verified bool           // a timer reads its sets back
}

// objectiveOf is by what a job is judged.
func objectiveOf(ctx context.Context, job config.Job, s Schedule) Objective {
	o := Objective{
		Objectives: backup.Objectives{
			RPO: job.RPO, ProofWithin: job.ProofWithin, ProofLevel: backup.LevelReadable, RTO: job.RTO,
		},
		RPOFrom: FromConfig,
	}
	if o.RPO == 0 {
		o.RPO = defaultRPO
		o.RPOFrom = FromDefault
		if s.Timer != nil && s.Timer.LoadState == "loaded" {
			if gap := longestGap(upcoming(ctx, s.Timer.Calendar)); gap > 0 {
				o.RPO = gap + late(*s.Timer) + runSlack
				o.RPOFrom = FromCalendar
			}
		}
	}
	switch {
	case s.Drilled:
		o.ProofLevel = backup.LevelRestored
		if o.ProofWithin == 0 {
			o.ProofWithin = drillWithin
		}
	case s.Verified && o.ProofWithin == 0:
		o.ProofWithin = o.RPO + verifySlack
	}
	return o
}

// late is how long after the calendar's time a timer may fire.
func late(t systemd.Timer) time.Duration { return max(t.RandomizedDelay, 0) + max(t.Accuracy, 0) }

// horizon is how far ahead a calendar is read, so that a weekend or a month's end is in it. A timer
// that fires every few minutes is read less far.
const (
	horizon    = 35 * 24 * time.Hour
	fewElapses = 100
	allElapses = 10000
)

// upcoming is the next times of each expression of a calendar; none when one cannot be read.
func upcoming(ctx context.Context, calendar []string) [][]time.Time {
	var all [][]time.Time
	for _, expression := range calendar {
		times, err := systemd.CalendarNext(ctx, expression, fewElapses)
		if err == nil && len(times) == fewElapses && times[fewElapses-1].Sub(times[0]) < horizon {
			times, err = systemd.CalendarNext(ctx, expression, allElapses)
		}
		if err != nil {
			return nil
		}
		all = append(all, times)
	}
	return all
}

// longestGap is the longest time between two elapses of several expressions together, as far as
// all of them are known; 0 when there are not two.
func longestGap(expressions [][]time.Time) time.Duration {
	var end time.Time
	all := map[time.Time]bool{}
	for _, times := range expressions {
		for _, at := range times {
			all[at] = true
		}
		if len(times) > 1 && (end.IsZero() || times[len(times)-1].Before(end)) {
			end = times[len(times)-1]
		}
	}
	var longest time.Duration
	var before time.Time
	for _, at := range sorted(all) {
		if at.After(end) {
			break
		}
		if !before.IsZero() {
			longest = max(longest, at.Sub(before))
		}
		before = at
	}
	return longest
}
