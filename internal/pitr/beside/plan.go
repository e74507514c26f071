package beside

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// Order is a restore that is wanted.
type Order struct {
	Target   Target
	Timeline uint32        // 0: the newest in the archive
	Dir      string        // of the records of copies; "": DefaultDir
	At       string        // folder for the files; "": Dir
	TTL      time.Duration // 0: DefaultTTL
	Drill    bool          // for the one who makes it alone: swept as soon as nobody works on it

	// Choose makes the target of what can be recovered; nil: Target is it.
	Choose func(pitr.State) (Target, error)
	Tell   func(string) // how it goes; nil: nobody is told
	Watch  func(Seen)   // how far it has replayed, several times a second; nil: nobody is told
}

func (o Order) tell(format string, args ...any) {
	if o.Tell != nil {
		o.Tell(fmt.Sprintf(format, args...))
	}
}

// Plan is how a target is reached, as far as it is known before anything is restored.
type Plan struct {
	Target    Target       `json:"target"`
	Stop      Target       `json:"stop"`     // what recovery is told: of the end, the position of the last commit
	Set       string       `json:"set"`      // label of the base backup
	Backup    time.Time    `json:"backup"`   // when that was done
	Timeline  uint32       `json:"timeline"` // along which WAL is replayed
	LastKnown time.Time    `json:"lastCommit"`
	Around    []wal.Record `json:"around,omitempty"` // what ended nearest to a transaction, a restore point or the end
	SizeBytes int64        `json:"sizeBytes"`
	FreeBytes int64        `json:"freeBytes"`
	Libraries []string     `json:"libraries,omitempty"`
	LeftOut   []string     `json:"leftOut,omitempty"` // libraries whose jobs would run a second time
	Notes     []string     `json:"notes,omitempty"`

	Window pitr.Window `json:"window"` // that the target lies in
	From   wal.LSN     `json:"from"`   // from which on WAL is replayed

	control Control // of the live cluster
}

// planner collects a plan.
type planner struct {
	engine *pitr.Engine
	order  Order
	state  pitr.State
	held   pitr.Holdings
	plan   Plan
}

// Prepare looks whether a target can be reached, and how. It starts nothing, and leaves nothing.
func Prepare(ctx context.Context, e *pitr.Engine, o Order, disks room.Disks) (Plan, error) {
	if o.Choose == nil {
		if err := o.Target.Check(); err != nil {
			return Plan{}, err
		}
	}
	p := &planner{engine: e, order: o}
	var err error
	if p.state, err = e.LookAlong(ctx, time.Now(), o.Timeline); err == nil {
		p.held = p.state.Held
		err = p.held.Fault
	}
	if err == nil && o.Choose != nil {
		p.order.Target, err = o.Choose(p.state)
	}
	p.plan.Target, p.plan.Stop = p.order.Target, p.order.Target
	if err == nil {
		p.plan.control, err = ReadControl(ctx, e, e.Server.DataDirectory)
	}
	if err == nil {
		err = p.version()
	}
	if err == nil {
		err = p.reach(ctx)
	}
	if err == nil {
		err = p.room(disks)
	}
	if err == nil {
		p.libraries(ctx)
	}
	return p.plan, err
}

// version refuses a stanza that is not of this server: its programs could not start the copy.
func (p *planner) version() error {
	if len(p.held.Whole()) == 0 {
		return fault.New(fault.NotFound, "pitr: there is no whole base backup to begin from",
			"Make one; WAL alone recovers nothing.", nil)
	}
	if p.held.Version != "" && p.held.Version != fmt.Sprint(p.engine.Server.Major) {
		return fault.New(fault.Refused,
			fmt.Sprintf("pitr: the repository is of PostgreSQL %s, the server here of %d", p.held.Version,
				p.engine.Server.Major),
			"Install the programs of that version, and name a data directory of it.", nil)
	}
	if p.held.SystemID != "" && p.held.SystemID != fmt.Sprint(p.plan.control.SystemID) {
		return fault.New(fault.Refused,
			fmt.Sprintf("pitr: the repository is of system %s, the server here is system %d", p.held.SystemID,
				p.plan.control.SystemID),
			"Correct the stanza or the data directory of the cluster in the configuration.", nil)
	}
	return nil
}

// mostScanned bounds how many segments are fetched to find a transaction or a restore point.
const mostScanned = 4096

// reach finds the end of what is archived, the target in it where that is not a time, and the base backup before it.
func (p *planner) reach(ctx context.Context) error {
	dir, remove, err := p.engine.Server.ScratchDir()
	if err != nil {
		return err
	}
	defer remove()
	s, err := NewScanner(ctx, p.engine, p.held.Segments, dir, p.plan.control.SegmentBytes, p.order.Timeline)
	if err != nil {
		return err
	}
	defer s.Close()
	p.plan.Timeline = s.Timeline()
	newest, records, err := p.lastCommit(ctx, s)
	if err != nil {
		return err
	}
	p.plan.LastKnown = newest.Time
	target := p.order.Target
	switch {
	case target.End:
		p.plan.Stop, p.plan.Around = Target{LSN: newest.LSN}, around(records, newest.LSN)
		return p.reachPosition(s, newest.LSN)
	case !target.Time.IsZero():
		return p.reachTime(s, newest)
	case target.LSN != 0:
		if target.LSN > newest.LSN {
			return beyond(target.String(), "position "+newest.LSN.String(), newest)
		}
		return p.reachPosition(s, target.LSN)
	}
	return p.search(ctx, s, records)
}

