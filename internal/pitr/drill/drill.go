// Package drill rehearses the recovery of a cluster: it restores a copy to a moment of its newest window, proves that
// the moment was reached to the transaction, looks into every database, takes the time, and removes the copy. Rules:
//
//   - what the copy says of itself is held against the archived WAL, which is read on its own
//   - what is proven is written down, and so is a failure; where a drill could not be made (no room, nothing to
//     recover to) there is neither
//   - the live cluster is only read
package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// Options are what a drill may be told.
type Options struct {
	To      time.Time // the moment; zero: a random one of the newest window
	Seed    uint64    // of the random moment; 0: any
	Dir     string    // of the records of copies; "": beside.DefaultDir
	At      string    // folder for the files; "": Dir
	Amcheck bool      // pg_amcheck of every database
	Disks   room.Disks
	Tell    func(string)
	Now     func() time.Time
}

// Drilled is what came of a drill.
type Drilled struct {
	Proof    Proof
	Warnings []string
}

// Run makes a drill. An error with fault.Integrity says that the cluster does not recover as it should; it is written
// down as a failed proof. Any other error says that the drill could not be made.
func Run(ctx context.Context, e *pitr.Engine, o Options) (d Drilled, err error) {
	began := o.Now()
	clock := time.Now()
	d.Proof = Proof{
		Cluster: e.Cluster.Name, Engine: string(e.Cluster.Engine), StartedAt: began.UTC().Truncate(time.Second),
	}
	order := beside.Order{Dir: o.Dir, At: o.At, Tell: o.Tell, Choose: func(s pitr.State) (beside.Target, error) {
		return choose(s, o)
	}}
	plan, err := beside.WithCopy(ctx, e, order, o.Disks, func(ctx context.Context, h beside.Held) error {
		d.Proof.RTOSeconds = time.Since(clock).Seconds()
		return d.look(ctx, e, h, o)
	})
	d.Proof.FinishedAt = o.Now().UTC().Truncate(time.Second)
	d.Proof.Target = plan.Target.Time
	d.Proof.Set = plan.Set
	d.Proof.Timeline = plan.Timeline
	d.Proof.ClusterBytes = plan.SizeBytes
	if err == nil {
		d.Proof.OK = true
		d.annotate(ctx, e)
		return d, d.Proof.write(o.Dir)
	}
	if !failed(plan, err) {
		return d, fmt.Errorf("pitr: drill cluster %s: %w", e.Cluster.Name, err)
	}
	d.Proof.Failure = err.Error()
	err = fault.New(fault.Integrity, "pitr: drill of cluster "+e.Cluster.Name+" to "+plan.Target.String(),
		"Treat the cluster as not recoverable to that moment: make a full backup now, and look for the cause.", err)
	return d, errors.Join(err, d.Proof.write(o.Dir))
}

// failed reports whether an error says something of what is stored: the way was known, and it did not lead there.
func failed(plan beside.Plan, err error) bool {
	if plan.Set == "" {
		return false
	}
	switch fault.CodeOf(err) {
	case fault.Integrity, fault.NotFound, fault.Failed:
		return true
	default:
		return false
	}
}

// choose is the moment of a drill.
func choose(s pitr.State, o Options) (beside.Target, error) {
	if !o.To.IsZero() {
		return beside.Target{Time: o.To}, nil
	}
	window, ok := s.Newest()
	if !ok {
		return beside.Target{}, fault.New(fault.Refused, "pitr: there is nothing to recover, so nothing to drill",
			"Make a base backup; `pgbtui cluster status` says what is wrong.", nil)
	}
	// Both ends are no moments of the window: it is behind the base backup, and before its last commit.
	span := window.Until.Sub(window.After).Microseconds() - 1
	if span < 1 {
		return beside.Target{}, fault.New(fault.Refused,
			"pitr: nothing was committed and archived since the base backup of "+window.After.Format(time.DateTime)+" UTC",
			"Drill again when something was; an idle cluster has nothing to recover to.", nil)
	}
	seed := o.Seed
	for seed == 0 {
		seed = rand.Uint64() //nolint:gosec // a moment, no secret
	}
	//nolint:gosec // a moment, no secret
	after := 1 + rand.New(rand.NewPCG(seed, 0)).Int64N(span)
	target := beside.Target{Time: window.After.Add(time.Duration(after) * time.Microsecond)}
	o.tell("%s is the moment, of %s to %s UTC (--seed %d)", target, window.After.Format(time.DateTime),
		window.Until.Format(time.DateTime), seed)
	return target, nil
}

