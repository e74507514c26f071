package pitr

import (
	"fmt"
	"slices"
	"strconv"
)

// WAL segments by their names: eight hexadecimal digits each of timeline, "log" and segment. How many segments a log
// has follows from their size, which is 16 MiB unless the cluster was made with another.

// Segment is one, in the order that WAL has on its timeline.
type Segment struct {
	Timeline uint32
	Log      uint32
	Number   uint32 // in its log
}

// ParseSegment reads the name of one, and of nothing else: not of what PostgreSQL or an engine adds to such a name.
func ParseSegment(name string) (Segment, bool) {
	if len(name) != 24 {
		return Segment{}, false
	}
	var s Segment
	for i, into := range []*uint32{&s.Timeline, &s.Log, &s.Number} {
		n, err := strconv.ParseUint(name[8*i:8*i+8], 16, 32)
		if err != nil {
			return Segment{}, false
		}
		*into = uint32(n)
	}
	return s, s.Name() == name // lower case is somebody else's
}

// Name is the file's.
func (s Segment) Name() string { return fmt.Sprintf("%08X%08X%08X", s.Timeline, s.Log, s.Number) }

// perLog is how many segments of a size, in bytes, a log has.
func perLog(segmentBytes int64) uint64 { return 1 << 32 / uint64(segmentBytes) }

// Position counts segments from the beginning of all WAL.
func (s Segment) Position(segmentBytes int64) uint64 {
	return uint64(s.Log)*perLog(segmentBytes) + uint64(s.Number)
}

// SegmentAt is the segment at a position of a timeline.
func SegmentAt(timeline uint32, position uint64, segmentBytes int64) Segment {
	logs := perLog(segmentBytes)
	// A log has at most 4096 segments.
	return Segment{Timeline: timeline, Log: uint32(position / logs), Number: uint32(position % logs)}
}

// ValidSegmentBytes reports whether PostgreSQL knows the size: a power of two from 1 MiB to 1 GiB.
func ValidSegmentBytes(n int64) bool { return n >= 1<<20 && n <= 1<<30 && n&(n-1) == 0 }

// Segments are those that are kept: of each timeline their positions, in order after Sort.
type Segments map[uint32][]uint64

// Add takes one by its name. What no server of that size of segments can have written is left out.
func (s Segments) Add(name string, segmentBytes int64) {
	segment, ok := ParseSegment(name)
	if !ok || uint64(segment.Number) >= perLog(segmentBytes) {
		return
	}
	s[segment.Timeline] = append(s[segment.Timeline], segment.Position(segmentBytes))
}

// Sort puts them in order, each once: one may be kept in two forms.
func (s Segments) Sort() {
	for timeline, positions := range s {
		slices.Sort(positions)
		s[timeline] = slices.Compact(positions)
	}
}

// Newest is the greatest timeline that has segments; 0 where there are none.
func (s Segments) Newest() (newest uint32) {
	for timeline := range s {
		newest = max(newest, timeline)
	}
	return newest
}

// MostSegments bounds how many files an archive is believed to hold: half a year of a segment every two seconds.
const MostSegments = 8_000_000
