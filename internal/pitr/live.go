package pitr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// What the server on this host shows: what it is, how its archiver does, and what of its WAL is not in the archive.

// Control is what pg_controldata says, which needs no running server.
type Control struct {
	SystemID     string
	SegmentBytes int64
	Timeline     uint32
	Checkpoint   wal.LSN // of the latest: WAL was written at least to here
}

// Control asks pg_controldata.
func (s Server) Control(ctx context.Context) (Control, error) {
	as, err := s.Owner()
	if err != nil {
		return Control{}, err
	}
	out, err := Output(ctx, Command{Program: s.Program("pg_controldata"), Args: []string{s.DataDirectory}, As: as})
	if err != nil {
		return Control{}, fmt.Errorf("pitr: read the control file of %s: %w", s.DataDirectory, err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			values[key] = strings.TrimSpace(value)
		}
	}
	c := Control{SystemID: values["Database system identifier"]}
	c.SegmentBytes, _ = strconv.ParseInt(values["Bytes per WAL segment"], 10, 64)
	timeline, _ := strconv.ParseUint(values["Latest checkpoint's TimeLineID"], 10, 32)
	c.Timeline = uint32(timeline)
	c.Checkpoint, _ = wal.ParseLSN(values["Latest checkpoint location"])
	if !ValidSegmentBytes(c.SegmentBytes) || c.SystemID == "" {
		return Control{}, fault.New(fault.Failed,
			"pitr: pg_controldata of "+s.DataDirectory+" says nothing that is known", "", nil)
	}
	return c, nil
}

// Archiver is how the server's archiver does.
type Archiver struct {
	Mode         string     `json:"mode"`    // on, off, always
	Command      string     `json:"command"` // "" when a library archives
	Library      string     `json:"library,omitempty"`
	Timeout      int64      `json:"timeoutSeconds"` // after which a segment is archived that is not full; 0: never
	Archived     int64      `json:"archived"`
	LastSegment  string     `json:"lastSegment"` // that the server takes for archived
	LastAt       *time.Time `json:"lastAt"`
	Failed       int64      `json:"failed"`
	FailedAt     *time.Time `json:"failedAt"`
	FailedName   string     `json:"failedName,omitempty"`
	InRecovery   bool       `json:"inRecovery"`
	TrackedSince *time.Time `json:"since"` // when the counts began
}

const archiverSQL = `SELECT pg_catalog.json_build_object(
	'mode', pg_catalog.current_setting('archive_mode'), 'command', pg_catalog.current_setting('archive_command'),
	'library', coalesce(pg_catalog.current_setting('archive_library', true), ''),
	'timeoutSeconds', (SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'archive_timeout'),
	'archived', archived_count, 'lastSegment', coalesce(last_archived_wal, ''), 'lastAt', last_archived_time,
	'failed', failed_count, 'failedAt', last_failed_time, 'failedName', coalesce(last_failed_wal, ''),
	'inRecovery', pg_catalog.pg_is_in_recovery(), 'since', stats_reset)
	FROM pg_catalog.pg_stat_archiver`

// Archiver asks the server.
func (s Server) Archiver(ctx context.Context) (a Archiver, err error) {
	return a, s.SQL(ctx, "postgres", archiverSQL, &a)
}

// Failing reports whether the newest that the archiver did was to fail.
func (a Archiver) Failing() bool {
	return a.FailedAt != nil && (a.LastAt == nil || a.FailedAt.After(*a.LastAt))
}

// Ready are the segments that wait to be archived.
func (s Server) Ready() (int, error) {
	found, err := os.ReadDir(filepath.Join(s.DataDirectory, "pg_wal", "archive_status"))
	if errors.Is(err, os.ErrPermission) {
		return 0, fault.New(fault.NotPermitted, "pitr: count the segments that wait", AsOwner, err)
	}
	ready := 0
	for _, f := range found {
		if strings.HasSuffix(f.Name(), ".ready") {
			ready++
		}
	}
	return ready, err
}

// Unarchived is what would be lost if this host were lost now.
type Unarchived struct {
	Commits int        `json:"commits"` // counted up to mostCommits
	Since   *time.Time `json:"since"`   // of the first of them; nil: there is none
	Gone    bool       `json:"gone"`    // WAL is neither in the archive nor on the server any more
}

const mostCommits = 10_000

// Unarchived reads the server's own WAL from a segment on. A segment that is not there was not written yet, or is gone.
func (s Server) Unarchived(ctx context.Context, from Segment, c Control) (u Unarchived, err error) {
	from.Timeline = c.Timeline
	if _, err := os.Stat(filepath.Join(s.DataDirectory, "pg_wal", from.Name())); errors.Is(err, os.ErrNotExist) {
		u.Gone = from.begins(c.SegmentBytes) < c.Checkpoint
		return u, nil
	}
	err = s.commits(ctx, filepath.Join(s.DataDirectory, "pg_wal"), from, c.SegmentBytes, func(r wal.Record) bool {
		if u.Commits++; u.Since == nil {
			u.Since = &r.Time
		}
		return u.Commits < mostCommits
	})
	return u, err
}

// begins is the position in WAL of a segment's first byte.
func (s Segment) begins(segmentBytes int64) wal.LSN {
	return wal.LSN(s.Position(segmentBytes) * uint64(segmentBytes)) // sizes are positive
}

// commits hands each commit to see, from a segment on to the end of what lies in a folder, or until it says false.
// It is told where that end is, since it would wait five seconds for another segment.
func (s Server) commits(
	ctx context.Context, dir string, from Segment, segmentBytes int64, see func(wal.Record) bool,
) error {
	as, err := s.Owner()
	if err != nil {
		return err
	}
	c := Command{Program: s.Program("pg_waldump"), As: as, Args: []string{
		"--path=" + dir, "--timeline=" + strconv.FormatUint(uint64(from.Timeline), 10),
		"--start=" + from.begins(segmentBytes).String(), "--rmgr=" + wal.Transactions,
		"--end=" + endOf(dir, from, segmentBytes).String(),
	}}
	more := true
	c.Read = func(r io.Reader) error {
		err := wal.Read(wal.Transactions, &whileReader{from: r, more: &more}, func(record wal.Record) {
			if record.Kind == wal.Commit && more {
				more = see(record)
			}
		})
		if !more {
			return ErrEnough
		}
		return err
	}
	c.Failed = func(end *ExitError) error {
		if end.Code == 1 { // at a record that is not whole yet, or at what is left of an older segment
			return nil
		}
		return end
	}
	return Run(ctx, c)
}

// endOf is where the segments end that lie in a folder one after the other.
func endOf(dir string, from Segment, segmentBytes int64) wal.LSN {
	for {
		if _, err := os.Stat(filepath.Join(dir, from.Name())); err != nil {
			return from.begins(segmentBytes)
		}
		from = SegmentAt(from.Timeline, from.Position(segmentBytes)+1, segmentBytes)
	}
}

// whileReader ends when no more is wanted.
type whileReader struct {
	from io.Reader
	more *bool
}

func (w *whileReader) Read(p []byte) (int, error) {
	if !*w.more {
		return 0, io.EOF
	}
	return w.from.Read(p)
}
