// What is known about each database: can it be recovered, to when, how is that known, what is
// wrong and what to do. One pure function over the feeds; overview and header both show it. What
// the sets say, package backup judges, for `pgbtui status` and the watch too.
//
// Rule: no false green. What was not read is unknown, and unknown is never OK.

package ui

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// database is one database of this instance, by the sets of one job.
type database struct {
	name     string
	title    string // with the job's name, where several have one of that name
	job      Job    // zero when not configured
	hasJob   bool   // configured here
	sets     []backup.Set
	mark     mark
	newest   *backup.Set // newest good native set; newest of the old script where there is none
	known    bool        // the bucket was read
	timer    *Timer
	run      *UnitRun // last or live backup run
	problems []problem
}

// problem is one thing that is wrong, and its remedy.
type problem struct {
	kind         string // as package watch calls it: which of the open incidents it is
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

// judgement is what assess came to, and of what: the feeds by the number of their reading, and the
// minute, since a frame asks several times and a bucket may hold ten thousand sets.
type judgement struct {
	of     [6]int
	minute time.Time
	all    []database
}

// assess judges every configured database, and those of this instance that only have sets.
func assess(sh *shared) []database {
	of := [6]int{
		sh.goals.reading, sh.sets.reading, sh.runs.reading, sh.timers.reading, sh.told.reading, sh.cover.reading,
	}
	minute := sh.now.Truncate(time.Minute)
	if sh.judged.all == nil || sh.judged.of != of || !sh.judged.minute.Equal(minute) {
		sh.judged = judgement{of: of, minute: minute, all: judgeAll(sh)}
	}
	return sh.judged.all
}

func judgeAll(sh *shared) []database {
	all := []database{}
	for _, j := range sh.Jobs {
		j.Objective = sh.goalsOf(j)
		all = append(all,
			judge(sh, database{name: j.Database, title: sh.jobTitle(j), job: j, hasJob: true}, sh.setsBeside(j)))
	}
	rest := map[string][]backup.Set{}
	for i := range sh.sets.value { // newest first
		s := &sh.sets.value[i]
		if sh.ours(s) && !slices.ContainsFunc(sh.Jobs, func(j Job) bool { return sh.inFolder(j, s) }) {
			rest[s.Database] = append(rest[s.Database], *s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if slices.ContainsFunc(rest[name], func(s backup.Set) bool { return s.Kind == backup.KindNative }) {
			all = append(all, judge(sh, database{name: name, title: name}, rest[name]))
		}
	}
	return append(all, sh.uncoveredRows(all)...)
}

// judge takes all sets of this database; the job's own are those that count.
func judge(sh *shared, d database, all []backup.Set) database {
	d.known, d.sets = sh.sets.have, all
	if d.hasJob {
		d.sets = d.job.Whose.Of(all)
	}
	for i := range sh.timers.value {
		if t := &sh.timers.value[i]; t.Action == "backup" && d.timed(t) {
			d.timer = t
		}
	}
	for i := range sh.runs.value {
		if r := &sh.runs.value[i]; d.hasJob && r.Action == "backup" && (r.Unit == d.job.Unit || r.Job == d.job.Name) {
			run := sh.explained(*r)
			d.run = &run
		}
	}
	if d.known {
		d.judgeSets(sh, all)
	}
	d.judgeRun()
	d.judgeTimer(sh)
	d.problems = append(d.problems, sh.toldOf(&d)...)
	d.mark = markOK
	if !d.known || d.hasJob && sh.stillReads() {
		d.mark = markUnknown
	}
	for _, p := range d.problems {
		if p.mark.rank > d.mark.rank {
			d.mark = p.mark
		}
	}
	return d
}

// goalsOf is what a job promises, as far as that was read.
func (sh *shared) goalsOf(j Job) Objective {
	if sh.Sources.Objectives == nil {
		return j.Objective
	}
	return sh.goals.value[j.Name]
}

// stillReads reports whether something that a job is judged by was not read yet: what it promises, its timer, its
// last run.
func (sh *shared) stillReads() bool {
	return sh.Sources.Objectives != nil && sh.goals.unread() || sh.timers.unread() || sh.runs.unread()
}

// timed reports whether a timer starts backups of this one: by the job, where it names one.
func (d *database) timed(t *Timer) bool {
	if d.hasJob && t.Job != "" {
		return t.Job == d.job.Name
	}
	return t.Database == d.name
}

func (d *database) add(kind string, m mark, remedy, format string, args ...any) {
	d.problems = append(d.problems, problem{kind: kind, mark: m, what: fmt.Sprintf(format, args...), remedy: remedy})
}

// judgeSets shows what package backup says of the sets, with the console's keys for remedies.
func (d *database) judgeSets(sh *shared, all []backup.Set) {
	objectives := d.job.Objective.Objectives
	if objectives.RPO == 0 {
		objectives.RPO = math.MaxInt64
	}
	objectives.GoneSince = d.job.GoneSince
	health := backup.Assess(all, d.job.Whose, objectives, sh.now)
	if d.newest = health.Newest; d.newest == nil {
		for i := range d.sets {
			if d.sets[i].Good() {
				d.newest = &d.sets[i]
				break
			}
		}
	}
	for _, p := range health.Problems {
		m, what := markWarn, clean(p.What)
		switch {
		case p.Kind == backup.ProblemBackup && health.Newest != nil:
			m, what = markLate, fmt.Sprintf("newest good backup is %s old, objective %s %s", readable.Age(health.Age),
				readable.Age(objectives.RPO), d.job.RPOFrom)
		case p.Critical:
			m = markFail
		}
		d.add(string(p.Kind), m, d.remedy(p), "%s", what)
	}
}

// remedy is what to press, where a key does it.
func (d *database) remedy(p backup.Problem) string {
	back := "configure a job for it"
	if d.hasJob {
		back = "b backs it up now"
	}
	switch p.Kind {
	case backup.ProblemBackup:
		if d.newest != nil {
			back += "; 5 shows why it did not run"
		}
		return back
	case backup.ProblemIntegrity:
		return "b makes a new one; restore an older set meanwhile"
	case backup.ProblemDrill:
		return "correct what is named in the source, b backs it up, d drills it"
	case backup.ProblemWarnings:
		return "enter shows it"
	case backup.ProblemProof:
		if d.job.ProofLevel == backup.LevelRestored {
			return "d drills the newest now; 4 shows the timer that should"
		}
		return "v verifies the newest now; 4 shows the timer that should"
	case backup.ProblemRTO:
		if !p.Critical { // nobody knows how long it takes
			return "d drills the newest, and measures it"
		}
	case backup.ProblemTrust:
		return "2 shows it; it counts for nothing and is never restored"
	case backup.ProblemRollback:
		return "restore nothing until you know; look into the versions and the log of the bucket"
	case backup.ProblemLoss:
		return "2 shows it; put back what is gone, or A there acknowledges what cannot be"
	case backup.ProblemClock, backup.ProblemGone:
	}
	return clean(p.Remedy)
}

func (d *database) judgeRun() {
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
			remedy := cmp.Or(clean(d.run.Remedy), "3 shows the run, 5 its journal")
			what := "last backup " + string(d.run.State)
			if d.run.State == RunUnknown {
				what = "how the last backup ended is unknown"
			}
			d.add("run", m, remedy, "%s%s", what, because(d.run.Detail))
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
		d.add("timer", markWarn, "sudo pgbtui units install", "no timer starts its backup")
	case d.timer.State == TimerMissed:
		d.add("missed", markLate, clean(d.timer.Remedy), "its timer %s", clean(d.timer.Problem))
	case d.timer.State != TimerOn:
		d.add("timer", markWarn, clean(d.timer.Remedy), "its timer is %s",
			cmp.Or(clean(d.timer.Problem), string(d.timer.State)))
	case d.timer.Problem != "":
		d.add("timer", markWarn, clean(d.timer.Remedy), "timer: %s", clean(d.timer.Problem))
	}
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
