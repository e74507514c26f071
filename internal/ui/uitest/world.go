// Package uitest is a made-up world for looking at the console and for its tests: a bucket, units,
// timers and a journal in memory. It is imported by tests and by uitest/show only.
package uitest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// Now is the fixed time of the fixture.
var Now = time.Date(2026, 11, 23, 3, 12, 20, 0, time.UTC)

// World is every source and action at once. Change its fields under Change only.
type World struct {
	mu       sync.Mutex
	now      time.Time
	AllSets  []backup.Set
	AllRuns  []ui.UnitRun
	Past     []ui.UnitRun // that the journal remembers, newest first
	AllTimer []ui.Timer
	Entries  []ui.Entry
	View     ui.ContentsView
	Names    []string
	Checks   []restore.Check
	Incident []ui.Incident
	Pruning  *ui.PrunePlan                // nil: by the rule days 10
	Portion  *restore.Portion             // of a plan for a part
	Asked    []ui.RestoreRequest          // by the preflight and by the start, in order
	Results  map[string]*ui.RestoreResult // by unit
	// by "sets", "contents", "watch", "timers", "page", "databases", "preflight", "start", "told", "plan", "result",
	// "history"
	Fail     map[string]error
	Started  []string // what actions were asked for
	restores int
	watchers map[chan []ui.UnitRun]bool
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

// Sets implements ui.Catalogue.
func (w *World) Sets(context.Context) ([]backup.Set, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]backup.Set(nil), w.AllSets...), w.fail("sets")
}

// Contents implements ui.Catalogue.
func (w *World) Contents(context.Context, backup.Set) (ui.ContentsView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.View, w.fail("contents")
}

// Recipe implements ui.Catalogue.
func (w *World) Recipe(s backup.Set) []string {
	return []string{
		"aws s3 cp s3://backups/postgresql/" + s.Dir + "dump.pgc.zst dump.pgc.zst",
		"zstd -d dump.pgc.zst", "createdb NEWDB", "pg_restore --exit-on-error -d NEWDB dump.pgc",
	}
}

// Watch implements ui.Units.
func (w *World) Watch(ctx context.Context) (<-chan []ui.UnitRun, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail("watch"); err != nil {
		return nil, err
	}
	in := make(chan []ui.UnitRun, 1)
	in <- append([]ui.UnitRun(nil), w.AllRuns...)
	if w.watchers == nil {
		w.watchers = map[chan []ui.UnitRun]bool{}
	}
	w.watchers[in] = true
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, in)
		close(in)
	})
	return in, nil
}

// Timers implements ui.Timers.
func (w *World) Timers(context.Context) ([]ui.Timer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]ui.Timer(nil), w.AllTimer...), w.fail("timers")
}

// Open implements ui.Told.
func (w *World) Open(context.Context) ([]ui.Incident, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]ui.Incident(nil), w.Incident...), w.fail("told")
}

// Plan implements ui.Retention, by package backup's own function.
func (w *World) Plan(_ context.Context, job ui.Job) (ui.PrunePlan, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Pruning != nil {
		return *w.Pruning, w.fail("plan")
	}
	var sets []backup.Set
	for _, s := range w.AllSets {
		if s.Database == job.Database && s.Instance == "db01" && s.Kind == backup.KindNative {
			sets = append(sets, s)
		}
	}
	decisions, err := retention.Decide(sets, retention.Policy{Keep: config.Keep{Days: 10, MinGood: 3}}, w.Clock())
	if err != nil {
		return ui.PrunePlan{}, err
	}
	left := []retention.Leftover{
		{
			Kind: retention.LeftoverUpload, Run: "20261112T020003Z-77aa10", Last: w.Clock().AddDate(0, 0, -11),
			Bytes: 1200 << 20, Remove: true, Reason: "its run is dead",
		},
		{
			Kind: retention.LeftoverObjects, Run: "20261123T030000Z-88bb20", Last: w.Clock().Add(-12 * time.Minute),
			Bytes: 18 << 20, Reason: "its run goes on, on host db01",
		},
	}
	return ui.PrunePlan{
		Pruning: &retention.Pruning{Decisions: decisions, Leftovers: left}, Rules: "days 10",
		By:         "each backup deletes by them",
		Hidden:     &backup.Hidden{Versions: 7, Bytes: 3 << 30, Markers: 2},
		MonthlyUSD: func(l *retention.Leftover) (float64, bool) { return l.MonthlyUSD(price.Place{Region: "us-east-1"}) },
	}, w.fail("plan")
}

