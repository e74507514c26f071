// What is known about each database: can it be recovered, to when, how is that known, what is
// wrong and what to do. One pure function over the feeds; overview and header both show it.
//
// Rule: no false green. What was not read is unknown, and unknown is never OK.

package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// database is one database of this instance.
type database struct {
	name     string
	job      Job  // zero when not configured
	hasJob   bool // configured here
	mark     mark
	newest   *backup.Set // newest good native or legacy set
	known    bool        // the bucket was read
	timer    *Timer
	run      *UnitRun // last or live backup run
	problems []problem
}

// problem is one thing that is wrong, and its remedy.
type problem struct {
	mark         mark
	what, remedy string
}

// recoverTo is the moment that a restore of the newest good set leads to: the start of its dump.
func (d *database) recoverTo() time.Time {
	switch {
	case d.newest == nil:
		return time.Time{}
	case d.newest.Manifest != nil && !d.newest.Manifest.StartedAt.IsZero():
		return d.newest.Manifest.StartedAt
	}
	return d.newest.FinishedAt
}

// assess judges every configured database, and those of this instance that only have sets.
func assess(sh *shared) []database {
	var all []database
	seen := map[string]bool{}
	for _, j := range sh.Jobs {
		seen[j.Database] = true
		all = append(all, judge(sh, database{name: j.Database, job: j, hasJob: true}))
	}
	var rest []string
	for i := range sh.sets.value {
		s := &sh.sets.value[i]
		if !seen[s.Database] && s.Kind == backup.KindNative && sh.ours(s) {
			seen[s.Database] = true
			rest = append(rest, s.Database)
		}
	}
	slices.Sort(rest)
	for _, name := range rest {
		all = append(all, judge(sh, database{name: name}))
	}
	return all
}

func judge(sh *shared, d database) database {
	d.known = sh.sets.have
	for i := range sh.sets.value {
		s := &sh.sets.value[i]
		if s.Database == d.name && sh.ours(s) && s.Good() &&
			(d.newest == nil || s.FinishedAt.After(d.newest.FinishedAt)) {
			d.newest = s
		}
	}
	for i := range sh.timers.value {
		if t := &sh.timers.value[i]; t.Action == "backup" && (t.Database == d.name || (d.hasJob && t.Job == d.job.Name)) {
			d.timer = t
		}
	}
	for i := range sh.runs.value {
		if r := &sh.runs.value[i]; d.hasJob && r.Action == "backup" && (r.Unit == d.job.Unit || r.Job == d.job.Name) {
			d.run = r
		}
	}
	d.judgeSets(sh)
	d.judgeRun(sh)
	d.judgeTimer(sh)
	d.mark = markOK
	if !d.known {
		d.mark = markUnknown
	}
	for _, p := range d.problems {
		if p.mark.rank > d.mark.rank {
			d.mark = p.mark
		}
	}
	return d
}

func (d *database) add(m mark, remedy, format string, args ...any) {
	d.problems = append(d.problems, problem{m, fmt.Sprintf(format, args...), remedy})
}

func (d *database) judgeSets(sh *shared) {
	switch {
	case !d.known:
		return
	case d.newest == nil:
		remedy := "configure a job for it"
		if d.hasJob {
			remedy = "b backs it up now"
		}
		d.add(markFail, remedy, "no good backup exists")
		return
	}
	if late := sh.now.Sub(d.newest.FinishedAt); d.hasJob && d.job.RPO > 0 && late > d.job.RPO {
		d.add(markLate, "b backs it up now; 5 shows why it did not run", "newest backup is %s old, objective %s", span(late), span(d.job.RPO))
	}
	if p := d.newest.LastFailure(); p != nil {
		d.add(markFail, "b makes a new one; restore an older set meanwhile", "newest backup failed its %s: %s", orUnknown(p.Kind), clean(p.Error))
	}
	if d.newest.FinishedAt.After(sh.now.Add(5 * time.Minute)) {
		d.add(markWarn, "check the clocks of both hosts", "newest backup lies in the future")
	}
	if m := d.newest.Manifest; m != nil && len(m.Warnings) > 0 {
		d.add(markWarn, "enter shows it", "%s", clean(m.Warnings[0]))
	}
}

func (d *database) judgeRun(sh *shared) {
	if d.run == nil {
		return
	}
	newer := d.newest != nil && d.newest.FinishedAt.After(d.run.EndedAt)
	switch d.run.State {
	case RunFailed, RunLost, RunSkipped, RunUnknown:
		if !newer {
			m := markWarn
			if d.run.State == RunSkipped {
				m = markFail // systemd calls it success, and nothing was backed up
			}
			remedy := first(clean(d.run.Remedy), "3 shows the run, 5 its journal")
			what := "last backup " + string(d.run.State)
			if d.run.State == RunUnknown {
				what = "how the last backup ended is unknown"
			}
			d.add(m, remedy, "%s%s", what, because(d.run.Detail))
		}
	case RunQueued, RunPreflight, RunRunning, RunFinishing, RunOK, RunWarn, RunCancelled:
	}
}

func because(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + clean(detail)
}

func (d *database) judgeTimer(sh *shared) {
	if !d.hasJob || !sh.timers.have {
		return
	}
	switch {
	case d.timer == nil:
		d.add(markWarn, "pgbtui units install", "no timer starts its backup")
	case !d.timer.Active || strings.HasPrefix(d.timer.Enabled, "masked"):
		d.add(markWarn, "systemctl enable --now "+clean(d.timer.Unit), "its timer is %s", timerWord(*d.timer))
	case d.timer.Problem != "":
		d.add(markWarn, "4 shows the timer", "timer: %s", clean(d.timer.Problem))
	}
}

// timerWord is the state of a timer that does not simply run.
func timerWord(t Timer) string {
	if t.Enabled != "" && t.Enabled != "enabled" && t.Enabled != "static" {
		return clean(t.Enabled)
	}
	if !t.Active {
		return "stopped"
	}
	return "on"
}

// proofText is the level of proof and its age.
func proofText(sh *shared, s *backup.Set) string {
	if s == nil {
		return "?"
	}
	level, at := s.Proven()
	if level == backup.LevelNone {
		return "none"
	}
	return level.String() + " " + age(sh.now, at)
}

// lastDays is one mark per day, oldest first, ending today: was there a good set, a failed proof,
// an incomplete run, or nothing.
func lastDays(sh *shared, name string, days int) string {
	var b strings.Builder
	today := sh.now.In(sh.Zone)
	for i := days - 1; i >= 0; i-- {
		m := mark{"·", "", 0, toneFaint}
		y, mo, dd := today.AddDate(0, 0, -i).Date()
		for j := range sh.sets.value {
			s := &sh.sets.value[j]
			sy, smo, sd := s.FinishedAt.In(sh.Zone).Date()
			if s.Database != name || !sh.ours(s) || sy != y || smo != mo || sd != dd {
				continue
			}
			if n := setMark(s); m.glyph == "·" || n.rank < m.rank {
				m = n
			}
		}
		b.WriteString(sh.style(m.tone).Render(m.glyph))
	}
	return b.String()
}

// setMark is a set's state.
func setMark(s *backup.Set) mark {
	switch {
	case s.Kind == backup.KindIncomplete:
		return mark{"–", "PART", 1, toneFaint}
	case !s.Good():
		return markFail
	case s.LastFailure() != nil:
		return markFail
	case s.Manifest != nil && len(s.Manifest.Warnings) > 0:
		return markWarn
	case s.Kind == backup.KindLegacy:
		return mark{"?", "OLD", 2, tonePlain}
	}
	return markOK
}
