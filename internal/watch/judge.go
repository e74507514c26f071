// What is wrong with one job: its sets, and the timer and service that should make new ones.

package watch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Job is all that a snapshot has of one job.
type Job struct {
	Name      string
	Title     string // with the database, of a job of several
	Database  string
	Found     dump.FoundDatabase // what this host's runs know of a database of several
	Whose     backup.Whose
	Objective Objective

	Sets    []backup.Set // of the database, of all jobs, newest first
	SetsErr error        // the bucket could not be read: Sets says nothing
	Copies  []*backup.AtCopy
	Lost    string // what the bucket lacks that this host committed last; "" when nothing

	Host *JobUnits // nil: its units are not checked here
}

// JobUnits is what systemd says of a job's timer and service.
type JobUnits struct {
	Timer   systemd.Timer
	Service systemd.UnitState
	Ours    bool // the service's file was written by pgbtui
	History RunHistory
	Behind  string    // how its times differ from the configuration's; "" when they do not
	Missing []Finding // the other timers that the job counts on and that are off
	Due     time.Time // when the timer should have fired after Last, by its calendar; zero: not known
}

// RunHistory is what the journal has of a unit's earlier runs. systemd itself forgets a run that succeeded or was
// skipped as soon as nothing needs the unit. Zero: none is known.
type RunHistory struct {
	LastGood    time.Time // by the unit's own entry
	LastSkipped time.Time // by systemd's
}

// Run is one failed run of a unit.
type Run struct {
	Unit       string    `json:"unit"`
	Invocation string    `json:"invocation,omitempty"`
	EndedAt    time.Time `json:"endedAt"`
}

// Judge says what is wrong with a job now. failed is the open incident of its last failed run, as an
// alert may have opened it, or nil.
func (j Job) Judge(failed *Finding, now time.Time) []Finding {
	health := backup.Health{}
	var found []Finding
	if j.SetsErr == nil {
		health = j.Health(now)
		for _, p := range health.Problems {
			found = append(found, Finding{
				Subject: j.subject(), Kind: Kind(p.Kind), Severity: severityOf(p.Critical), What: p.What, Remedy: p.Remedy,
				Notice: Kind(p.Kind) == KindGone,
			})
		}
		if j.Lost != "" {
			found = append(found, Finding{Subject: j.subject(), Kind: KindRollback, Severity: Critical, What: j.Lost})
		}
		found = append(found, j.judgeCopies(now)...)
	}
	found = append(merged(found), j.judgeNew(now)...)
	if j.Host == nil || !j.Found.GoneSince.IsZero() {
		return found
	}
	found = append(found, j.judgeTimer(now)...)
	found = append(found, j.judgeService()...)
	found = append(found, j.Host.Missing...)
	if j.Host.Behind != "" {
		found = append(found, Finding{
			Subject: j.Host.Timer.Name, Kind: KindSchedule, Severity: Warning, What: j.Host.Behind, Cause: j.Host.Behind,
			Remedy: "Run `sudo pgbtui jobs sync`, which shows what differs before it changes anything.",
		})
	}
	toldBySet := slices.ContainsFunc(found, func(f Finding) bool { return f.Kind == KindWarnings })
	if systemd.Current(j.Host.Service).State == systemd.RunWarn && !toldBySet {
		found = append(found, Finding{
			Subject: j.subject(), Kind: KindWarnings, Severity: Warning,
			What: "the last run ended with warnings", Remedy: readJournal(j.Host.Service.Name),
		})
	}
	var made time.Time
	if health.Newest != nil {
		made = health.Newest.FinishedAt
	}
	return append(found, judgeRun(j.Host.Service, j.Host.History, failed, made)...)
}

// judgeCopies tells of copies that are late, damaged or out of reach. The backups themselves are well.
func (j Job) judgeCopies(now time.Time) []Finding {
	var problems []string
	own := j.Whose.Own(j.Sets)
	for _, c := range j.Copies {
		problems = append(problems, c.Problems(j.Whose, own, now)...)
	}
	if len(problems) == 0 {
		return nil
	}
	return []Finding{{
		Subject: j.subject(), Kind: KindCopy, Severity: Warning, What: strings.Join(problems, "; "),
		Remedy: "Look with `sudo pgbtui copy --dry-run --job " + printable.ShellWord(j.Name) +
			"` and at the copy unit's journal; docs/copies.md has the ways on.",
	}}
}

// subject is what its findings are about.
func (j Job) subject() string { return cmp.Or(j.Title, j.Name) }

