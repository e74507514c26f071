package main

import (
	"fmt"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

func printSyncPlan(to *streams, out jsonSync) {
	same := 0
	for i := range out.Timers {
		one := &out.Timers[i]
		if len(one.Steps) == 0 && one.Trouble == "" && len(one.ByHand) == 0 {
			same++
			continue
		}
		printSyncTimer(to, one)
	}
	switch {
	case out.InStep:
		to.printf("every timer follows the configuration: %d timers\n", same)
	case same > 0:
		to.printf("%d more timers follow the configuration\n", same)
	}
	for _, c := range out.Clocks {
		to.sayf("clocks: %s\n", clockText(c))
	}
	for _, o := range out.Overlaps {
		to.sayf("overlap: %s\n", overlapText(o))
	}
	for _, r := range out.Removed {
		to.sayf("%s\n", removedText(r))
	}
	for _, note := range out.Notes {
		to.sayf("note: %s\n", printable.Text(note))
	}
}

func printSyncTimer(to *streams, one *jsonSyncTimer) {
	whose := " (job " + one.Job + ")"
	switch {
	case one.Job == "":
		whose = ""
	case !one.Wanted:
		whose = " (job " + one.Job + ", which is not in the configuration)"
	}
	to.sayf("%s\n", printable.Text(one.Timer+whose))
	if one.Wanted {
		to.sayf("    is       %s\n", printable.Text(timingText(one.Before, one.State)))
		to.sayf("    will be  %s\n", printable.Text(timingText(one.After, "off")))
	}
	for _, at := range one.Next {
		to.printf("    next     %s\n", dayText(at))
	}
	for _, step := range one.Steps {
		to.printf("    %s\n", printable.Text(step))
	}
	if one.DueAt != nil {
		to.sayf("    a run starts at once: by these times it was due on %s\n", dayText(*one.DueAt))
	}
	for _, path := range one.ByHand {
		to.sayf("    not touched, somebody's own: %s\n", printable.Text(path))
	}
	if one.Trouble != "" {
		to.sayf("    %s. %s\n", printable.Text(one.Trouble), printable.Text(one.Remedy))
	}
}

// timingText is when a timer fires, or the state it is in instead.
func timingText(t jsonTiming, state string) string {
	if !t.On {
		return state
	}
	text := strings.Join(t.Calendar, ", ")
	if t.JitterSeconds > 0 {
		text += " and up to " + readable.Age(time.Duration(t.JitterSeconds)*time.Second) + " later"
	}
	return "on, " + text
}

func clockText(c jsonClockChange) string {
	day := c.At.Local().Format("Mon 2006-01-02")
	next := "never again"
	if c.NextAt != nil {
		next = "next on " + dayText(*c.NextAt)
	}
	return fmt.Sprintf("there is no %s in %s on %s: %s fires %s; with UTC behind its times it misses none",
		c.Wall, c.Zone, day, c.Timer, next)
}

func overlapText(o jsonOverlap) string {
	first := dayText(o.FirstAt)
	if o.SameDatabase {
		return fmt.Sprintf("runs of %s may meet %d times in the next %d days, first on %s: they take turns, "+
			"since they are of one database", strings.Join(o.Jobs, " and "), o.Count, overlapDays, first)
	}
	return fmt.Sprintf("up to %d backups may run at once, first on %s: %s", len(o.Jobs), first, strings.Join(o.Jobs, ", "))
}

func removedText(r jsonRemovedJob) string {
	text := fmt.Sprintf("job %s is not in the configuration any more; its backups stay: %d, %s",
		printable.Text(r.Job), r.Sets, readable.Size(r.StoredBytes))
	switch {
	case r.Now != "":
		return text + "; they belong to job " + printable.Text(r.Now) + ", by formerly"
	case r.Sets > 0:
		return text + "; no rule deletes them, and `pgbtui list` shows them"
	}
	return text
}

// dayText is a moment by the clock of this host.
func dayText(at time.Time) string { return at.Local().Format("Mon 2006-01-02 15:04 MST") }
