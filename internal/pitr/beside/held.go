package beside

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Held is a copy that exists for one call, and is nobody else's while that lasts.
type Held struct {
	*Copy
	Plan Plan
}

// WithCopy restores as Restore does, hands the copy to use, and removes it, however that ended. A sweep removes what
// a killed one has left.
func WithCopy(
	ctx context.Context, e *pitr.Engine, o Order, disks room.Disks, use func(context.Context, Held) error,
) (Plan, error) {
	o.Drill = true
	c, plan, release, err := restore(ctx, e, o, disks)
	if err != nil {
		return plan, err
	}
	defer release()
	kept, stop := disks.Keep(ctx, "pitr: look into a copy of the cluster", o.files(),
		"Free space there, or give a folder on another disk by --at.")
	if err = use(kept, Held{Copy: c, Plan: plan}); err != nil && kept.Err() != nil {
		err = context.Cause(kept) // the disk, or whoever ends the run: that says nothing of the copy
	}
	stop()
	return plan, errors.Join(err, c.remove())
}

// Promote ends the copy's recovery.
func (h Held) Promote(ctx context.Context) error { return h.promote(ctx) }

// Ends are the last transaction that ended before a position, and the first one that did behind it. Zero: there is
// none between the base backup and that position, or none behind it in the archive.
type Ends struct{ Before, After wal.Record }

// Ends reads the archived WAL around where the copy's recovery has stopped: what the copy itself says is not asked.
func (h Held) Ends(ctx context.Context, e *pitr.Engine) (ends Ends, err error) {
	dir, remove, err := e.Server.ScratchDir()
	if err != nil {
		return ends, err
	}
	defer remove()
	held, err := e.Holdings(ctx, h.Plan.control.SegmentBytes)
	if err == nil {
		err = held.Fault
	}
	if err != nil {
		return ends, err
	}
	s, err := NewScanner(ctx, e, held.Segments, dir, h.Plan.control.SegmentBytes, h.Plan.Timeline)
	if err != nil {
		return ends, err
	}
	defer s.Close()
	if err := s.endsBefore(ctx, &ends, h.Reached.LSN, h.Plan.From); err != nil {
		return ends, err
	}
	return ends, s.endsAfter(ctx, &ends, h.Reached.LSN)
}

func (s *Scanner) endsBefore(ctx context.Context, ends *Ends, at, from wal.LSN) error {
	records, err := s.At(ctx, uint64(at)/uint64(s.SegmentBytes))
	for range mostScanned {
		if err != nil {
			return fmt.Errorf("pitr: look for the last transaction before %s: %w", at, err)
		}
		for _, record := range records {
			if record.Kind != wal.RestorePoint && record.LSN < at && record.LSN >= from {
				ends.Before = record
			}
		}
		if ends.Before.LSN != 0 || s.next*uint64(s.SegmentBytes) <= uint64(from) {
			return nil
		}
		records, err = s.Before(ctx)
	}
	return nil
}

func (s *Scanner) endsAfter(ctx context.Context, ends *Ends, at wal.LSN) error {
	number := uint64(at) / uint64(s.SegmentBytes)
	for range mostScanned {
		records, err := s.At(ctx, number)
		if errors.Is(err, errNoSegment) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("pitr: look for the first transaction behind %s: %w", at, err)
		}
		for _, record := range records {
			if record.Kind != wal.RestorePoint && record.LSN >= at {
				ends.After = record
				return nil
			}
		}
		number++
	}
	return nil
}

// Count connects to every database of the copy and counts what is in it. It reads every table.
func (h Held) Count(ctx context.Context) ([]DatabaseLook, error) {
	all, err := h.databases(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		name := string(all[i].Name)
		if err := askJSON(ctx, h.Database(name), relationsSQL, &all[i].Relations); err != nil {
			return nil, err
		}
		if all[i].Tables, err = h.rows(ctx, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const relationsSQL = `SELECT pg_catalog.to_json(count(*)) FROM pg_catalog.pg_class AS c
	JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`

// Check runs pg_amcheck over a database of the copy, which has to be promoted: what it finds is an error with
// fault.Integrity, and what it cannot do is said.
func (h Held) Check(ctx context.Context, database string) (string, error) {
	return h.amcheck(ctx, database, false)
}
