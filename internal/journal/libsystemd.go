//go:build cgo

// The journal through libsystemd, which is loaded when the first journal is opened.

package journal

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/sdjournal"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// waitTurn is how long one wait may last: sd_journal_wait holds the journal's lock.
const waitTurn = 250 * time.Millisecond

type sdSource struct{ journal *sdjournal.Journal }

// openSource opens the journal in dir; "": this machine's.
func openSource(dir string) (source, error) {
	var j *sdjournal.Journal
	var err error
	if dir == "" {
		j, err = sdjournal.NewJournal()
	} else {
		j, err = sdjournal.NewJournalFromDir(dir)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "journal: open", remedyOfOpen(err), err)
	}
	// A compressed value is unpacked up to here only; one byte more shows that it was cut.
	if err := j.SetDataThreshold(maxMessage + uint64(len("MESSAGE=")) + 1); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: open: %w", err), j.Close())
	}
	return &sdSource{j}, nil
}

// remedyOfOpen tells a libsystemd that cannot be loaded from one that refused, which gives an errno.
func remedyOfOpen(err error) string {
	var refused syscall.Errno
	if errors.As(err, &refused) {
		return ""
	}
	return "Make sure that libsystemd.so.0 is installed: on Debian and Ubuntu it is in the package libsystemd0."
}

func (s *sdSource) close() error { return s.journal.Close() }

func (s *sdSource) scan(ctx context.Context, sc scan, visit func(Entry) bool) error {
	s.journal.Wait(0) // notices files that were added or removed since; an error here shows in reading
	if err := s.begin(sc); err != nil {
		return err
	}
	step := s.journal.Next
	if sc.older {
		step = s.journal.Previous
	}
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := step()
		if err != nil {
			return fmt.Errorf("journal: read: %w", err)
		}
		if n == 0 {
			return nil
		}
		if first && sc.from != "" && s.journal.TestCursor(sc.from) == nil {
			continue
		}
		if e, ok := s.entry(); ok && !visit(e) {
			return nil
		}
	}
}

// begin sets the matches and seeks. After a seek to a cursor, the first step lands on the
// cursor's own entry if it matches, else on its neighbour.
func (s *sdSource) begin(sc scan) error {
	s.journal.FlushMatches()
	for i, alternative := range sc.matches {
		if i > 0 {
			if err := s.journal.AddDisjunction(); err != nil {
				return fmt.Errorf("journal: select: %w", err)
			}
		}
		for _, m := range alternative {
			if err := s.journal.AddMatch(m); err != nil {
				return fmt.Errorf("journal: select %s: %w", m, err)
			}
		}
	}
	var err error
	switch {
	case sc.from != "":
		err = s.journal.SeekCursor(sc.from)
	case !sc.start.IsZero():
		err = s.journal.SeekRealtimeUsec(uint64(max(0, sc.start.UnixMicro())))
	case sc.older:
		err = s.journal.SeekTail()
	default:
		err = s.journal.SeekHead()
	}
	if err != nil {
		return fmt.Errorf("journal: seek: %w", err)
	}
	return nil
}

func (s *sdSource) entry() (e Entry, ok bool) {
	raw, err := s.journal.GetEntry()
	if err == nil {
		return newEntry(raw.Cursor, raw.RealtimeTimestamp, raw.Fields), true
	}
	cursor, cursorErr := s.journal.GetCursor()
	if cursorErr != nil {
		return Entry{}, false
	}
	at, _ := s.journal.GetRealtimeUsec()
	return unreadable(cursor, at, err.Error()), true
}

func (s *sdSource) unitNames() ([]string, error) {
	var names []string
	for _, field := range []string{"_SYSTEMD_UNIT", "UNIT"} {
		values, err := s.journal.GetUniqueValues(field)
		if err != nil {
			return nil, fmt.Errorf("journal: list units: %w", err)
		}
		names = append(names, values...)
	}
	return names, nil
}

func (s *sdSource) wait(ctx context.Context) (changed bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	r := s.journal.Wait(waitTurn)
	if r < 0 {
		return false, fmt.Errorf("journal: wait: error %d", -r)
	}
	return r != sdjournal.SD_JOURNAL_NOP, nil
}
