// The snapshot that is judged: each job's sets in the bucket, its timer and service, and the timers of its
// verifications, drills and prunes.

package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Host is what a snapshot needs of systemd.
type Host interface {
	Timer(ctx context.Context, name string) (systemd.Timer, error)
	Unit(ctx context.Context, name string) (systemd.UnitState, error)
	OtherTimers(ctx context.Context) ([]systemd.Timer, error)
}

// Prober takes snapshots.
type Prober struct {
	// StateDirs are where this host may remember what it committed last.
	StateDirs []string
	Sets      func(context.Context, config.Job) ([]backup.Set, error) // of its database, of all jobs, newest first
	// Copies are what the copies of a job have of its database; nil: they are not asked.
	Copies  func(context.Context, config.Job) []*backup.AtCopy
	History func(ctx context.Context, unit string) RunHistory // by the journal; nil: not known
	// Clusters is what is written down of the clusters of this host; nil: it is not asked.
	Clusters func() ([]record.Cluster, error)
	Now      time.Time // which the looks at clusters are compared with
	Host     Host      // nil: not asked, or HostErr says why not
	// HostErr is why systemd cannot be asked; nil with a nil Host where this host's units do not matter.
	HostErr error
}

// Snapshot is the state of all jobs at one time.
type Snapshot struct {
	Jobs    []Job
	Places  map[string]error // each place in a bucket that was read, and how that went
	Others  []Other
	HostErr error

	Coverage []Coverage // of each server
	Clusters Clusters
}

// Other is a timer that does something else than backups for a job, with its service.
type Other struct {
	Timer   systemd.Timer
	Service systemd.UnitState
	History RunHistory
}

// Probe takes a snapshot of the jobs of a configuration. What cannot be read is an error in the snapshot.
func (p Prober) Probe(ctx context.Context, c *config.Config, jobs []config.Job) Snapshot {
	s := Snapshot{Places: map[string]error{}, HostErr: p.HostErr, Coverage: p.coverage(c)}
	if p.Host != nil {
		s.Others, s.HostErr = p.others(ctx)
	}
	var err error
	if s.Clusters, err = p.clusters(ctx, c); s.HostErr == nil {
		s.HostErr = err
	}
	for _, job := range jobs {
		one := Job{
			Name: job.Name, Title: job.Title(), Database: job.Database, Whose: backup.WhoseOf(job), Found: p.found(job),
		}
		schedule := Schedule{
			Drilled:  s.switchedOn("postgres-backup-drill", c, job),
			Verified: s.switchedOn("postgres-backup-verify", c, job),
		}
		if p.Host != nil && s.HostErr == nil {
			if one.Host, s.HostErr = p.jobUnits(ctx, c, job); s.HostErr == nil {
				schedule.Timer = &one.Host.Timer
				one.Host.Missing = Missing(c, job, one.Host.Timer, s.otherTimers())
			}
		}
		one.Objective = objectiveOf(ctx, job, schedule)
		one.Objective.GoneSince = one.Found.GoneSince
		one.Sets, one.SetsErr = p.Sets(ctx, job)
		if p.Copies != nil && one.SetsErr == nil {
			one.Copies = p.Copies(ctx, job)
		}
		for _, dir := range p.StateDirs {
			if one.SetsErr == nil && one.Lost == "" {
				one.Lost = dump.Lost(dir, job, one.Sets)
			}
		}
		if place := placeOf(job); s.Places[place] == nil {
			s.Places[place] = one.SetsErr
		}
		s.Jobs = append(s.Jobs, one)
	}
	return s
}

// found is what this host's runs know of a job's database.
func (p Prober) found(job config.Job) dump.FoundDatabase {
	for _, dir := range p.StateDirs {
		if found, err := dump.ReadFound(dir, job); job.Divided() && err == nil && found != nil {
			return found.Of(job.PartName())
		}
	}
	return dump.FoundDatabase{}
}

