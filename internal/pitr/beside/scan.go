package beside

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Scanner reads the archive backwards, segment by segment: what ended when. A record that reaches into the next segment
// is read with it, so the next one is kept.
type Scanner struct {
	Engine       *pitr.PgBackRest
	Dir          string // for the segments; of the owner of the server's files
	SegmentBytes int64

	history []ancestor // of the timeline, the timeline itself first
	next    uint64     // the segment to be read, plus one
}

// ancestor is a timeline and where the next one left it.
type ancestor struct {
	timeline uint32
	until    wal.LSN
}

// NewScanner stands at the end of what is archived of a timeline; 0 is the newest one.
func NewScanner(
	ctx context.Context, e *pitr.PgBackRest, info pitr.Info, dir string, segmentBytes int64, timeline uint32,
) (*Scanner, error) {
	s := &Scanner{Engine: e, Dir: dir, SegmentBytes: segmentBytes}
	last, err := s.last(ctx, info, timeline)
	if err != nil {
		return nil, err
	}
	s.next = s.number(last) + 1
	s.history = []ancestor{{timeline: last.Timeline, until: 1<<64 - 1}}
	if last.Timeline > 1 {
		if err := s.readHistory(ctx, last.Timeline); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Timeline is the one whose end the scanner began at.
func (s *Scanner) Timeline() uint32 { return s.history[0].timeline }

// Until is where the line of history left a timeline, or false for one that does not belong to it.
func (s *Scanner) Until(timeline uint32) (wal.LSN, bool) {
	at := slices.IndexFunc(s.history, func(a ancestor) bool { return a.timeline == timeline })
	if at < 0 {
		return 0, false
	}
	return s.history[at].until, true
}

func (s *Scanner) number(segment pitr.Segment) uint64 {
	return (uint64(segment.Log)<<32)/uint64(s.SegmentBytes) + uint64(segment.Number)
}

func (s *Scanner) name(number uint64, timeline uint32) string {
	at := number * uint64(s.SegmentBytes)
	return pitr.Segment{
		Timeline: timeline, Log: uint32(at >> 32), // the upper half
		Number: uint32(at & 0xFFFFFFFF / uint64(s.SegmentBytes)), // less than 4096
	}.Name()
}

func parseSegment(name string) (segment pitr.Segment, err error) {
	if len(name) < 24 {
		return segment, fmt.Errorf("%.40q is no WAL segment", name)
	}
	for i, into := range []*uint32{&segment.Timeline, &segment.Log, &segment.Number} {
		n, err := strconv.ParseUint(name[8*i:8*i+8], 16, 32)
		if err != nil {
			return segment, fmt.Errorf("%.40q is no WAL segment", name)
		}
		*into = uint32(n)
	}
	return segment, nil
}

// last is the last archived segment of a timeline.
func (s *Scanner) last(ctx context.Context, info pitr.Info, timeline uint32) (pitr.Segment, error) {
	database, _ := info.Current()
	for _, archive := range info.Archive {
		if archive.Database.ID != database.ID || archive.Max == "" {
			continue
		}
		newest, err := parseSegment(archive.Max)
		if err != nil || timeline == 0 || newest.Timeline == timeline {
			return newest, err
		}
		return s.lastListed(ctx, "archive/"+s.Engine.Cluster.Stanza+"/"+archive.ID, timeline)
	}
	return pitr.Segment{}, fault.New(fault.NotFound, "pitr: no WAL is archived",
		"Look with `pgbtui cluster status` why no WAL reaches the archive.", nil)
}

// lastListed looks for the last segment of an older timeline.
func (s *Scanner) lastListed(ctx context.Context, folder string, timeline uint32) (pitr.Segment, error) {
	greatest := func(folder string) (name string, err error) {
		out, err := s.Engine.Output(ctx, "repo-ls", folder)
		return greatestOf(string(out), timeline), err
	}
	log, err := greatest(folder)
	if err == nil && log != "" {
		log, err = greatest(folder + "/" + log)
	}
	if err != nil {
		return pitr.Segment{}, err
	}
	if log == "" {
		return pitr.Segment{}, fault.New(fault.NotFound, fmt.Sprintf("pitr: no WAL of timeline %d is archived", timeline),
			"Give another --timeline, or leave it out for the newest.", nil)
	}
	return parseSegment(log)
}

// greatestOf is the last folder or segment of a timeline in a listing. The segment that a timeline was left in is
// archived as .partial, and is none.
func greatestOf(listing string, timeline uint32) (name string) {
	for line := range strings.Lines(listing) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, fmt.Sprintf("%08X", timeline)) || len(line) < 16 ||
			strings.Contains(line, ".history") || strings.Contains(line, ".backup") || strings.Contains(line, ".partial") {
			continue
		}
		name = max(name, line)
	}
	return name
}

// readHistory reads from which timelines one comes.
func (s *Scanner) readHistory(ctx context.Context, timeline uint32) error {
	name := fmt.Sprintf("%08X.history", timeline)
	file := filepath.Join(s.Dir, name)
	defer func() { _ = os.Remove(file) }()
	if err := s.Engine.Fetch(ctx, name, file, s.SegmentBytes); err != nil {
		return fmt.Errorf("pitr: fetch the history of timeline %d: %w", timeline, err)
	}
	raw, err := bounded.ReadFile(file, mostOutput)
	if err != nil {
		return err
	}
	older, err := parseHistory(raw)
	s.history = append(s.history, older...)
	return err
}

// parseHistory reads a timeline's history file, the latest ancestor first.
func parseHistory(raw []byte) (older []ancestor, err error) {
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		timeline, errLine := strconv.ParseUint(fields[0], 10, 32)
		until, errUntil := wal.ParseLSN(fields[1])
		if errLine != nil || errUntil != nil {
			return nil, fault.New(fault.Integrity,
				fmt.Sprintf("pitr: %.80q is no line of a timeline's history", lines.Text()),
				"Look who has written to the repository besides the engine.", nil)
		}
		older = append(older, ancestor{timeline: uint32(timeline), until: until})
	}
	slices.Reverse(older)
	return older, lines.Err()
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
		if i > 0 && begin >= line.until {
			continue
		}
		name := s.name(number, line.timeline)
		if err = s.Engine.Fetch(ctx, name, filepath.Join(s.Dir, name), s.SegmentBytes); err == nil {
			return line.timeline, nil
		}
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		// 1 says that it is not there; the engine has no word of its own for that.
		if fault.CodeOf(err) != fault.Failed {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w (%s)", errNoSegment, s.name(number, s.history[0].timeline))
}

// skip goes on at the end of the newest window before a gap that the scanner stands at. False: there is none.
func (s *Scanner) skip(windows []pitr.Window) bool {
	for i := len(windows) - 1; i >= 0; i-- {
		last, err := parseSegment(windows[i].Last)
		if err == nil && s.number(last)+1 < s.next {
			s.Close()
			s.next = s.number(last) + 1
			return true
		}
	}
	return false
}

func (s *Scanner) forget(number uint64) {
	for _, line := range s.history {
		_ = os.Remove(filepath.Join(s.Dir, s.name(number, line.timeline)))
	}
}

// Close removes what was fetched.
func (s *Scanner) Close() {
	s.forget(s.next)
	s.forget(s.next + 1)
}