func (o Options) tell(format string, args ...any) {
	if o.Tell != nil {
		o.Tell(fmt.Sprintf(format, args...))
	}
}

// look proves what there is to prove of a copy that stands at its target.
func (d *Drilled) look(ctx context.Context, e *pitr.Engine, h beside.Held, o Options) error {
	p := &d.Proof
	p.FilesSeconds = h.Reached.FilesSeconds
	p.Reached.LSN, p.Reached.Commit = h.Reached.LSN, h.Reached.Commit
	p.WALBytes = int64(max(h.Reached.LSN, h.Plan.From) - h.Plan.From) // less than a disk
	ends, err := h.Ends(ctx, e)
	if err != nil {
		return err
	}
	p.Reached.XID, p.Reached.Next = ends.Before.XID, ends.After.Time
	if err := reached(h.Plan.Target.Time, h.Reached.Commit, ends); err != nil {
		return err
	}
	o.tell("reached: the last transaction in the copy ended at %s, and the next one at %s",
		stamp(h.Reached.Commit), stamp(ends.After.Time))
	found, err := h.Count(ctx)
	if err != nil {
		return unreadable(err)
	}
	if o.Amcheck {
		if err := h.Promote(ctx); err != nil {
			return err
		}
	}
	for _, one := range found {
		database := Database{
			Name: one.Name, Relations: one.Relations, Tables: len(one.Tables), Bytes: one.Bytes,
		}
		for _, table := range one.Tables {
			database.Rows += table.Rows
		}
		if o.Amcheck {
			if database.Amcheck, err = h.Check(ctx, string(one.Name)); err != nil {
				return unreadable(err)
			}
			if reason, not := strings.CutPrefix(database.Amcheck, "not checked: "); not {
				p.NotProven = append(p.NotProven, "that pg_amcheck finds nothing in "+one.Name.String()+": "+reason)
			}
		}
		o.tell("database %s: %d relations, %d tables with %d rows, %s", one.Name, database.Relations, database.Tables,
			database.Rows, readable.Size(one.Bytes))
		p.Databases = append(p.Databases, database)
	}
	return nil
}

// unreadable is an error of a copy that has reached its target, and cannot be read there. What ends the whole run
// stays what it is.
func unreadable(err error) error {
	switch fault.CodeOf(err) {
	case fault.Interrupted, fault.Terminated, fault.NoSpace, fault.Integrity:
		return err
	default:
		return fault.New(fault.Integrity, "the copy cannot be read", fault.Remedy(err), err)
	}
}

// reached holds what the copy says against the archived WAL: its last transaction is the last one up to the target.
func reached(target, commit time.Time, ends beside.Ends) error {
	wrong := ""
	switch {
	case !commit.Equal(ends.Before.Time):
		wrong = "the archived WAL has " + stamp(ends.Before.Time) + " as the last before it"
	case commit.After(target):
		wrong = "that is later than the target"
	case ends.After.LSN == 0:
		wrong = "no transaction behind it is in the archive, so nothing says that it stopped in time"
	case !ends.After.Time.After(target):
		wrong = "the next one, of " + stamp(ends.After.Time) + ", belongs to it as well"
	}
	if wrong == "" {
		return nil
	}
	return fault.New(fault.Integrity, fmt.Sprintf(
		"the target %s was not reached to the transaction: the last in the copy ended at %s, and %s",
		stamp(target), stamp(commit), wrong), "", nil)
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return "no time"
	}
	return at.UTC().Format("2006-01-02 15:04:05.999999") + " UTC"
}

// Annotation is the key of the engine's note beside a base backup.
const Annotation = "pgbtui-drill"

// note is a proof in one line, for the engine.
func (p Proof) note() string {
	return fmt.Sprintf("%s reached %s in %ds", p.FinishedAt.Format(time.RFC3339), p.Target.Format(time.RFC3339Nano),
		int64(p.RTOSeconds+0.5))
}

// annotate writes the proof beside the base backup too, where another host finds it. An engine without a place for it
// has it in the proofs alone.
func (d *Drilled) annotate(ctx context.Context, e *pitr.Engine) {
	to, ok := e.Annotator()
	if !ok {
		return
	}
	if err := to.Annotate(ctx, d.Proof.Set, Annotation, d.Proof.note()); err != nil {
		d.Warnings = append(d.Warnings, "the proof is not noted beside base backup "+d.Proof.Set+": "+err.Error())
	}
}
