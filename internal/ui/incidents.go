// The open incidents of the hourly watch, beside the problems that the console finds itself.
//
// Rule: nothing is shown twice, and what the console finds to be well is not shown as wrong because the watch has not
// checked again yet. What only the watch can check is shown as its alert said it.

package ui

import (
	"cmp"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// hostProblem is one that belongs to no database, with whose it is.
type hostProblem struct {
	subject string
	problem
}

// toldOf are the open incidents of a database that the console does not see itself.
func (sh *shared) toldOf(d *database) (found []problem) {
	if !d.hasJob {
		return nil
	}
	for _, i := range sh.told.value {
		mine := i.Subject == cmp.Or(d.job.Subject, d.job.Name) || i.Subject == d.job.Unit ||
			d.timer != nil && i.Subject == d.timer.Unit
		seen := slices.ContainsFunc(d.problems, func(p problem) bool { return p.kind == i.Kind })
		if mine && !seen && !sh.runMended(i) && !sh.mended(i, d) {
			found = append(found, sh.toldProblem(i))
		}
	}
	return found
}

// mended reports whether the console looks at the same thing as the watch, and finds it well.
func (sh *shared) mended(i Incident, d *database) bool {
	sets, timers := sh.sets.have && sh.sets.err == nil, sh.timers.have && sh.timers.err == nil
	switch i.Kind {
	case kindUncovered:
		return sh.cover.have
	case "backup", "integrity", "proof", "rto", "warnings", "trust", "loss", "clock", "gone":
		return sets
	case "run":
		return d != nil && d.newest != nil && d.newest.FinishedAt.After(i.OpenedAt)
	case "timer", "missed", "systemd":
		return timers
	case "bucket":
		return sets
	}
	return false // a rollback by what this host remembers, a channel, a unit's file
}

func (sh *shared) toldProblem(i Incident) problem {
	m := markWarn
	if i.Critical {
		m = markFail
	}
	what := clean(i.What)
	switch {
	case i.Undelivered:
		what += " (alert undelivered since " + since(sh, i.OpenedAt) + ")"
	case !i.OpenedAt.IsZero():
		what += " (alert sent " + ago(sh.now, i.OpenedAt) + ")"
	}
	remedy := cmp.Or(clean(i.Remedy), "w of the watch in 4 shows its journal")
	if i.Kind == string(backup.ProblemRollback) {
		remedy = (&database{}).remedy(backup.Problem{Kind: backup.ProblemRollback})
	}
	return problem{kind: i.Kind, mark: m, what: what, remedy: remedy}
}

// hostProblems are what is wrong besides the databases: timers that prove and clear up, the watch
// itself, and what it told of this host.
func hostProblems(sh *shared) (all []hostProblem) {
	jobs := map[string]bool{}
	for _, d := range assess(sh) {
		if d.hasJob {
			jobs[d.job.Name], jobs[d.job.Unit] = true, true
			jobs[d.job.Subject] = true
		}
		if d.timer != nil {
			jobs[d.timer.Unit] = true
		}
	}
	for _, t := range sh.timers.value {
		if p, bad := timerProblem(t); bad {
			all = append(all, hostProblem{timerTitle(t), p})
		}
		jobs[t.Unit] = jobs[t.Unit] || t.State == TimerOn
	}
	for _, r := range sh.runs.value {
		if p, bad := runProblem(sh.explained(r)); bad {
			all = append(all, hostProblem{sh.runTitle(r), p})
			jobs[r.Unit] = true
		}
	}
	all = append(all, sh.uncoveredProblems()...)
	for _, i := range sh.told.value {
		if !jobs[i.Subject] && !sh.runMended(i) && !sh.mended(i, nil) {
			all = append(all, hostProblem{cmp.Or(clean(i.Subject), "this host"), sh.toldProblem(i)})
		}
	}
	return all
}

// explained is the run with its own last error and remedy, where the alert about this very run has told
// them. systemd alone knows no more than the exit code.
func (sh *shared) explained(r UnitRun) UnitRun {
	for _, i := range sh.told.value {
		if i.Kind == "run" && i.Invocation != "" && i.Invocation == r.Invocation {
			reason := strings.TrimPrefix(i.What, r.Action+" failed: ") // the screens say that themselves
			r.Detail = strings.TrimPrefix(reason, r.Action+": ")
			r.Remedy = cmp.Or(i.Remedy, r.Remedy)
		}
	}
	return r
}

// runMended reports whether a unit is known to have run well since it was told.
func (sh *shared) runMended(i Incident) bool {
	r, ok := sh.runOf(i.Subject)
	return i.Kind == "run" && ok && (r.State == RunOK || r.State == RunWarn) && r.EndedAt.After(i.OpenedAt)
}

// timerProblem is about a timer that is no backup's: those stand with their database. One that is off
// is somebody's choice, unless the configuration counts on it; without the watch nobody is told of anything.
func timerProblem(t Timer) (problem, bool) {
	switch {
	case t.Action == "backup" || t.State == TimerOn && t.Problem == "":
		return problem{}, false
	case t.Action == "watch":
		return problem{
			kind: "timer", mark: markWarn,
			what:   "no alert is sent when a backup is late: it is " + cmp.Or(clean(t.Problem), string(t.State)),
			remedy: clean(t.Remedy),
		}, true
	case (t.State == TimerOff || t.State == TimerMissing) && !t.Wanted:
		return problem{}, false
	}
	return problem{
		kind: "timer", mark: markWarn, what: "it is " + cmp.Or(clean(t.Problem), string(t.State)), remedy: clean(t.Remedy),
	}, true
}

// runProblem is about a run that a timer repeats and that is no backup's. One that a person started
// for a set or a restore told that person.
func runProblem(r UnitRun) (problem, bool) {
	if r.Action == "backup" || r.Action == "restore" || r.Job == "" && r.Action != "watch" {
		return problem{}, false
	}
	switch r.State {
	case RunFailed, RunLost, RunSkipped:
		return problem{
			kind: "run", mark: markWarn, what: "the last run " + string(r.State) + because(r.Detail),
			remedy: cmp.Or(clean(r.Remedy), "3 shows the run, 5 its journal"),
		}, true
	case RunQueued, RunPreflight, RunRunning, RunFinishing, RunOK, RunWarn, RunCancelled, RunUnknown:
	}
	return problem{}, false
}

// worst is the worst of all databases and of this host, and whose that is; known is false while a
// feed has not answered yet: what is not read is not well.
func worst(sh *shared, all []database) (m mark, names []string, known bool) {
	m = markOK
	take := func(is mark, name string) {
		if is.rank > m.rank {
			m, names = is, nil
		}
		if is == m {
			names = append(names, clean(name))
		}
	}
	for _, d := range all {
		take(d.mark, d.title)
	}
	for _, p := range hostProblems(sh) {
		if p.mark.rank > m.rank {
			m, names = p.mark, []string{"this host"}
		}
	}
	return m, names, !sh.sets.unread() && !sh.stillReads()
}
