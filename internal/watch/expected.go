// The timers that a job counts on besides its backups': what should happen by them happens nowhere
// when they are off, and nothing fails.

package watch

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// expectation is a timer that a job's configuration counts on.
type expectation struct {
	base, timer string // the name of its units before the @, and of the timer to switch on
	without     string // what does not happen without it
	remedy      string
}

// expectations of a job whose backups run by a timer of this host, under that name.
func expectations(job config.Job, name string) (all []expectation) {
	if job.Drill.By == config.DrillByTimer {
		all = append(all, expectation{
			"postgres-backup-drill", systemd.BackupDrillTimer(name), "no backup is restored for a test",
			systemd.EnableCommand(name) + ", or set drill.by to hand where people or another host drill",
		})
	}
	if job.Keep.By == config.PruneByTimer && len(job.Keep.Rules()) > 0 {
		all = append(all, expectation{
			"postgres-backup-prune", systemd.BackupPruneTimer(name), "nothing is deleted although keep.by is timer",
			systemd.EnablePruneCommand(name) + ", or leave the rules out where another host deletes",
		})
	}
	return all
}

// Missing are the timers that a job counts on and that are off, among all that do something else than
// backups. Without a timer of its backups the job is not this host's, or that is told already.
func Missing(c *config.Config, job config.Job, backups systemd.Timer, others []systemd.Timer) (found []Finding) {
	if backups.State != systemd.TimerOn {
		return nil
	}
	for _, e := range expectations(job, backups.Job) {
		if what := idle(e.base, c, job, others); what != "" {
			found = append(found, Finding{
				Subject: e.timer, Kind: KindTimer, Severity: Warning,
				What: fmt.Sprintf("%s: %s is %s", e.without, e.timer, what), Remedy: e.remedy,
			})
		}
	}
	return found
}

// idle is why no timer called base, or base@JOB, is there for a job; "" when one is, or is in a trouble
// that is told of every timer.
func idle(base string, c *config.Config, job config.Job, others []systemd.Timer) string {
	why := "off"
	for _, t := range others {
		if !isOf(t.Name, base, c, job) {
			continue
		}
		switch t.State {
		case systemd.TimerOff, systemd.TimerMissing:
		case systemd.TimerUnsaved:
			why, _ = TimerTrouble(t)
		case systemd.TimerOn, systemd.TimerStopped, systemd.TimerMasked, systemd.TimerFailed, systemd.TimerBroken:
			return ""
		}
	}
	return why
}

// isOf reports whether a timer is called base@JOB, or base where there is one job only.
func isOf(timer, base string, c *config.Config, job config.Job) bool {
	unit, rest, _ := strings.Cut(strings.TrimSuffix(timer, ".timer"), "@")
	return unit == base && (systemd.Unescape(rest) == job.Name || rest == "" && len(c.Jobs) == 1)
}
