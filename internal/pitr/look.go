package pitr

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// State is what a look at a cluster found.
type State struct {
	At         time.Time
	Version    string   // of the engine
	Held       Holdings // what lies in the repository
	Segments   int      // that are kept
	Windows    []Window // the newest last
	Gaps       []Gap
	OffTheWay  []uint32  // timelines with WAL that recovery to the newest one does not go through
	Archiver   *Archiver // nil: the server does not answer
	Ready      int       // segments that wait to be archived
	Unarchived *Unarchived
	Problems   []Problem
}

// Newest is the window that reaches furthest, or none.
func (s State) Newest() (Window, bool) {
	if len(s.Windows) == 0 {
		return Window{}, false
	}
	return s.Windows[len(s.Windows)-1], true
}

// Loss is how much would be lost if this host were lost now: false if nobody knows.
func (s State) Loss() (time.Duration, bool) {
	switch {
	case s.Unarchived == nil || s.Unarchived.Gone:
		return 0, false
	case s.Unarchived.Since == nil:
		return 0, true
	}
	return max(0, s.At.Sub(*s.Unarchived.Since)), true
}

// Look finds out what can be recovered, and what is wrong. An error is that of the look itself; what is wrong with the
// cluster are its Problems. The server is asked before the repository is listed: what it takes for archived then has to
// be there.
func (e *Engine) Look(ctx context.Context, now time.Time) (State, error) {
	return e.LookAlong(ctx, now, 0)
}

// LookAlong is Look along a timeline; 0 is the newest that WAL is archived of.
func (e *Engine) LookAlong(ctx context.Context, now time.Time, timeline uint32) (State, error) {
	s := State{At: now}
	var err error
	if s.Version, err = e.Version(ctx); err != nil {
		return s, err
	}
	control, err := e.Server.Control(ctx)
	if err != nil {
		return s, err
	}
	if s.Ready, err = e.Server.Ready(); err != nil {
		return s, err
	}
	archiver, silent := e.Server.Archiver(ctx)
	if silent == nil {
		s.Archiver = &archiver
	} else if ctx.Err() != nil {
		return s, silent
	}
	if s.Held, err = e.Holdings(ctx, control.SegmentBytes); err != nil {
		return s, err
	}
	held := s.Held
	s.Problems = append(s.Problems, held.Problems...)
	switch {
	case held.Fault != nil:
		s.Problems = append(s.Problems, e.Words.unreadable(held.Fault))
	case held.SystemID != "" && held.SystemID != control.SystemID:
		s.Problems = append(s.Problems, e.Words.otherServer(held.SystemID, control.SystemID))
	default:
		if err := e.lookAtRepository(ctx, &s, control, timeline); err != nil {
			return s, err
		}
	}
	s.Problems = append(s.Problems, s.judge(e.Cluster, e.Words, silent)...)
	return s, nil
}

// lookAtRepository computes the windows from what is there.
func (e *Engine) lookAtRepository(ctx context.Context, s *State, control Control, timeline uint32) error {
	held := s.Held
	for _, positions := range held.Segments {
		s.Segments += len(positions)
	}
	if s.Segments == 0 {
		return nil
	}
	dir, remove, err := e.Server.ScratchDir()
	if err != nil {
		return err
	}
	defer remove()
	newest := cmp.Or(timeline, held.Segments.Newest())
	var history []wal.Branch
	if newest > 1 {
		if history, err = e.History(ctx, newest, dir); err != nil {
			return err
		}
	}
	w := wayTo(newest, history, control.SegmentBytes)
	for timeline := range held.Segments {
		if !slices.Contains(w.timelines, timeline) {
			s.OffTheWay = append(s.OffTheWay, timeline)
		}
	}
	slices.Sort(s.OffTheWay)
	pieces := w.pieces(held.Segments)
	s.Windows = w.windows(pieces, held.Whole())
	if err := e.findEnds(ctx, dir, s.Windows, w); err != nil {
		return err
	}
	s.Gaps = w.gaps(pieces, s.Windows)
	return e.lookAtTheEnd(ctx, s, control, pieces)
}

