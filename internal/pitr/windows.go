package pitr

import (
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Windows: to which moments the cluster can be recovered. Rules:
//
//   - a window begins where its oldest whole backup was done, exclusively, and ends with the last commit that is
//     archived in one piece after it
//   - a missing segment ends a window; the next begins with the next backup behind the gap
//   - the way is that of the newest timeline, through those that it comes from

// Window is one, in moments between which any can be recovered to.
type Window struct {
	After    time.Time `json:"after"` // a target has to be later
	Until    time.Time `json:"until"` // the last archived commit; without one since the backup, After
	Timeline uint32    `json:"timeline"`
	Backups  []string  `json:"backups"` // labels of those it can start from, the oldest first
	First    string    `json:"first"`   // segment that its oldest backup needs
	Last     string    `json:"last"`    // segment that is there in one piece with it
}

// Side is -1 for a position before the WAL of the window, 1 for one behind it, and 0 in it.
func (w Window) Side(at wal.LSN, segmentBytes int64) int {
	first, _ := ParseSegment(w.First)
	last, _ := ParseSegment(w.Last)
	position := uint64(at) / uint64(segmentBytes) // sizes are positive
	switch {
	case position < first.Position(segmentBytes):
		return -1
	case position > last.Position(segmentBytes):
		return 1
	}
	return 0
}

// Gap is what cannot be recovered to between two windows, and the segments that lack.
type Gap struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Segments []string  `json:"segments"` // at most mostNamed of them
	Missing  int       `json:"missing"`
}

const (
	mostNamed = 5
	mostGaps  = 100 // the newest; whoever writes to the bucket can make very many
)

// piece is WAL without a gap: from one position to another, both included.
type piece struct {
	from, to uint64
	timeline uint32 // at its end
}

// way is which timeline holds a position, on the way to the newest.
type way struct {
	segmentBytes int64
	from         []uint64 // the position from which on a timeline holds
	timelines    []uint32
}

// wayTo is made of a timeline's history, the oldest first.
func wayTo(timeline uint32, history []wal.Branch, segmentBytes int64) way {
	w := way{segmentBytes: segmentBytes, from: []uint64{0}}
	for _, b := range history {
		w.timelines = append(w.timelines, b.Timeline)
		// the segment in which it ends is there whole on the next one, which began with a copy of its head
		w.from = append(w.from, uint64(b.Until)/uint64(segmentBytes)) // sizes are positive
	}
	w.timelines = append(w.timelines, timeline)
	return w
}

func (w way) at(position uint64) uint32 {
	for i := len(w.from) - 1; i >= 0; i-- {
		if position >= w.from[i] {
			return w.timelines[i]
		}
	}
	return w.timelines[0]
}

// pieces are those of the listed segments that lie on the way.
func (w way) pieces(segments Segments) (all []piece) {
	var there []uint64
	for timeline, positions := range segments {
		for _, p := range positions {
			if w.at(p) == timeline {
				there = append(there, p)
			}
		}
	}
	slices.Sort(there)
	there = slices.Compact(there) // a segment may be there twice, as two sums
	for _, p := range there {
		if len(all) > 0 && all[len(all)-1].to+1 == p {
			all[len(all)-1].to = p
		} else {
			all = append(all, piece{from: p, to: p})
		}
	}
	for i := range all {
		all[i].timeline = w.at(all[i].to)
	}
	return all
}

func (w way) name(position uint64) string {
	return SegmentAt(w.at(position), position, w.segmentBytes).Name()
}

// usable are the backups that recovery can start from in a piece, with what they need of it.
func (w way) usable(p piece, whole []Backup) (in []Backup) {
	for _, b := range whole {
		start, okStart := ParseSegment(b.StartSegment)
		stop, okStop := ParseSegment(b.StopSegment)
		if !okStart || !okStop {
			continue
		}
		from, to := start.Position(w.segmentBytes), stop.Position(w.segmentBytes)
		if from >= p.from && to <= p.to && from <= to && w.at(from) == start.Timeline && w.at(to) == stop.Timeline {
			in = append(in, b)
		}
	}
	return in
}

// windows are those of the pieces that a backup lies in. Their ends are left to be found: see Look.
func (w way) windows(pieces []piece, whole []Backup) (all []Window) {
	for _, p := range pieces {
		in := w.usable(p, whole)
		if len(in) == 0 {
			continue
		}
		one := Window{
			After: in[0].Stopped, Until: in[0].Stopped, Timeline: p.timeline, First: in[0].StartSegment, Last: w.name(p.to),
		}
		for _, b := range in {
			one.Backups = append(one.Backups, b.Label)
		}
		all = append(all, one)
	}
	return all
}

// missing are the segments between two pieces.
func (w way) missing(a, b piece) (named []string, count int) {
	for p := a.to + 1; p < b.from && len(named) < mostNamed; p++ {
		named = append(named, w.name(p))
	}
	return named, int(min(b.from-a.to-1, 1<<31-1)) // bounded
}

// gaps are what lacks between the first window and the last segment.
func (w way) gaps(pieces []piece, windows []Window) (all []Gap) {
	if len(windows) == 0 {
		return nil
	}
	first, _ := ParseSegment(windows[0].First)
	for i := 1; i < len(pieces); i++ {
		before, after := pieces[i-1], pieces[i]
		if before.to < first.Position(w.segmentBytes) {
			continue
		}
		named, count := w.missing(before, after)
		gap := Gap{Segments: named, Missing: count}
		for _, one := range windows {
			last, _ := ParseSegment(one.Last)
			start, _ := ParseSegment(one.First)
			if last.Position(w.segmentBytes) <= before.to {
				gap.From = one.Until
			}
			if start.Position(w.segmentBytes) >= after.from && gap.To.IsZero() {
				gap.To = one.After
			}
		}
		all = append(all, gap)
		if len(all) > mostGaps {
			all = all[1:]
		}
	}
	return all
}
