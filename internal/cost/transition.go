package cost

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

// The lifecycle rule of s3.transition, laid over a forecast: as `pgbtui aws bucket apply` puts it, for what is larger
// than whatever must stay readable.

// moves reports whether the transition moves anything.
func (p Plan) moves(sets []backup.Set, months int) bool {
	if p.Transition.Class == "" {
		return false
	}
	largest := int64(float64(p.Bytes) * (1 + max(p.Growth, 0)*float64(months)))
	for i := range sets {
		largest = max(largest, sets[i].StoredSize)
	}
	return largest > backup.MaxContentsStored
}

// lay says when a set moves. now is when it is looked at: what is old enough by then moves at once.
func (f *forecast) lay(s *stored, now time.Time) {
	t := f.plan.Transition
	if t.Class == "" || s.set.StoredSize <= backup.MaxContentsStored || classText(f.plan.Class) == t.Class {
		return
	}
	if classText(s.set.Class) == t.Class { // it was moved: its minimum counts from then on
		s.moves, s.later = s.from.Add(time.Duration(t.Days)*day), s.price
		return
	}
	s.moves, s.later = s.from.Add(time.Duration(t.Days)*day), f.moved
	if s.moves.Before(now) {
		s.moves = now
	}
}

// isMoved reports whether a set lies in the class of the transition.
func (s *stored) isMoved(at time.Time) bool { return !s.moves.IsZero() && s.moves.Before(at) }

// lies is what a set costs from start, or from when it was made, until end.
func (f *forecast) lies(s *stored, start, end time.Time) float64 {
	if s.from.After(start) {
		start = s.from
	}
	if !s.isMoved(end) {
		return f.usd(s, s.price, end.Sub(start))
	}
	if s.isMoved(start) {
		return f.usd(s, s.later, end.Sub(start))
	}
	return f.usd(s, s.price, s.moves.Sub(start)) + f.usd(s, s.later, end.Sub(s.moves))
}

// movedEarly is what is still paid for the class that a set leaves between start and end.
func (f *forecast) movedEarly(s *stored, start, end time.Time) float64 {
	if !s.isMoved(end) || s.moves.Before(start) {
		return 0
	}
	return f.early(s, s.price, s.moves.Sub(s.from))
}

// early is what is paid for a set that leaves a class after some time: the rest of its minimum.
func (f *forecast) early(s *stored, class price.Price, after time.Duration) float64 {
	return f.usd(s, class, time.Duration(class.MinimumDays)*day-after)
}

// usd is what a set costs in a class for a time.
func (f *forecast) usd(s *stored, class price.Price, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return class.Month(f.standard, s.set.StoredSize) * d.Hours() / 24 / MonthDays
}