// Page implements ui.Journal.
func (w *World) Page(_ context.Context, q ui.JournalQuery) (ui.JournalPage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var hits []ui.Entry
	for _, e := range w.Entries {
		if q.Before != "" && e.Cursor >= q.Before {
			break
		}
		if (q.Unit == "" || q.Unit == e.Unit) && e.Priority <= q.MaxPriority && !e.Time.Before(q.Since) {
			hits = append(hits, e)
		}
	}
	more := len(hits) > q.Limit
	return ui.JournalPage{Entries: hits[max(0, len(hits)-q.Limit):], More: more}, w.fail("page")
}

// Ended implements ui.History, three runs a page.
func (w *World) Ended(_ context.Context, before string) (ui.HistoryPage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, _ := strconv.Atoi(before)
	to := min(from+3, len(w.Past))
	page := ui.HistoryPage{Runs: append([]ui.UnitRun(nil), w.Past[from:to]...)}
	if to < len(w.Past) {
		page.Before = strconv.Itoa(to)
	}
	return page, w.fail("history")
}

// Follow implements ui.Journal; nothing new ever comes.
func (w *World) Follow(ctx context.Context, _ ui.JournalQuery) (<-chan []ui.Entry, error) {
	ch := make(chan []ui.Entry)
	context.AfterFunc(ctx, func() { close(ch) })
	return ch, nil
}

// Databases implements ui.Planner.
func (w *World) Databases(context.Context) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Names, w.fail("databases")
}

// Preflight implements ui.Planner.
func (w *World) Preflight(_ context.Context, r ui.RestoreRequest) (ui.Plan, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Asked = append(w.Asked, r)
	plan := ui.Plan{Checks: w.Checks}
	if r.Replace+r.Swap != "" {
		plan.Checks = append(w.LiveChecks(r.Replace+r.Swap, r.Terminate), w.Checks...)
	}
	if len(r.Tables)+len(r.Schemas) > 0 || r.SchemaOnly {
		plan.Portion = w.Portion
	}
	return plan, w.fail("preflight")
}

// LiveChecks are those about a live database that two people are connected to.
func (w *World) LiveChecks(database string, terminate bool) []restore.Check {
	use := restore.Check{
		Name: "connections", Detail: "2 to " + database + ": pid 4711 (role app, till); pid 4712 (role app)",
		Remedy: "Stop what is connected, or let --terminate end it.",
	}
	if terminate {
		use = restore.Check{
			Name: "connections", OK: true, Warn: true,
			Detail: "2 to " + database + ": pid 4711 (role app, till); pid 4712 (role app); they will be ended",
		}
	}
	return []restore.Check{
		{
			Name: "target", OK: true,
			Detail: "database " + database + " (3.8 GiB) at db01 port 5432 is replaced, and kept as " + database +
				"_before_<time>",
		},
		use,
	}
}

// Result implements ui.Planner.
func (w *World) Result(_ context.Context, unit string) (*ui.RestoreResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Results[unit], w.fail("result")
}

func (w *World) start(r ui.UnitRun) (ui.Started, error) {
	w.mu.Lock()
	err := w.fail("start")
	going := slices.ContainsFunc(w.AllRuns, func(is ui.UnitRun) bool { return is.Unit == r.Unit && is.State.Live() })
	if !going {
		w.Started = append(w.Started, r.Action+" "+r.Unit)
	}
	w.mu.Unlock()
	if err != nil {
		return ui.Started{}, err
	}
	if going {
		return ui.Started{Unit: r.Unit, AlreadyRunning: true}, nil
	}
	r.State = ui.RunQueued
	r.StartedAt = w.Clock()
	r.Trigger = "operator"
	r.MemoryHigh = 256 << 20
	r.Memory = 61 << 20
	w.Change(func(w *World) {
		for i := range w.AllRuns {
			if w.AllRuns[i].Unit == r.Unit {
				w.AllRuns[i] = r
				return
			}
		}
		w.AllRuns = append(w.AllRuns, r)
	})
	return ui.Started{Unit: r.Unit}, nil
}

