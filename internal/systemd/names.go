// Package systemd is everything that pgbtui has to do with the service manager: timers, units
// and runs over D-Bus, the unit files and how they are installed, and sd_notify.
//
// Rules: nothing here knows a screen, S3 or PostgreSQL. What exists is read from systemd, never
// remembered. A run's outcome is never taken from the D-Bus job's result alone (see outcome.go).
package systemd

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Prefixes of the names of our units.
const (
	backupBase  = "postgres-backup"
	verifyBase  = "postgres-verify"
	restoreBase = "postgres-restore"
	alertBase   = "postgres-backup-alert"
	watchBase   = "postgres-backup-watch"

	alertTestBase    = "postgres-backup-alert-test"
	backupVerifyBase = "postgres-backup-verify"
	backupPruneBase  = "postgres-backup-prune"
	backupCopyBase   = "postgres-backup-copy"

	backupDoctorBase = "postgres-backup-doctor"

	pitrBase       = "postgres-pitr"
	pitrSweepBase  = "postgres-pitr-sweep"
	pitrStatusBase = "postgres-pitr-status"

	restoreResumeBase = "postgres-restore-resume"
)

// scheduled are what a job has a timer for, in the order in which they are switched on together:
// base.timer and base@JOB.timer start base.service and base@JOB.service.
func scheduled() []string { return []string{backupBase, backupVerifyBase, backupDrillBase} }

// timed is scheduled, and what has a timer that is switched on by itself.
func timed() []string { return append(scheduled(), backupPruneBase, backupCopyBase) }

// Patterns are the globs, as systemctl takes them, that match our units.
func Patterns() []string {
	var all []string
	for _, base := range timed() {
		all = append(all, base+".service", base+".timer", base+"@*.service", base+"@*.timer")
	}
	return append(all, verifyBase+"@*.service", drillBase+"@*.service", restoreBase+"@*.service",
		pitrBase+"@*.service", alertBase+"@*.service", WatchService, WatchTimer, AlertTestService, AlertTestTimer,
		ClusterStatusService, ClusterStatusTimer)
}

// BackupService is the service that backs up job; "" is the plain unit, whose job comes from
// the environment or is the only one of the configuration file.
func BackupService(job string) string { return jobUnit(backupBase, job, ".service") }

// BackupTimer is the timer of BackupService(job).
func BackupTimer(job string) string { return jobUnit(backupBase, job, ".timer") }

// BackupVerifyService is the service that verifies the sets of a job which have no proof yet, and
// looks at an old one; "" as for BackupService.
func BackupVerifyService(job string) string { return jobUnit(backupVerifyBase, job, ".service") }

// BackupVerifyTimer is the timer of BackupVerifyService(job).
func BackupVerifyTimer(job string) string { return jobUnit(backupVerifyBase, job, ".timer") }

// BackupPruneService is the service that deletes what no rule of a job keeps; "" as for BackupService.
func BackupPruneService(job string) string { return jobUnit(backupPruneBase, job, ".service") }

// BackupPruneTimer is the timer of BackupPruneService(job).
func BackupPruneTimer(job string) string { return jobUnit(backupPruneBase, job, ".timer") }

// BackupCopyService is the service that brings the copies of a job up to date; "" as for BackupService.
func BackupCopyService(job string) string { return jobUnit(backupCopyBase, job, ".service") }

// BackupCopyTimer is the timer of BackupCopyService(job).
func BackupCopyTimer(job string) string { return jobUnit(backupCopyBase, job, ".timer") }

// BackupDoctorService is the service that looks, where the backups of a job run, at what they stand on; "" as for
// BackupService.
func BackupDoctorService(job string) string { return jobUnit(backupDoctorBase, job, ".service") }

// DoctorAnswer is the file in which BackupDoctorService(job) tells what it saw.
func DoctorAnswer(job string) string { return stateDir + "/doctor/" + DoctorAnswerName(job) }

// DoctorAnswerName is its name within the unit's folder.
func DoctorAnswerName(job string) string { return "job=" + Escape(job) + ".json" }

// JobTimers are the timers of a job that are switched on together, the backup's first, the drill's last.
func JobTimers(job string) (timers []string) {
	for _, base := range scheduled() {
		timers = append(timers, jobUnit(base, job, ".timer"))
	}
	return timers
}

func jobUnit(base, job, suffix string) string {
	if job == "" {
		return base + suffix
	}
	return base + "@" + Escape(job) + suffix
}