// beyond is a target that recovery would not meet: the server would start, and end with an error.
func beyond(target, end string, newest wal.Record) error {
	return fault.New(fault.Refused,
		fmt.Sprintf("pitr: %s is not before the last commit in the archive, which is %s", target, end),
		fmt.Sprintf("Use --to-end for all that is archived, up to transaction %d; or wait until more WAL is archived.",
			newest.XID), nil)
}

// lastCommit walks back to the newest commit, and has the records of its segment.
func (p *planner) lastCommit(ctx context.Context, s *Scanner) (newest wal.Record, records []wal.Record, err error) {
	for range mostScanned {
		if records, err = p.before(ctx, s); err != nil {
			break
		}
		for _, record := range records {
			if record.Kind == wal.Commit {
				newest = record
			}
		}
		if newest.LSN != 0 {
			return newest, records, nil
		}
	}
	if err == nil || errors.Is(err, errNoSegment) {
		err = fault.New(fault.NotFound, "pitr: there is no commit in what is archived",
			"Wait until the server has written and archived something.", err)
	}
	return newest, nil, err
}

// search walks back until the transaction or the restore point is met.
func (p *planner) search(ctx context.Context, s *Scanner, records []wal.Record) (err error) {
	target := p.order.Target
	for range mostScanned {
		for _, record := range records {
			if target.Name != "" && record.Kind == wal.RestorePoint && record.Name == target.Name ||
				target.XID != 0 && record.Kind != wal.RestorePoint && record.XID == target.XID {
				p.plan.Around = around(records, record.LSN)
				return p.reachPosition(s, record.LSN)
			}
		}
		if records, err = p.before(ctx, s); err != nil {
			break
		}
	}
	if err != nil && !errors.Is(err, errNoSegment) {
		return err
	}
	return fault.New(fault.NotFound, "pitr: what is archived has no "+strings.TrimPrefix(target.String(), "before "),
		"Look at the number or the name; restore to a time shortly before it instead.", err)
}

// mostAround is how many records are shown on each side.
const mostAround = 5

func around(records []wal.Record, at wal.LSN) []wal.Record {
	for i, record := range records {
		if record.LSN == at {
			return records[max(0, i-mostAround):min(len(records), i+mostAround+1)]
		}
	}
	return nil
}

// choose takes the newest base backup that lies before the target, on the line that leads to it, without a gap between.
func (p *planner) choose(s *Scanner, in pitr.Window, before func(pitr.Backup) bool) error {
	whole := p.held.Whole()
	for i := len(whole) - 1; i >= 0; i-- {
		b := whole[i]
		segment, ok := pitr.ParseSegment(b.StopSegment)
		if !ok {
			continue // a backup without WAL
		}
		if until, ours := s.Until(segment.Timeline); !ours || b.StopLSN > until || !before(b) ||
			!slices.Contains(in.Backups, b.Label) {
			continue
		}
		p.plan.Set = b.Label
		p.plan.Backup = b.Stopped
		p.plan.SizeBytes = b.SizeBytes
		p.plan.Window, p.plan.From = in, b.StartLSN
		if b.BadPages {
			p.plan.Notes = append(p.plan.Notes, "the base backup "+b.Label+" has pages with a wrong checksum")
		}
		return nil
	}
	oldest := whole[0]
	return fault.New(fault.NotFound,
		fmt.Sprintf("pitr: no whole base backup ends before %s on timeline %d; the oldest of all ended at %s",
			p.order.Target, p.plan.Timeline, serverTime(oldest.Stopped)),
		"Choose a moment behind that, or another --timeline.", nil)
}

// room refuses a disk that could not hold the copy and keep its reserve.
func (p *planner) room(disks room.Disks) error {
	dir := p.order.files()
	existing := dir
	for {
		if _, err := os.Stat(existing); err == nil || existing == "/" {
			break
		}
		existing = filepath.Dir(existing)
	}
	disk, err := disks.Of(existing)
	if err != nil {
		return fmt.Errorf("pitr: look at the disk of %s: %w", dir, err)
	}
	p.plan.FreeBytes = disk.Free
	// Beside its files the copy has WAL that is being replayed, of which the server keeps little.
	need := p.plan.SizeBytes + 4*p.plan.control.SegmentBytes
	return disks.Demand("pitr: restore "+readable.Size(p.plan.SizeBytes)+" beside the live cluster", existing, need,
		"Free space there, or give a folder on another disk by --at.")
}

func (o Order) dir() string {
	if o.Dir == "" {
		return DefaultDir
	}
	return o.Dir
}

func (o Order) files() string {
	if o.At == "" {
		return o.dir()
	}
	return o.At
}

// libraries asks the live server what it loads. One that is down loads nothing, and neither does the copy.
func (p *planner) libraries(ctx context.Context) {
	var loaded string
	err := p.engine.SQL(ctx, "SELECT to_json(current_setting('shared_preload_libraries'))", &loaded)
	if err != nil {
		p.plan.Notes = append(p.plan.Notes,
			"the live server does not say which libraries it loads, so the copy loads none: "+err.Error())
		return
	}
	p.plan.Libraries, p.plan.LeftOut = keptLibraries(postgres.PlainLibraries(loaded))
}