// Start implements ui.Actions.
func (w *World) Start(_ context.Context, s ui.Service) (ui.Started, error) {
	action := "backup"
	if strings.Contains(s.Unit, "-prune") {
		action = "prune"
	}
	return w.start(ui.UnitRun{Unit: s.Unit, Action: action, Job: s.Target, Database: s.Target})
}

// Prove implements ui.Actions.
func (w *World) Prove(_ context.Context, how ui.Proving, s backup.Set) (ui.Started, error) {
	return w.start(ui.UnitRun{
		Unit: "postgres-" + string(how) + "@1.service", Action: string(how), Database: s.Database, Target: s.ID,
	})
}

// Hold implements ui.Holder.
func (w *World) Hold(_ context.Context, s backup.Set, reason string) error {
	return w.hold(s, &backup.Hold{By: "anna", Host: "db01", At: w.Clock(), Reason: reason})
}

// Release implements ui.Holder.
func (w *World) Release(_ context.Context, s backup.Set, _ string) error { return w.hold(s, nil) }

// Acknowledge implements ui.Holder.
func (w *World) Acknowledge(_ context.Context, s backup.Set, reason string) error {
	w.Change(func(w *World) {
		for i := range w.AllSets {
			if w.AllSets[i].Dir == s.Dir {
				w.AllSets[i].Acknowledged = &backup.Acknowledgement{By: "anna", Host: "db01", At: w.Clock(), Reason: reason}
			}
		}
	})
	return w.fail("acknowledge")
}

func (w *World) hold(s backup.Set, h *backup.Hold) error {
	w.Change(func(w *World) {
		for i := range w.AllSets {
			if w.AllSets[i].Dir == s.Dir {
				w.AllSets[i].Hold = h
			}
		}
	})
	return w.fail("hold")
}

// Restore implements ui.Actions.
func (w *World) Restore(_ context.Context, r ui.RestoreRequest) (ui.Started, error) {
	w.mu.Lock()
	w.Asked = append(w.Asked, r)
	w.restores++
	w.mu.Unlock()
	run := ui.UnitRun{
		Unit: fmt.Sprintf("postgres-restore@%d.service", w.restores), Action: "restore", Database: r.Set.Database,
		Target: r.To,
	}
	if live := r.Replace + r.Swap; live != "" {
		run.Target, run.Replaces = live, true
	}
	return w.start(run)
}

// Ends lets the run of a unit end, with what its unit says of it.
func (w *World) Ends(unit string, state ui.RunState, result *ui.RestoreResult) {
	w.Change(func(w *World) {
		w.Results = map[string]*ui.RestoreResult{unit: result}
		for i := range w.AllRuns {
			if w.AllRuns[i].Unit == unit {
				w.AllRuns[i].State = state
				w.AllRuns[i].EndedAt = w.now
				w.AllRuns[i].Status = ""
			}
		}
	})
}

// Cancel implements ui.Canceller.
func (w *World) Cancel(_ context.Context, unit, reason string) error {
	w.mu.Lock()
	w.Started = append(w.Started, fmt.Sprintf("cancel %s %q", unit, reason))
	w.mu.Unlock()
	w.Change(func(w *World) {
		for i := range w.AllRuns {
			if r := &w.AllRuns[i]; r.Unit == unit && r.State.Live() {
				r.State, r.EndedAt = ui.RunCancelled, w.now
			}
		}
	})
	return nil
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
		Jobs:    jobs(),
		Sources: ui.Sources{Catalogue: w, Units: w, Timers: w, Journal: w, History: w, Planner: w, Told: w, Retention: w},
		Write:   ui.Write{Actions: w, Cancel: w, Holder: w},
		Now:     w.Clock, Zone: time.FixedZone("CET", 3600),
	}
}

// ErrBucket is a bucket that cannot be reached.
var ErrBucket = fault.New(fault.Unavailable, "s3: list s3://backups/postgresql",
	"Check the network of this host, then press r.", errors.New("dial tcp 10.0.0.9:443: i/o timeout"))

// Panics is a catalogue that panics.
type Panics struct{ *World }

// Sets panics.
func (Panics) Sets(context.Context) ([]backup.Set, error) { panic("planted in the catalogue") }