// newFor is how long a database counts as new: longer than a watch is off over a weekend.
const newFor = 7 * 24 * time.Hour

// judgeNew tells of a database that the runs before its first had not found.
func (j Job) judgeNew(now time.Time) []Finding {
	if age := now.Sub(j.Found.Since); !j.Found.New || !j.Found.GoneSince.IsZero() || age > newFor {
		return nil
	}
	return []Finding{{
		Subject: j.subject(), Kind: KindNew, Severity: Warning, Notice: true,
		What: fmt.Sprintf("%s %q is new on the server since %s, and job %q backs it up from now on",
			j.partKind(), j.Found.Name, j.Found.Since.UTC().Format("2006-01-02 15:04 UTC"), j.Name),
		Remedy: "Nothing needs to be done; if it should not be backed up, add its name to the job's " + j.excludeKey() + ".",
	}}
}

// partKind is what a divided job is divided into, excludeKey where such a thing is taken out of it.
func (j Job) partKind() string {
	if j.Whose.Schema != "" {
		return "schema"
	}
	return "database"
}

func (j Job) excludeKey() string {
	if j.Whose.Schema != "" {
		return "exclude_schemas"
	}
	return "exclude"
}

// Health is what the job's sets say.
func (j Job) Health(now time.Time) backup.Health {
	return backup.Assess(j.Sets, j.Whose, j.Objective.Objectives, now)
}

// merged makes one finding of those of a kind that can be several, such as forged sets. Together they are one
// incident, and people are notified again when it gets others.
func merged(found []Finding) []Finding {
	var all []Finding
	for _, f := range found {
		if f.Kind == KindTrust || f.Kind == KindRollback || f.Kind == KindLoss {
			f.Cause = f.What
		}
		k := slices.IndexFunc(all, func(o Finding) bool { return o.key() == f.key() })
		if k < 0 {
			all = append(all, f)
			continue
		}
		all[k].What += "; " + f.What
		all[k].Cause = all[k].What
	}
	return all
}

func severityOf(critical bool) Severity {
	if critical {
		return Critical
	}
	return Warning
}

func (j Job) finding(kind Kind, remedy, format string, args ...any) []Finding {
	return []Finding{{
		Subject: j.Name, Kind: kind, Severity: Critical, What: fmt.Sprintf(format, args...), Remedy: remedy,
	}}
}

// missSlack is how long after its latest time a timer that did not fire counts as missed.
const missSlack = 15 * time.Minute

func (j Job) judgeTimer(now time.Time) []Finding {
	t := j.Host.Timer
	if what, remedy := TimerTrouble(t); what != "" {
		return j.finding(KindTimer, remedy, "no backup will be started: %s is %s", t.Name, what)
	}
	var found []Finding
	if fired := newer(t.Last, t.Stamp); fired.After(now.Add(backup.ClockSlack)) {
		// systemd goes by neither, warns, and fires at the next time of the calendar (systemd.timer(5), Persistent=).
		found = j.finding(KindClock,
			"Correct the clock, then run `sudo touch "+systemd.StampFile(t.Name)+"` and restart the timer.",
			"%s says that it last fired in the future, at %s: runs that it misses before it fires again are not made up for",
			t.Name, fired.UTC().Format(time.DateTime))
	}
	if j.Host.missed(now) {
		found = append(found, j.finding(KindMissed, "Find out why by `systemctl status "+t.Name+"`.",
			"a run was missed: %s should have fired at %s, and last fired at %s",
			t.Name, j.Host.Due.UTC().Format(time.DateTime), t.Last.UTC().Format(time.DateTime))...)
	}
	return found
}

