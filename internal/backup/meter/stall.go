package meter

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// stillness is since when nothing has moved, and since when the server has not been seen at work either.
type stillness struct {
	moved   int64
	worked  int64
	movedAt time.Time
	aliveAt time.Time // moved, or worked
}

// see takes the counts of now.
func (s *stillness) see(now time.Time, moved, worked int64) {
	if moved != s.moved {
		s.movedAt = now
		s.aliveAt = now
	}
	if worked != s.worked {
		s.aliveAt = now
	}
	s.moved = moved
	s.worked = worked
}

// ErrStalled is in the chain of the error that ends a stalled run.
var ErrStalled = fault.New(fault.Unavailable, "nothing moved", "", nil)

// stalled is the error of a run in which nothing has moved for so long.
func stalled(p backup.Progress, after time.Duration) error {
	what := fmt.Sprintf("%s: no byte moved for %s in stage %s", p.Action, after, p.Stage)
	if p.Table != "" {
		what += fmt.Sprintf(", at table %s", p.Table)
	}
	if p.Doing != "" {
		what += ", " + p.Doing
	}
	return fault.New(fault.Unavailable, what,
		"Check the server for locks and load, and the network to the store. Raise stall_after if this is normal.", ErrStalled)
}
