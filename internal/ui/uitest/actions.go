package uitest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// What the console starts: the world as actions, holder and canceller.

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

// Outlooks implements ui.Thawer.
func (w *World) Outlooks(s backup.Set) []ui.ThawOutlook {
	known := s.Class != "DEEP_ARCHIVE"
	return []ui.ThawOutlook{
		{Tier: "bulk", USD: 0.04, Known: known, Takes: "in 5 to 12 hours", Days: 7, CLI: "--tier bulk"},
		{Tier: "standard", USD: 0.06, Known: known, Takes: "in 3 to 5 hours", Days: 7, CLI: "--tier standard"},
		{Tier: "expedited", Takes: "in 1 to 5 minutes", Days: 7, CLI: "--tier expedited"},
	}
}

// Thaw implements ui.Thawer.
func (w *World) Thaw(_ context.Context, s backup.Set, tier string) error {
	w.mu.Lock()
	w.ThawedBy = tier
	w.mu.Unlock()
	if err := w.fail("thaw"); err != nil {
		return err
	}
	w.Archive(s.Dir, backup.Archive{State: backup.Thawing})
	return nil
}

// Archive is how a set of an archive class stands from now on.
func (w *World) Archive(dir string, a backup.Archive) {
	w.Change(func(w *World) {
		for i := range w.AllSets {
			if w.AllSets[i].Dir == dir {
				w.AllSets[i].Class, w.AllSets[i].Archive = "GLACIER", a
			}
		}
	})
}
