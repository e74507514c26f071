// The timers that a job needs besides that of its backups. When one is off, nothing fails, but what it should do
// is not done.

package watch

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// expectation is a timer that a job's configuration needs.
type expectation struct {
	base    string // the name of its units before the @
	timer   string // to be switched on
	without string // what does not happen without it
	remedy  string
}

// expectations of a job whose backups run by a timer of this host, under that name.
func expectations(job config.Job, name string) (all []expectation) {
	if job.Drill.By == config.DrillByTimer {
		all = append(all, expectation{
			base:    "postgres-backup-drill",
			timer:   systemd.BackupDrillTimer(name),
			without: "no restore is tested",
			remedy: "Run `" + systemd.EnableCommand(name) +
				"`, or set drill.by to hand if people or another host run the drills.",
		})
	}
	if job.Keep.By == config.PruneByTimer && len(job.Keep.Rules()) > 0 {
		all = append(all, expectation{
			base:    "postgres-backup-prune",
			timer:   systemd.BackupPruneTimer(name),
			without: "nothing is deleted, although keep.by is timer",
			remedy:  "Run `" + systemd.EnablePruneCommand(name) + "`, or remove the rules if another host deletes.",
		})
	}
	if job.Keep.By != config.PruneByTimer && job.PrunesCopies() {
		all = append(all, expectation{
			base:    "postgres-backup-prune",
			timer:   systemd.BackupPruneTimer(name),
			without: "nothing is deleted at the copies although they have rules",
			remedy:  "Run `" + systemd.EnablePruneCommand(name) + "`.",
		})
	}
	if len(job.Copies) > 0 {
		all = append(all, expectation{
			base:    "postgres-backup-copy",
			timer:   systemd.BackupCopyTimer(name),
			without: "nothing is copied although the job has copies",
			remedy:  "Run `" + systemd.EnableCommand(name) + "`.",
		})
	}
	return all
}

// Missing are the timers that a job needs and that are off, among all that do something else than backups. If the
// timer of its backups is not on, the job is another host's, or that is a finding already.
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

// idle is why no timer called base, or base@JOB, runs for a job; "" when one does, or has a problem that is a finding
// with every timer.
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
