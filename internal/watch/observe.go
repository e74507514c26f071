// Looking at everything: each job's sets in the bucket, its timer and service, and the timers of what
// else is done for it.

package watch

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Host is systemd as far as it is looked at.
type Host interface {
	Timer(ctx context.Context, name string) (systemd.Timer, error)
	Unit(ctx context.Context, name string) (systemd.UnitState, error)
	OtherTimers(ctx context.Context) ([]systemd.Timer, error)
}

// Observer looks.
type Observer struct {
	// StateDirs are where this host may remember what it committed last.
	StateDirs []string
	Sets      func(context.Context, config.Job) ([]backup.Set, error) // of its database, of all jobs, newest first
	Ends      func(ctx context.Context, unit string) Ends             // by the journal; nil: not known
	Host      Host                                                    // nil: not looked at, or HostErr says why not
	// HostErr is why systemd cannot be asked; nil with a nil Host where units are nobody's business.
	HostErr error
}

// Seen is what one look found.
type Seen struct {
	Jobs    []Job
	Places  map[string]error // each place in a bucket that was read, and how that went
	Others  []Other
	HostErr error
}

// Other is a timer that does something else than backups for a job, with its service.
type Other struct {
	Timer   systemd.Timer
	Service systemd.UnitState
	Ends    Ends
}

// Look looks at the jobs of a configuration. What cannot be looked at is in the result, not an error.
func (o Observer) Look(ctx context.Context, c *config.Config, jobs []config.Job) Seen {
	s := Seen{Places: map[string]error{}, HostErr: o.HostErr}
	if o.Host != nil {
		s.Others, s.HostErr = o.others(ctx)
	}
	for _, job := range jobs {
		seen := Job{Name: job.Name, Database: job.Database, Whose: backup.WhoseOf(job)}
		habits := Habits{Drilled: s.switchedOn("postgres-backup-drill", c, job), Verified: s.switchedOn("postgres-backup-verify", c, job)}
		if o.Host != nil && s.HostErr == nil {
			if seen.Host, s.HostErr = o.jobUnits(ctx, c, job); s.HostErr == nil {
				habits.Timer = &seen.Host.Timer
				seen.Host.Missing = Missing(c, job, seen.Host.Timer, s.otherTimers())
			}
		}
		seen.Objective = objectiveOf(ctx, job, habits)
		seen.Sets, seen.SetsErr = o.Sets(ctx, job)
		for _, dir := range o.StateDirs {
			if seen.SetsErr == nil && seen.Lost == "" {
				seen.Lost = dump.Lost(dir, job, seen.Sets)
			}
		}
		if place := placeOf(job); s.Places[place] == nil {
			s.Places[place] = seen.SetsErr
		}
		s.Jobs = append(s.Jobs, seen)
	}
	return s
}

func placeOf(job config.Job) string { return "s3://" + job.S3.Bucket + "/" + job.S3.Prefix }

func (o Observer) others(ctx context.Context) ([]Other, error) {
	timers, err := o.Host.OtherTimers(ctx)
	if err != nil {
		return nil, err
	}
	var all []Other
	for _, t := range timers {
		if t.Unit == "" {
			continue // a timer whose file is gone starts nothing
		}
		service, err := o.Host.Unit(ctx, t.Unit)
		if err != nil {
			return nil, err
		}
		all = append(all, Other{t, service, o.ends(ctx, t.Unit)})
	}
	return all, nil
}

func (s Seen) otherTimers() (timers []systemd.Timer) {
	for _, o := range s.Others {
		timers = append(timers, o.Timer)
	}
	return timers
}

// switchedOn reports whether the timer called base, or base@JOB, is enabled for a job.
func (s Seen) switchedOn(base string, c *config.Config, job config.Job) bool {
	for _, o := range s.Others {
		if isOf(o.Timer.Name, base, c, job) && strings.HasPrefix(o.Timer.UnitFileState, "enabled") {
			return true
		}
	}
	return false
}

