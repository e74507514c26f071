package pitr

import (
	"fmt"
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

func parseSegmentName(name string) (Segment, bool) {
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

// position counts segments from the beginning of all WAL.
func (s Segment) position(segmentBytes int64) uint64 {
	return uint64(s.Log)*perLog(segmentBytes) + uint64(s.Number)
}

// segmentAt is the segment at a position of a timeline.
func segmentAt(timeline uint32, position uint64, segmentBytes int64) Segment {
	logs := perLog(segmentBytes)
	// A log has at most 4096 segments.
	return Segment{Timeline: timeline, Log: uint32(position / logs), Number: uint32(position % logs)}
}

// validSegmentBytes reports whether PostgreSQL knows the size: a power of two from 1 MiB to 1 GiB.
func validSegmentBytes(n int64) bool { return n >= 1<<20 && n <= 1<<30 && n&(n-1) == 0 }