func newer(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// missed reports whether the timer should have fired by now, and started nothing.
func (u *JobUnits) missed(now time.Time) bool {
	latest := u.Due.Add(late(u.Timer) + missSlack)
	return !u.Due.IsZero() && now.After(latest) && !u.Service.Running() && u.Service.JobID == 0
}

// TimerTrouble is why a timer will not fire, in a word or two, and the remedy; "" when it will.
func TimerTrouble(t systemd.Timer) (what, remedy string) {
	switch t.State {
	case systemd.TimerOn:
		return "", ""
	case systemd.TimerOff:
		return "off", "Run `sudo systemctl enable --now " + t.Name + "`."
	case systemd.TimerStopped:
		return "stopped until the next boot", "Run `sudo systemctl start " + t.Name + "`."
	case systemd.TimerUnsaved:
		return "not enabled, and gone after the next boot", "Run `sudo systemctl enable " + t.Name + "`."
	case systemd.TimerMasked:
		return "masked", "Run `sudo systemctl unmask " + t.Name + "`, then `sudo systemctl enable --now " + t.Name + "`."
	case systemd.TimerMissing:
		return "not installed", "Run `sudo pgbtui units install` with --enable and the job."
	case systemd.TimerFailed, systemd.TimerBroken:
	}
	return string(t.State), "Find out why by `systemctl status " + t.Name + "`."
}

func (j Job) judgeService() []Finding {
	switch s := j.Host.Service; {
	case s.LoadState == "masked":
		return j.finding(KindUnit, "Run `sudo systemctl unmask "+s.Name+"`.", "no backup can be started: %s is masked",
			s.Name)
	case s.LoadState != "loaded":
		return j.finding(KindUnit, "Run `sudo pgbtui units install`.",
			"no backup can be started: the unit file of %s is %s", s.Name, s.LoadState)
	case !j.Host.Ours:
		return j.finding(KindUnit, "Read that file: `systemctl cat "+s.Name+"`.",
			"%s is overridden by %s, which pgbtui did not write", s.Name, s.FragmentPath)
	}
	return nil
}

// judgeRun says whether the last run of a unit failed or was skipped, and none succeeded since: made is when the newest
// good set was. A unit that systemd has forgotten says nothing about that.
func judgeRun(u systemd.UnitState, history RunHistory, failed *Finding, made time.Time) []Finding {
	end := systemd.Current(u)
	if end.State == systemd.RunOK || end.State == systemd.RunWarn {
		return nil // whatever was before, this one is newer
	}
	good := history.LastGood
	if made.After(good) {
		good = made
	}
	f, bad := badEnd(u, end)
	if !bad && history.LastSkipped.After(good) {
		f = skipped(u.Name, history.LastSkipped)
		bad = true
	}
	switch {
	case failed == nil && !bad:
		return nil
	case failed != nil && (!bad || failed.Run != nil && failed.Run.Invocation != "" &&
		failed.Run.Invocation == f.Run.Invocation):
		f = *failed // the alert knows the reason better
	}
	if f.Run != nil && good.After(f.Run.EndedAt) {
		return nil
	}
	return []Finding{f}
}

// badEnd is a run that systemd still knows to have ended badly.
func badEnd(u systemd.UnitState, end systemd.Outcome) (f Finding, bad bool) {
	run := &Run{Unit: u.Name, Invocation: u.InvocationID, EndedAt: u.Service.ExitedAt}
	if run.EndedAt.IsZero() {
		run.EndedAt = u.StateChangeAt
	}
	f = Finding{
		Subject: u.Name, Kind: KindRun, Severity: Critical, Run: run,
		Cause:  Cause(u.Service.Result, exitStatus(u.Service)),
		Remedy: readJournal(u.Name),
	}
	switch end.State {
	case systemd.RunFailed:
		f.What = "the last run of " + u.Name + " failed: " + end.Reason
	case systemd.RunCancelled:
		f.What = "the last run of " + u.Name + " was stopped before it finished"
		f.Severity = Warning
	case systemd.RunSkipped:
		return skipped(u.Name, u.ConditionAt), true
	case systemd.RunOK, systemd.RunWarn, systemd.RunQueued, systemd.RunRunning, systemd.RunFinishing, systemd.RunRetrying,
		systemd.RunLost, systemd.RunNone:
		return f, false
	}
	return f, true
}

func skipped(unit string, at time.Time) Finding {
	return Finding{
		Subject: unit, Kind: KindRun, Severity: Critical, Cause: "skipped", Run: &Run{Unit: unit, EndedAt: at},
		What:   "systemd skipped the last run of " + unit + ", and nothing was done: a condition of the unit was not met",
		Remedy: "Find the condition in `systemctl cat " + unit + "`.",
	}
}

func readJournal(unit string) string { return "Read its journal: `journalctl -u " + unit + "`." }

// Cause is how a run ended. If a later run ends for another cause, people are notified again. status is the exit
// status of a process that ended by itself, else "".
func Cause(result, status string) string { return strings.TrimSuffix(result+"/"+status, "/") }

func exitStatus(s systemd.ServiceState) string {
	if s.ExitCode != exited {
		return ""
	}
	return strconv.Itoa(int(s.ExitStatus))
}

// exited is CLD_EXITED of waitid(2).
const exited = 1

func sorted(times map[time.Time]bool) []time.Time {
	return slices.SortedFunc(maps.Keys(times), time.Time.Compare)
}
