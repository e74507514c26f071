// How long a restore will take: from restores that were made, never a guess from sizes alone.

package ui

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// restoreTime is the estimate in a cell; ~ when it is scaled from another backup's restore.
func restoreTime(sh *shared, s *backup.Set) string {
	if s == nil {
		return "?"
	}
	e, ok := backup.RestoreTime(sh.sets.value, s)
	switch {
	case !ok:
		return "untried"
	case e.Scaled:
		return "~" + readable.Took(e.Duration)
	}
	return readable.Took(e.Duration)
}

// restoreTimeText is the estimate and how it is known.
func restoreTimeText(sh *shared, s *backup.Set) string {
	e, ok := backup.RestoreTime(sh.sets.value, s)
	goal := restoreGoal(sh, s)
	if !ok {
		return "unknown: no drill or restore has succeeded yet" + goal
	}
	scaled := ""
	if e.Scaled {
		scaled = ", scaled by size"
	}
	if goal != "" && e.Duration > restoreObjective(sh, s) {
		goal += ", MISSED"
	}
	return fmt.Sprintf("%s, by the %s on %s %s%s%s", readable.Took(e.Duration), orUnknown(e.From.Kind),
		orUnknown(e.From.Host), ago(sh.now, e.From.FinishedAt), scaled, goal)
}

// restoreGoal is the objective behind the estimate, where the job of a set has one.
func restoreGoal(sh *shared, s *backup.Set) string {
	if o := restoreObjective(sh, s); o > 0 {
		return "; objective " + readable.Took(o)
	}
	return ""
}

func restoreObjective(sh *shared, s *backup.Set) time.Duration {
	for _, d := range assess(sh) {
		if s != nil && d.newest != nil && d.newest.Dir == s.Dir {
			return d.job.RTO
		}
	}
	return 0
}
