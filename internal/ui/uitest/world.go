// Package uitest is a made-up world for looking at the console and for its tests: a bucket, units,
// timers and a journal in memory. It is imported by tests and by uitest/show only.
package uitest

import (
	"context"
	"errors"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// Now is the fixed time of the fixture.
var Now = time.Date(2026, 11, 23, 3, 12, 20, 0, time.UTC)

// World is every source and action at once. Change its fields under Change only.
type World struct {
	mu       sync.Mutex
	now      time.Time
	AllSets  []backup.Set
	ThawedBy string          // the tier of the last thaw
	Tenants  []ui.Projection // more projections
	Costs    []ui.CostView   // of the bucket, instead of those that it has
	AllRuns  []ui.UnitRun
	Past     []ui.UnitRun // that the journal remembers, newest first
	AllTimer []ui.Timer
	Entries  []ui.Entry
	View     ui.ContentsView
	Names    []string
	Checks   []restore.Check
	Incident []ui.Incident
	NoJob    []ui.Uncovered
	Pruning  *ui.PrunePlan                // nil: by the rule days 10
	Portion  *restore.Portion             // of a plan for a part
	Asked    []ui.RestoreRequest          // by the preflight and by the start, in order
	Results  map[string]*ui.RestoreResult // by unit
	// by "sets", "contents", "watch", "timers", "page", "databases", "preflight", "start", "told", "plan", "result",
	// "history"
	Fail     map[string]error
	Tidy     bool     // the bucket is as the jobs want it, with nothing left behind
	Started  []string // what actions were asked for
	restores int
	watchers map[chan []ui.UnitRun]bool

	Checkups []ui.Checkup // what doctor finds
	Examined []string     // what it was asked to look at, in turn
}

// Change alters the world and tells the watchers.
func (w *World) Change(f func(w *World)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
	for ch := range w.watchers {
		select {
		case <-ch:
		default:
		}
		ch <- append([]ui.UnitRun(nil), w.AllRuns...)
	}
}

func (w *World) fail(what string) error {
	return w.Fail[what]
}

// Clock is the world's time: fixed unless Real was called.
func (w *World) Clock() time.Time {
	if w.now.IsZero() {
		return time.Now()
	}
	return w.now
}

// Real lets the world use the real time.
func (w *World) Real() { w.now = time.Time{} }

// Step lets every live run go on a little, for looking at it.
func (w *World) Step() {
	w.Change(func(w *World) {
		for i := range w.AllRuns {
			r := &w.AllRuns[i]
			if !r.State.Live() {
				continue
			}
			_, _, percent, ok := backup.ParseStatus(r.Status)
			if !ok {
				percent = 0
			}
			if percent += 3; percent > 99 {
				r.State = ui.RunOK
				r.EndedAt = w.Clock()
				r.Status = ""
				continue
			}
			r.State, r.CPU = ui.RunRunning, r.CPU+300*time.Millisecond
			stage := map[string]backup.Stage{
				"backup": backup.StageDump, "verify": backup.StageRead, "drill": backup.StageRestore,
				"restore": backup.StageRestore,
			}[r.Action]
			total := int64(2900 << 20)
			r.Status = backup.Progress{
				Action: r.Action, Stage: stage, Bytes: total * int64(percent) / 100, Total: total, Rate: 85 << 20,
			}.Status()
		}
	})
}

// Options is a console over this world.
func (w *World) Options() ui.Options {
	return ui.Options{
		Identity: ui.Identity{
			Host: "db01", Cluster: "15/main", Instance: "db01", Label: "production", Version: "0.1.0",
			Place: "s3://backups/postgresql",
		},
		Jobs: jobs(),
		Sources: ui.Sources{
			Catalogue: w, Units: w, Timers: w, Journal: w, History: w, Planner: w, Told: w, Retention: w, Coverage: w,
			Doctor: w, Buckets: w,
		},
		Write: ui.Write{Actions: w, Cancel: w, Holder: w, Thawer: w},
		Now:   w.Clock, Zone: time.FixedZone("CET", 3600),
	}
}

// ErrBucket is a bucket that cannot be reached.
var ErrBucket = fault.New(fault.Unavailable, "s3: list s3://backups/postgresql",
	"Check the network of this host, then press r.", errors.New("dial tcp 10.0.0.9:443: i/o timeout"))

// Panics is a catalogue that panics.
type Panics struct{ *World }

// Sets panics.
func (Panics) Sets(context.Context) ([]backup.Set, error) { panic("planted in the catalogue") }