// mostHistory bounds a timeline's history, in bytes: it is no larger than any segment.
const mostHistory = 1 << 20

// History fetches from which timelines one comes, the oldest first. The folder is of the owner of the server's files.
func (e *Engine) History(ctx context.Context, timeline uint32, dir string) ([]wal.Branch, error) {
	file := filepath.Join(dir, wal.HistoryName(timeline))
	defer func() { _ = os.Remove(file) }()
	if err := e.Fetch(ctx, wal.HistoryName(timeline), file, mostHistory); err != nil {
		return nil, fmt.Errorf("pitr: fetch the history of timeline %d: %w", timeline, err)
	}
	raw, err := bounded.ReadFile(file, mostHistory)
	if err != nil {
		return nil, fmt.Errorf("pitr: read the history of timeline %d: %w", timeline, err)
	}
	return wal.ParseHistory(string(raw))
}

// lookAtTheEnd compares the last archived segment with what the server has and believes.
func (e *Engine) lookAtTheEnd(ctx context.Context, s *State, control Control, pieces []piece) error {
	if len(pieces) == 0 {
		return nil
	}
	last := pieces[len(pieces)-1]
	if a := s.Archiver; a != nil {
		believed, ok := ParseSegment(a.LastSegment)
		if ok && believed.Timeline == last.timeline && believed.Position(control.SegmentBytes) > last.to {
			s.Problems = append(s.Problems,
				e.Words.dropped(a.LastSegment, SegmentAt(last.timeline, last.to, control.SegmentBytes).Name()))
		}
	}
	u, err := e.Server.Unarchived(ctx, SegmentAt(last.timeline, last.to+1, control.SegmentBytes), control)
	s.Unarchived = &u
	return err
}

// walksBack bounds how many segments are fetched to find the last commit of a window. In more than that, nobody has
// committed anything.
const walksBack = 64

// mostEnds bounds how many windows are looked at to the commit. The end of an older one is taken to be its beginning,
// which never claims too much.
const mostEnds = 50

// findEnds finds the last commit of each window.
func (e *Engine) findEnds(ctx context.Context, dir string, windows []Window, on way) error {
	for i := max(0, len(windows)-mostEnds); i < len(windows); i++ {
		if err := e.findEnd(ctx, dir, &windows[i], on); err != nil {
			return err
		}
	}
	return nil
}

// findEnd walks back from a window's last segment to the last commit. A record that reaches into the next segment is
// read with it, so that one is kept.
func (e *Engine) findEnd(ctx context.Context, dir string, w *Window, on way) error {
	last, _ := ParseSegment(w.Last)
	first, _ := ParseSegment(w.First)
	position := last.Position(on.segmentBytes)
	for range walksBack {
		at := SegmentAt(on.at(position), position, on.segmentBytes)
		err := e.Fetch(ctx, at.Name(), filepath.Join(dir, at.Name()), on.segmentBytes)
		if err != nil {
			return fmt.Errorf("pitr: fetch segment %s: %w", at.Name(), err)
		}
		var until time.Time
		err = e.Server.commits(ctx, dir, at, on.segmentBytes, func(r wal.Record) bool {
			until = r.Time
			return true
		})
		if err != nil {
			return err
		}
		if !until.IsZero() {
			w.Until = latest(until, w.After)
			return nil
		}
		if position <= first.Position(on.segmentBytes) {
			return nil // nothing was committed since the backup
		}
		_ = os.Remove(filepath.Join(dir, on.name(position+1)))
		position--
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Usable reports whether recovery can start from a backup.
func (s State) Usable(label string) bool {
	return slices.ContainsFunc(s.Windows, func(w Window) bool { return slices.Contains(w.Backups, label) })
}