// WatchService looks at everything once an hour, and WatchTimer starts it.
const (
	WatchService = watchBase + ".service"
	WatchTimer   = watchBase + ".timer"
)

// AlertTestService sends a test to every channel, and AlertTestTimer starts it, where somebody wants that.
const (
	AlertTestService = alertTestBase + ".service"
	AlertTestTimer   = alertTestBase + ".timer"
)

// ClusterStatusService looks at every cluster and writes down what it found; ClusterStatusTimer starts it, where
// clusters are configured.
const (
	ClusterStatusService = pitrStatusBase + ".service"
	ClusterStatusTimer   = pitrStatusBase + ".timer"
)

// VerifyService is the service that verifies the set named id. Set ids go into the unit's name
// as they are, so that an operator can type them; an id that cannot is refused.
func VerifyService(id string) (string, error) { return literalUnit(verifyBase, id) }

// RestoreService is the service that carries out the request named id.
func RestoreService(id string) (string, error) { return literalUnit(restoreBase, id) }

// PITRService is the service that carries out the request named id, which is about a cluster or a copy of it.
func PITRService(id string) (string, error) { return literalUnit(pitrBase, id) }

// RequestOf is the request that a service of RestoreService carries out; ok is false for other units.
func RequestOf(unit string) (id string, ok bool) {
	id = InstanceOf(unit)
	name, err := RestoreService(id)
	return id, err == nil && name == unit
}

// literalInstance holds what systemd allows in an instance name and neither %i nor a shell
// changes. No leading dot or dash: the program that gets it would take it for an option.
const literalInstance = `^[A-Za-z0-9_:][A-Za-z0-9_:.-]{0,199}$`

// literal compiles it when it is first asked: a repetition of 199 takes longer than the start of most verbs.
var literal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(literalInstance) })

func literalUnit(base, id string) (string, error) {
	if !literal().MatchString(id) {
		return "", fault.New(fault.Usage, fmt.Sprintf("systemd: name %s unit: %q cannot be part of a unit's name", base, id),
			"Run the command itself instead of its unit.", nil)
	}
	return base + "@" + id + ".service", nil
}

// JobOf is the job that a backup service or timer is for; plain is true for the units without
// an instance. ok is false for other units.
func JobOf(unit string) (job string, plain, ok bool) { return jobOf(unit, backupBase) }

// ScheduledJobOf is JobOf for everything that runs for a job by a timer, not the backup alone.
func ScheduledJobOf(unit string) (job string, plain, ok bool) { return jobOf(unit, timed()...) }

func jobOf(unit string, bases ...string) (job string, plain, ok bool) {
	name, found := strings.CutSuffix(unit, ".service")
	if !found {
		if name, found = strings.CutSuffix(unit, ".timer"); !found {
			return "", false, false
		}
	}
	for _, base := range bases {
		if name == base {
			return "", true, true
		}
		if instance, found := strings.CutPrefix(name, base+"@"); found && instance != "" {
			return Unescape(instance), false, true
		}
	}
	return "", false, false
}

// Repeats reports whether a unit runs again by itself, on a timer, rather than once for a person.
func Repeats(unit string) bool {
	_, _, scheduled := ScheduledJobOf(unit)
	return scheduled || unit == WatchService || unit == ClusterStatusService
}

// InstanceOf is the part of a unit's name between the first @ and its type, as it stands there.
func InstanceOf(unit string) string {
	_, rest, found := strings.Cut(unit, "@")
	dot := strings.LastIndexByte(rest, '.')
	if !found || dot < 0 {
		return ""
	}
	return rest[:dot]
}

const escapeSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_."

// Escape writes s as part of a unit's name, like systemd-escape. (go-systemd's own writes bytes
// below 0x10 with one digit and does not read bytes above 0x7f back.)
func Escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/':
			b.WriteByte('-')
		case strings.IndexByte(escapeSafe, c) < 0 || (i == 0 && c == '.'):
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Unescape is the inverse of Escape. What is no escape stays as it is.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '-' {
			b.WriteByte('/')
			continue
		}
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if raw, err := hex.DecodeString(s[i+2 : i+4]); err == nil {
				b.Write(raw)
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// jobInstance is what Escape makes of a job's name, as a regular expression of Go and of JavaScript.
// A name that begins with a slash is left out: escaped, it looks like an option.
const jobInstance = `^(?:[A-Za-z0-9:_]|\\x[0-9a-f]{2})(?:[A-Za-z0-9:_.-]|\\x[0-9a-f]{2})*$`
