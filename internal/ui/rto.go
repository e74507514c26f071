// How long a restore will take: from restores that were made, never a guess from sizes alone.

package ui

import (
	"fmt"

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
	if !ok {
		return "unknown: no drill or restore has succeeded yet"
	}
	scaled := ""
	if e.Scaled {
		scaled = ", scaled by size"
	}
	return fmt.Sprintf("%s, by the %s on %s %s%s", readable.Took(e.Duration), orUnknown(e.From.Kind),
		orUnknown(e.From.Host), ago(sh.now, e.From.FinishedAt), scaled)
}
