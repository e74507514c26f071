package pitr

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// State is what a look at a cluster found.
type State struct {
	At         time.Time
	Version    Version
	Info       Info
	Windows    []Window // the newest last
	Gaps       []Gap
	OffTheWay  []uint32  // timelines with WAL that recovery to the newest one does not go through
	Archiver   *Archiver // nil: the server does not answer
	Ready      int       // segments that wait to be archived
	Unarchived *Unarchived
	StopFile   string
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
func (e *PgBackRest) Look(ctx context.Context, now time.Time) (State, error) {
	return e.LookAlong(ctx, now, 0)
}

// LookAlong is Look along a timeline; 0 is the newest that WAL is archived of.
func (e *PgBackRest) LookAlong(ctx context.Context, now time.Time, timeline uint32) (State, error) {
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
	if s.StopFile, err = e.Stopped(); err != nil {
		return s, err
	}
	archiver, silent := e.Archiver(ctx)
	if silent == nil {
		s.Archiver = &archiver
	} else if ctx.Err() != nil {
		return s, silent
	}
	if s.Info, err = e.Info(ctx); err != nil {
		return s, err
	}
	if problem := s.Info.Fault(); problem != nil {
		s.Problems = append(s.Problems, unreadable(problem))
	} else if err := e.lookAtRepository(ctx, &s, control, timeline); err != nil {
		return s, err
	}
	s.Problems = append(s.Problems, s.judge(e.Cluster, silent)...)
	return s, nil
}

// lookAtRepository lists what is there and computes the windows.
func (e *PgBackRest) lookAtRepository(ctx context.Context, s *State, control Control, timeline uint32) error {
	database, ok := s.Info.Current()
	if !ok {
		return nil
	}
	if database.SystemID.String() != control.SystemID {
		s.Problems = append(s.Problems, otherServer(database.SystemID.String(), control.SystemID))
		return nil
	}
	archive := database.Version + "-" + fmt.Sprint(database.ID)
	list, err := e.List(ctx, archive, control.SegmentBytes)
	if err != nil {
		return err
	}
	var whole []Backup
	for _, b := range s.Info.Whole(database.ID) {
		chain := append([]string{b.Label, b.Prior}, b.Reference...)
		lost := slices.IndexFunc(chain, func(label string) bool { return label != "" && !list.Backups[label] })
		if lost >= 0 {
			s.Problems = append(s.Problems, lostBackup(b.Label, chain[lost]))
			continue
		}
		whole = append(whole, b)
	}
	if len(list.Segments) == 0 {
		return nil
	}
	newest := cmp.Or(timeline, newestTimeline(list))
	var history []branch
	if newest > 1 {
		if history, err = e.history(ctx, archive, newest); err != nil {
			return err
		}
	}
	w := wayTo(newest, history, control.SegmentBytes)
	for timeline := range list.Segments {
		if !slices.Contains(w.timelines, timeline) {
			s.OffTheWay = append(s.OffTheWay, timeline)
		}
	}
	slices.Sort(s.OffTheWay)
	pieces := w.pieces(list.Segments)
	s.Windows = w.windows(pieces, whole)
	if err := e.findEnds(ctx, s.Windows, w); err != nil {
		return err
	}
	s.Gaps = w.gaps(pieces, s.Windows)
	return e.lookAtTheEnd(ctx, s, control, pieces)
}

func newestTimeline(l Listing) (newest uint32) {
	for timeline := range l.Segments {
		newest = max(newest, timeline)
	}
	return newest
}

// lookAtTheEnd compares the last archived segment with what the server has and believes.
func (e *PgBackRest) lookAtTheEnd(ctx context.Context, s *State, control Control, pieces []piece) error {
	if len(pieces) == 0 {
		return nil
	}
	last := pieces[len(pieces)-1]
	if a := s.Archiver; a != nil {
		believed, ok := parseSegmentName(a.LastSegment)
		if ok && believed.Timeline == last.timeline && believed.position(control.SegmentBytes) > last.to {
			s.Problems = append(s.Problems,
				dropped(a.LastSegment, segmentAt(last.timeline, last.to, control.SegmentBytes).Name()))
		}
	}
	u, err := e.Server.Unarchived(ctx, segmentAt(last.timeline, last.to+1, control.SegmentBytes), control)
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
func (e *PgBackRest) findEnds(ctx context.Context, windows []Window, on way) error {
	if len(windows) == 0 {
		return nil
	}
	dir, err := e.folder()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for i := max(0, len(windows)-mostEnds); i < len(windows); i++ {
		if err := e.findEnd(ctx, dir, &windows[i], on); err != nil {
			return err
		}
	}
	return nil
}

// folder is a private one of the owner of the server's files.
func (e *PgBackRest) folder() (string, error) {
	dir, err := os.MkdirTemp("", "pgbtui-wal-")
	if err != nil {
		return "", fmt.Errorf("pitr: make a folder for WAL: %w", err)
	}
	if os.Geteuid() != 0 {
		return dir, nil
	}
	if err := os.Chown(dir, int(e.Server.UID), int(e.Server.GID)); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("pitr: hand a folder to the owner of the server's files: %w", err)
	}
	return dir, nil
}

// findEnd walks back from a window's last segment to the last commit. A record that reaches into the next segment is
// read with it, so that one is kept.
func (e *PgBackRest) findEnd(ctx context.Context, dir string, w *Window, on way) error {
	last, _ := parseSegmentName(w.Last)
	first, _ := parseSegmentName(w.First)
	position := last.position(on.segmentBytes)
	for range walksBack {
		at := segmentAt(on.at(position), position, on.segmentBytes)
		// With locks of its own a stop file does not keep it from reading.
		err := e.Fetch(ctx, at.Name(), filepath.Join(dir, at.Name()), on.segmentBytes, "--lock-path="+dir)
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
		if position <= first.position(on.segmentBytes) {
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
