package beside

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// A missing segment is met when the server asks for it, hours into a restore. So the window that a target lies in is
// looked up first: recovery begins from a base backup of that window, and never leads over a gap.

// before reads the records of the segment before those that were read, on the other side of a gap if there is one.
func (p *planner) before(ctx context.Context, s *Scanner) ([]wal.Record, error) {
	records, err := s.Before(ctx)
	for errors.Is(err, errNoSegment) && s.skip(p.state.Windows) {
		records, err = s.Before(ctx)
	}
	return records, err
}

func (p *planner) reachTime(s *Scanner, newest wal.Record) error {
	at := p.order.Target.Time
	if !at.Before(newest.Time) {
		return beyond(serverTime(at), serverTime(newest.Time), newest)
	}
	window, err := p.windowOf(func(w pitr.Window) int {
		switch {
		case !at.After(w.After):
			return -1
		// The look gives up after so many segments without a commit; the scanner does not.
		case at.Before(w.Until), w.Side(newest.LSN, p.plan.control.SegmentBytes) == 0:
			return 0
		}
		return 1
	})
	if err != nil {
		return err
	}
	return p.choose(s, window, func(b pitr.Backup) bool { return b.Stopped.Before(at) })
}

func (p *planner) reachPosition(s *Scanner, at wal.LSN) error {
	window, err := p.windowOf(func(w pitr.Window) int { return w.Side(at, p.plan.control.SegmentBytes) })
	if err != nil {
		return err
	}
	return p.choose(s, window, func(b pitr.Backup) bool { return b.StopLSN <= at })
}

// windowOf is the window that a target lies in: side says 0 of it, -1 where the target lies before, and 1 behind. A
// target before all windows is in none, and no base backup is found for it.
func (p *planner) windowOf(side func(pitr.Window) int) (pitr.Window, error) {
	var before, after *pitr.Window
	for i := range p.state.Windows {
		one := &p.state.Windows[i]
		switch side(*one) {
		case 0:
			return *one, nil
		case 1:
			before = one
		default:
			if after == nil {
				after = one
			}
		}
	}
	if before == nil {
		return pitr.Window{}, nil
	}
	return pitr.Window{}, p.inGap(before, after)
}

// inGap is the refusal of a target between two windows, or behind the last one where WAL is missing after it.
func (p *planner) inGap(before, after *pitr.Window) error {
	missing := "WAL is missing"
	for _, gap := range p.state.Gaps {
		if gap.From.Equal(before.Until) {
			missing = missingText(gap)
			break
		}
	}
	earlier := "before " + serverTime(before.Until)
	if !before.Until.After(before.After) {
		earlier = "before the gap, where nothing was committed after the base backup of " + serverTime(before.After)
	}
	remedy := "Choose a moment " + earlier + ". Make a base backup, from whose end on the cluster can be recovered again."
	if after != nil {
		remedy = "Choose a moment " + earlier + ", or one after " + serverTime(after.After) + "."
	}
	return fault.New(fault.NotFound,
		fmt.Sprintf("pitr: %s lies in a gap of the archive or behind it: %s", p.order.Target, missing), remedy, nil)
}

func missingText(g pitr.Gap) string {
	named := strings.Join(g.Segments, ", ")
	if g.Missing == 1 {
		return "segment " + named + " is missing"
	}
	if g.Missing > len(g.Segments) {
		named += ", …"
	}
	return fmt.Sprintf("%d segments are missing (%s)", g.Missing, named)
}
