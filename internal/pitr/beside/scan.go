package beside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Scanner reads the archive backwards, segment by segment: what ended when. A record that reaches into the next segment
// is read with it, so the next one is kept.
type Scanner struct {
	Engine       *pitr.Engine
	Dir          string // for the segments; of the owner of the server's files
	SegmentBytes int64

	history []wal.Branch // of the timeline, the timeline itself first
	next    uint64       // the segment to be read, plus one
}

// NewScanner stands at the end of what is archived of a timeline; 0 is the newest one.
func NewScanner(
	ctx context.Context, e *pitr.Engine, segments pitr.Segments, dir string, segmentBytes int64, timeline uint32,
) (*Scanner, error) {
	s := &Scanner{Engine: e, Dir: dir, SegmentBytes: segmentBytes}
	if len(segments) == 0 {
		return nil, fault.New(fault.NotFound, "pitr: no WAL is archived",
			"Look with `pgbtui cluster status` why no WAL reaches the archive.", nil)
	}
	if timeline == 0 {
		timeline = segments.Newest()
	}
	positions := segments[timeline]
	if len(positions) == 0 {
		return nil, fault.New(fault.NotFound, fmt.Sprintf("pitr: no WAL of timeline %d is archived", timeline),
			"Give another --timeline, or leave it out for the newest.", nil)
	}
	s.next = positions[len(positions)-1] + 1
	s.history = []wal.Branch{{Timeline: timeline, Until: 1<<64 - 1}}
	if timeline > 1 {
		older, err := e.History(ctx, timeline, dir)
		if err != nil {
			return nil, err
		}
		slices.Reverse(older)
		s.history = append(s.history, older...)
	}
	return s, nil
}

// Timeline is the one whose end the scanner began at.
func (s *Scanner) Timeline() uint32 { return s.history[0].Timeline }

// Until is where the line of history left a timeline, or false for one that does not belong to it.
func (s *Scanner) Until(timeline uint32) (wal.LSN, bool) {
	at := slices.IndexFunc(s.history, func(a wal.Branch) bool { return a.Timeline == timeline })
	if at < 0 {
		return 0, false
	}
	return s.history[at].Until, true
}

func (s *Scanner) name(number uint64, timeline uint32) string {
	return pitr.SegmentAt(timeline, number, s.SegmentBytes).Name()
}

// errNoSegment is the end of what can be read backwards.
var errNoSegment = fault.New(fault.NotFound, "pitr: the archive has no more WAL in one piece before this", "", nil)

// beyondSegment is how far a record may reach into the next segment, in bytes.
const beyondSegment = 1 << 16

// Before reads the records of the segment before those that were read, in their order.
func (s *Scanner) Before(ctx context.Context) (records []wal.Record, err error) {
	if s.next == 0 {
		return nil, errNoSegment
	}
	number := s.next - 1
	begin := wal.LSN(number * uint64(s.SegmentBytes))
	timeline, err := s.fetch(ctx, number)
	if err != nil {
		return nil, err
	}
	end := begin + wal.LSN(s.SegmentBytes)
	for _, manager := range []string{wal.Transactions, wal.Points} {
		p, err := program(s.Engine, "pg_waldump", "--path="+s.Dir,
			"--timeline="+strconv.FormatUint(uint64(timeline), 10), "--start="+begin.String(),
			"--end="+(end+beyondSegment).String(), "--rmgr="+manager)
		if err != nil {
			return nil, err
		}
		// It fails at the end of what is there, and that is how it ends here.
		_ = stream(ctx, p, func(r io.Reader) error {
			return wal.Read(manager, r, func(record wal.Record) {
				if record.LSN >= begin && record.LSN < end {
					records = append(records, record)
				}
			})
		})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	slices.SortStableFunc(records, func(a, b wal.Record) int {
		return int(min(max(int64(a.LSN)-int64(b.LSN), -1), 1)) // in one segment
	})
	s.forget(number + 1)
	s.next = number
	return records, nil
}

// At reads the records of one segment, wherever the scanner stood; Before goes on from there.
func (s *Scanner) At(ctx context.Context, number uint64) ([]wal.Record, error) {
	s.Close()
	if _, err := s.fetch(ctx, number+1); err != nil && !errors.Is(err, errNoSegment) {
		return nil, err
	}
	s.next = number + 1
	return s.Before(ctx)
}

// fetch gets a segment of the newest timeline of the line that has it.
func (s *Scanner) fetch(ctx context.Context, number uint64) (timeline uint32, err error) {
	begin := wal.LSN(number * uint64(s.SegmentBytes))
	for i, line := range s.history {
		if i > 0 && begin >= line.Until {
			continue
		}
		name := s.name(number, line.Timeline)
		if err = s.Engine.Fetch(ctx, name, filepath.Join(s.Dir, name), s.SegmentBytes); err == nil {
			return line.Timeline, nil
		}
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if !errors.Is(err, pitr.ErrNotKept) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w (%s)", errNoSegment, s.name(number, s.history[0].Timeline))
}

// skip goes on at the end of the newest window before a gap that the scanner stands at. False: there is none.
func (s *Scanner) skip(windows []pitr.Window) bool {
	for i := len(windows) - 1; i >= 0; i-- {
		last, ok := pitr.ParseSegment(windows[i].Last)
		if end := last.Position(s.SegmentBytes) + 1; ok && end < s.next {
			s.Close()
			s.next = end
			return true
		}
	}
	return false
}

func (s *Scanner) forget(number uint64) {
	for _, line := range s.history {
		_ = os.Remove(filepath.Join(s.Dir, s.name(number, line.Timeline)))
	}
}

// Close removes what was fetched.
func (s *Scanner) Close() {
	s.forget(s.next)
	s.forget(s.next + 1)
}
