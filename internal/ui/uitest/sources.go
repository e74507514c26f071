package uitest

import (
	"context"
	"strconv"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// What the console reads: the world as catalogue, units, timers, journal, history, retention and planner.

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

// Uncovered implements ui.Coverage.
func (w *World) Uncovered(context.Context) []ui.Uncovered {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]ui.Uncovered(nil), w.NoJob...)
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
			Bytes: 18 << 20, Reason: "its run is still active, on host db01",
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