func placeOf(job config.Job) string { return "s3://" + job.S3.Bucket + "/" + job.S3.Prefix }

func (p Prober) others(ctx context.Context) ([]Other, error) {
	timers, err := p.Host.OtherTimers(ctx)
	if err != nil {
		return nil, err
	}
	var all []Other
	for _, t := range timers {
		if t.Unit == "" {
			continue // a timer whose file is gone starts nothing
		}
		service, err := p.Host.Unit(ctx, t.Unit)
		if err != nil {
			return nil, err
		}
		all = append(all, Other{Timer: t, Service: service, History: p.history(ctx, t.Unit)})
	}
	return all, nil
}

func (s Snapshot) otherTimers() (timers []systemd.Timer) {
	for _, o := range s.Others {
		timers = append(timers, o.Timer)
	}
	return timers
}

// switchedOn reports whether the timer called base, or base@JOB, is enabled for a job.
func (s Snapshot) switchedOn(base string, c *config.Config, job config.Job) bool {
	for _, o := range s.Others {
		if isOf(o.Timer.Name, base, c, job) && strings.HasPrefix(o.Timer.UnitFileState, "enabled") {
			return true
		}
	}
	return false
}

// jobUnits reads the timer that backs a job up: of the ways to name it, the one that is on.
func (p Prober) jobUnits(ctx context.Context, c *config.Config, job config.Job) (*JobUnits, error) {
	names := []string{c.UnitName(job)}
	if len(c.Jobs) == 1 {
		names = append(names, "", job.Name)
	}
	var chosen systemd.Timer
	for i, name := range names {
		t, err := p.Host.Timer(ctx, systemd.BackupTimer(name))
		if err != nil {
			return nil, err
		}
		if i == 0 || t.State == systemd.TimerOn && chosen.State != systemd.TimerOn {
			chosen = t
		}
	}
	service, err := p.Host.Unit(ctx, strings.TrimSuffix(chosen.Name, ".timer")+".service")
	if err != nil {
		return nil, err
	}
	return &JobUnits{
		Behind:  behind(ctx, job, chosen),
		Timer:   chosen,
		Service: service,
		Ours:    systemd.WroteFile(service.FragmentPath),
		History: p.history(ctx, service.Name),
		Due:     due(ctx, chosen),
	}, nil
}

func (p Prober) history(ctx context.Context, unit string) RunHistory {
	if p.History == nil {
		return RunHistory{}
	}
	return p.History(ctx, unit)
}

// behind says that a timer which is on does not fire when the configuration says; "" when it does, or nothing is said.
func behind(ctx context.Context, job config.Job, t systemd.Timer) string {
	wanted := job.Timetable.Backup.Calendar
	if len(wanted) == 0 || t.State != systemd.TimerOn {
		return ""
	}
	if same, err := systemd.SameCalendars(ctx, t.Calendar, wanted); err != nil || same {
		return "" // an expression that is wrong is told by `config check`
	}
	return fmt.Sprintf("%s fires at %s, and the configuration says %s", t.Name, strings.Join(t.Calendar, ", "),
		strings.Join(wanted, ", "))
}