// jobUnits reads the timer that backs a job up: of the ways to name it, the one that is on.
func (o Observer) jobUnits(ctx context.Context, c *config.Config, job config.Job) (*JobUnits, error) {
	names := []string{c.UnitName(job)}
	if len(c.Jobs) == 1 {
		names = append(names, "", job.Name)
	}
	var chosen systemd.Timer
	for i, name := range names {
		t, err := o.Host.Timer(ctx, systemd.BackupTimer(name))
		if err != nil {
			return nil, err
		}
		if i == 0 || t.State == systemd.TimerOn && chosen.State != systemd.TimerOn {
			chosen = t
		}
	}
	service, err := o.Host.Unit(ctx, strings.TrimSuffix(chosen.Name, ".timer")+".service")
	if err != nil {
		return nil, err
	}
	return &JobUnits{
		Timer: chosen, Service: service, Ours: systemd.WroteFile(service.FragmentPath), Ends: o.ends(ctx, service.Name),
		Due: due(ctx, chosen),
	}, nil
}

func (o Observer) ends(ctx context.Context, unit string) Ends {
	if o.Ends == nil {
		return Ends{}
	}
	return o.Ends(ctx, unit)
}

// due is when a timer had to fire after it last did, by its calendar; zero when that is not known.
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

// Missed is when a timer that is on should have fired at last and did not; zero when it has, or when
// that is not known.
func Missed(ctx context.Context, t systemd.Timer, service systemd.UnitState, now time.Time) time.Time {
	u := JobUnits{Timer: t, Service: service, Due: due(ctx, t)}
	if t.State != systemd.TimerOn || !u.missed(now) {
		return time.Time{}
	}
	return u.Due
}

// Findings is everything that is wrong. known are the incidents so far.
func (s Seen) Findings(known []Incident, now time.Time) []Finding {
	var found []Finding
	for _, place := range slices.Sorted(maps.Keys(s.Places)) {
		if err := s.Places[place]; err != nil {
			found = append(found, Finding{
				Subject: place, Kind: KindBucket, Severity: Critical, What: "the bucket cannot be read, nothing is known of its backups: " + err.Error(),
				Remedy: fault.Remedy(err),
			})
		}
	}
	if s.HostErr != nil {
		found = append(found, Finding{Kind: KindSystemd, Severity: Critical, What: "timers and services cannot be looked at: " + s.HostErr.Error(), Remedy: fault.Remedy(s.HostErr)})
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
	return found
}

func failedRun(known []Incident, unit string) *Finding {
	if i, ok := Known(known, unit, KindRun); ok {
		return &i.Finding
	}
	return nil
}

// judge tells of a timer that was switched on once and does not run, and of its service's last run.
// One that is off is somebody's choice.
func (o Other) judge(failed *Finding) []Finding {
	var found []Finding
	if what, remedy := TimerTrouble(o.Timer); what != "" && o.Timer.State != systemd.TimerOff && o.Timer.State != systemd.TimerUnsaved {
		found = append(found, Finding{Subject: o.Timer.Name, Kind: KindTimer, Severity: Warning, What: o.Timer.Name + " is " + what, Remedy: remedy})
	}
	return append(found, judgeRun(o.Service, o.Ends, failed, time.Time{})...)
}

// Blind reports whether this look could not judge an incident: it stays as it is.
func (s Seen) Blind(i Incident) bool {
	switch i.Kind {
	case KindBackup, KindIntegrity, KindDrill, KindProof, KindWarnings, KindTrust, KindRollback, KindLoss:
		return s.setsUnknown(i.Subject)
	case KindTimer, KindMissed, KindUnit:
		return s.HostErr != nil
	case KindRun, KindClock:
		return s.HostErr != nil || s.setsUnknown(i.Subject)
	case KindChannel:
		return i.Subject != UnusableChannel // the others are known when something is sent
	case KindBucket, KindSystemd:
	}
	return false
}

// setsUnknown is about a job, or the service of one.
func (s Seen) setsUnknown(job string) bool {
	for _, j := range s.Jobs {
		if j.Name == job || j.Host != nil && j.Host.Service.Name == job {
			return j.SetsErr != nil
		}
	}
	return false
}
