// The history of runs: what systemd knows of each unit's newest run, what the journal remembers of those before, and
// what the bucket's documents say. Newest first, each run once.

package ui

import (
	"cmp"
	"context"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// historyAhead is how near to the last row the next page is read.
const historyAhead = 10

// pastRuns are the pages of the journal that were read.
type pastRuns struct {
	feed[[]UnitRun]
	before string // of the next page
	more   bool
	asked  bool // a page is on its way
}

type historyMsg struct {
	page  HistoryPage
	err   error
	first bool
}

// readHistory reads a page; the first one takes the place of all that was read.
func (s *runsScreen) readHistory(before string) tea.Cmd {
	if s.Sources.History == nil {
		s.past.put(s.now, nil, s.missing("journal"))
		return nil
	}
	s.past.asked = true
	src := s.Sources.History
	return s.past.asker.ask(s.ctx, s.update, func(ctx context.Context) tea.Msg {
		page, err := src.Ended(ctx, before)
		return historyMsg{page: page, err: err, first: before == ""}
	})
}

func (s *runsScreen) tookHistory(msg historyMsg) tea.Cmd {
	s.past.asked = false
	if msg.err != nil {
		s.past.put(s.now, nil, msg.err)
		return nil
	}
	again := msg.first && s.past.have
	if !again {
		s.past.before, s.past.more = msg.page.Before, msg.page.Before != ""
	}
	newer, older := s.past.value, msg.page.Runs
	if msg.first {
		newer, older = older, newer
	}
	s.past.put(s.now, joined(newer, older), nil)
	return nil
}

// joined are two lists of runs, the newer ones first; of a run that is in both, what the newer list says.
func joined(newer, older []UnitRun) []UnitRun {
	all := slices.Clone(newer)
	for _, r := range older {
		if !slices.ContainsFunc(newer, func(n UnitRun) bool { return n.Invocation == r.Invocation }) {
			all = append(all, r)
		}
	}
	return all
}

// furtherHistory reads the next page once the cursor comes near to the end.
func (s *runsScreen) furtherHistory() tea.Cmd {
	if s.past.asked || !s.past.more || s.ctx == nil || s.at < s.n-historyAhead {
		return nil
	}
	return s.readHistory(s.past.before)
}

// history are all runs that are known: systemd's word first, then the journal's, then the bucket's.
func (sh *shared) history(past *pastRuns) []UnitRun {
	all := slices.Clone(sh.runs.value)
	seen := map[string]int{}
	for i := range all {
		if all[i].Invocation != "" {
			seen[all[i].Invocation] = i
		}
	}
	add := func(r UnitRun) {
		at, known := seen[r.Invocation]
		if known && r.Invocation != "" {
			all[at].learn(&r)
			return
		}
		seen[r.Invocation] = len(all)
		all = append(all, r)
	}
	oldest := time.Time{}
	if past.have {
		for _, r := range past.value {
			add(r)
		}
		if n := len(past.value); past.more && n > 0 {
			oldest = past.value[n-1].StartedAt
		}
	}
	stored := sh.storedRuns()
	if past.asked && past.unread() {
		stored = nil // they go between those of the journal, which come in a moment
	}
	for _, r := range stored {
		if _, known := seen[r.Invocation]; known && r.Invocation != "" || !r.StartedAt.Before(oldest) {
			add(r)
		}
	}
	slices.SortStableFunc(all, func(a, b UnitRun) int {
		if a.State.Live() != b.State.Live() {
			if a.State.Live() {
				return -1
			}
			return 1
		}
		return b.StartedAt.Compare(a.StartedAt)
	})
	return all
}

// learn takes what another source knows besides.
func (r *UnitRun) learn(other *UnitRun) {
	r.Set = cmp.Or(r.Set, other.Set)
	r.Trigger = cmp.Or(r.Trigger, other.Trigger)
	r.Database = cmp.Or(r.Database, other.Database)
	r.Job = cmp.Or(r.Job, other.Job)
	r.Bytes = max(r.Bytes, other.Bytes)
	if r.StartedAt.IsZero() {
		r.StartedAt = other.StartedAt
	}
	// its end was not recorded, and there is what it made
	if r.State == RunLost && other.State != RunLost && !other.State.Live() {
		r.State, r.EndedAt = other.State, other.EndedAt
	}
}

// storedRuns are the runs that left a set or evidence in the bucket.
func (sh *shared) storedRuns() (runs []UnitRun) {
	for i := range sh.sets.value {
		s := &sh.sets.value[i]
		if s.Kind != backup.KindNative || s.Manifest == nil || !sh.ours(s) {
			continue
		}
		m := s.Manifest
		run := UnitRun{
			Action: "backup", Job: cmp.Or(s.Job, m.Job), Database: s.Database, State: RunOK, StartedAt: m.StartedAt,
			EndedAt:    m.FinishedAt,
			Invocation: m.InvocationID, Trigger: m.Trigger, Set: s.ID, Bytes: m.StoredBytes(), Memory: -1, MemoryHigh: -1,
		}
		if len(m.Warnings) > 0 {
			run.State, run.Detail = RunWarn, m.Warnings[0]
		}
		runs = append(runs, run)
		for k := range s.Proofs {
			runs = append(runs, provingRun(s, &s.Proofs[k]))
		}
	}
	return runs
}

func provingRun(s *backup.Set, p *backup.Proof) UnitRun {
	run := UnitRun{
		Action: p.Kind, Job: cmp.Or(s.Job, s.Manifest.Job), Database: s.Database, State: RunOK, StartedAt: p.StartedAt,
		EndedAt:    p.FinishedAt,
		Invocation: p.InvocationID, Set: s.ID, Bytes: p.Bytes, Memory: -1, MemoryHigh: -1,
	}
	switch {
	case !p.OK:
		run.State, run.Detail = RunFailed, proofFailure(p)
	case len(p.Warnings) > 0:
		run.State, run.Detail = RunWarn, p.Warnings[0]
	}
	if run.StartedAt.IsZero() {
		run.StartedAt = run.EndedAt
	}
	return run
}

// usualRuns is how many runs of one kind, the newest, a duration is held against.
const usualRuns = 15

// kindOfRun is what durations are compared within.
type kindOfRun struct{ action, job, database string }

func (r *UnitRun) kind() kindOfRun {
	return kindOfRun{action: r.Action, job: r.Job, database: r.Database}
}

// usualTime is the median of how long the newest good runs of a kind took.
type usualTime struct {
	median time.Duration
	runs   int
}

// usualTimes are those of all kinds in a list, which is newest first.
func usualTimes(all []UnitRun) map[kindOfRun]usualTime {
	times := map[kindOfRun][]time.Duration{}
	for i := range all {
		r := &all[i]
		good := r.State == RunOK || r.State == RunWarn
		if k := r.kind(); good && r.EndedAt.After(r.StartedAt) && len(times[k]) < usualRuns {
			times[k] = append(times[k], r.EndedAt.Sub(r.StartedAt))
		}
	}
	usual := map[kindOfRun]usualTime{}
	for k, took := range times {
		slices.Sort(took)
		usual[k] = usualTime{took[(len(took)-1)/2], len(took)}
	}
	return usual
}