// due is when a timer should have fired next after it last did, by its calendar; zero when that is not known.
func due(ctx context.Context, t systemd.Timer) time.Time {
	var first time.Time
	if t.Last.IsZero() {
		return first
	}
	for _, expression := range t.Calendar {
		at, err := systemd.CalendarAfter(ctx, expression, t.Last)
		if err != nil {
			return time.Time{}
		}
		if first.IsZero() || !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	return first
}

// Missed is when a timer that is on should have fired and did not; zero when it did, or when that is not known.
func Missed(ctx context.Context, t systemd.Timer, service systemd.UnitState, now time.Time) time.Time {
	u := JobUnits{Timer: t, Service: service, Due: due(ctx, t)}
	if t.State != systemd.TimerOn || !u.missed(now) {
		return time.Time{}
	}
	return u.Due
}

// Findings is everything that is wrong. known are the incidents so far.
func (s Snapshot) Findings(known []Incident, now time.Time) []Finding {
	var found []Finding
	for _, place := range slices.Sorted(maps.Keys(s.Places)) {
		if err := s.Places[place]; err != nil {
			found = append(found, Finding{
				Subject: place, Kind: KindBucket, Severity: Critical, Remedy: fault.Remedy(err),
				What: "the bucket cannot be read, so the state of its backups is unknown: " + err.Error(),
			})
		}
	}
	if s.HostErr != nil {
		found = append(found, Finding{
			Kind: KindSystemd, Severity: Critical, Remedy: fault.Remedy(s.HostErr),
			What: "the state of timers and services cannot be read: " + s.HostErr.Error(),
		})
	}
	for _, j := range s.Jobs {
		var failed *Finding
		if j.Host != nil {
			failed = failedRun(known, j.Host.Service.Name)
		}
		found = append(found, j.Judge(failed, now)...)
	}
	for _, o := range s.Others {
		found = append(found, o.judge(failedRun(known, o.Service.Name))...)
	}
	for _, c := range s.Coverage {
		found = append(found, c.judge()...)
	}
	found = append(found, s.Clusters.judge(failedRun(known, systemd.ClusterStatusService), now)...)
	return once(found)
}

// once leaves out what is said twice: the databases of a job share its timer and its service.
func once(found []Finding) (different []Finding) {
	said := map[key]string{}
	for _, f := range found {
		if what, again := said[f.key()]; !again || what != f.What {
			said[f.key()] = f.What
			different = append(different, f)
		}
	}
	return different
}

func failedRun(known []Incident, unit string) *Finding {
	if i, ok := Known(known, unit, KindRun); ok {
		return &i.Finding
	}
	return nil
}

// judge says whether a timer that was switched on does not run, and whether its service's last run failed. If a timer
// is off, somebody switched it off.
func (o Other) judge(failed *Finding) []Finding {
	var found []Finding
	what, remedy := TimerTrouble(o.Timer)
	if what != "" && o.Timer.State != systemd.TimerOff && o.Timer.State != systemd.TimerUnsaved {
		found = append(found, Finding{
			Subject: o.Timer.Name, Kind: KindTimer, Severity: Warning, What: o.Timer.Name + " is " + what, Remedy: remedy,
		})
	}
	return append(found, judgeRun(o.Service, o.History, failed, time.Time{})...)
}

// Unjudged reports whether this snapshot lacks what an incident is judged by. Such an incident stays as it is.
func (s Snapshot) Unjudged(i Incident) bool {
	if strings.HasPrefix(string(i.Kind), clusterKind) {
		return s.Clusters.unjudged(i)
	}
	switch i.Kind {
	case KindBackup, KindIntegrity, KindDrill, KindProof, KindRTO, KindWarnings, KindTrust, KindRollback, KindLoss,
		KindGone, KindNew, KindCopy:
		return s.setsUnknown(i.Subject)
	case KindTimer, KindMissed, KindUnit, KindSchedule:
		return s.HostErr != nil
	case KindRun, KindClock:
		return s.HostErr != nil || s.setsUnknown(i.Subject)
	case KindChannel:
		return i.Subject != UnusableChannel // the others are known when something is sent
	case KindUncovered:
		return slices.ContainsFunc(s.Coverage, func(c Coverage) bool { return c.Server() == i.Subject && c.At.IsZero() })
	case KindBucket, KindSystemd, KindMetrics, KindClusterStale, KindClusterLook:
	}
	return false
}

// setsUnknown is about a job, or the service of one.
func (s Snapshot) setsUnknown(job string) bool {
	for _, j := range s.Jobs {
		if j.subject() == job || j.Name == job || j.Host != nil && j.Host.Service.Name == job {
			return j.SetsErr != nil
		}
	}
	return false
}
